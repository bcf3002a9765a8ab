//! Eight bytes at a time, as one number: what text of heads is looked at with, where a byte at a time costs more than all
//! the rest.

/// One, in each of eight bytes.
pub(super) const EACH: u64 = u64::from_ne_bytes([1; 8]);
/// The highest bit of each of eight bytes: it is set where something is said of a byte.
pub(super) const HIGHEST: u64 = EACH * 0x80;

/// Sets the highest bit of the bytes that are, without it, at least so much; no byte borrows of the next.
pub(super) fn at_least(bytes: u64, limit: u8) -> u64 {
    (bytes | HIGHEST) - EACH * u64::from(limit)
}

/// As [`make_ascii_lowercase`](slice::make_ascii_lowercase), for names, which are short. The last bytes may be looked at
/// twice, which changes nothing.
pub fn make_lower(text: &mut [u8]) {
    for eight in text.as_chunks_mut::<8>().0 {
        *eight = lower(u64::from_ne_bytes(*eight)).to_ne_bytes();
    }
    match text.last_chunk_mut::<8>() {
        Some(last) => *last = lower(u64::from_ne_bytes(*last)).to_ne_bytes(),
        None => text.make_ascii_lowercase(),
    }
}

fn lower(bytes: u64) -> u64 {
    let is_upper = at_least(bytes, b'A') & !at_least(bytes, b'Z' + 1) & !bytes & HIGHEST;
    bytes | is_upper >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte, at every place of texts of every length up to three times eight.
    #[test]
    fn letters_become_small_and_nothing_else_changes() {
        for (length, byte) in (1..=24).flat_map(|length| (0..=u8::MAX).map(move |byte| (length, byte))) {
            for place in 0..length {
                let mut text = vec![b'Z'; length];
                text[place] = byte;
                let expected = text.to_ascii_lowercase();
                make_lower(&mut text);
                assert_eq!(text, expected);
            }
        }
    }
}
