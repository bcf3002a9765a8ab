//! Eight bytes at a time, as one number: what text of heads is looked at with, where a byte at a time costs more than all
//! the rest.

/// One, in each of eight bytes.
pub const EACH: u64 = u64::from_ne_bytes([1; 8]);
/// The highest bit of each of eight bytes: it is set where something is said of a byte.
pub const HIGHEST: u64 = EACH * 0x80;

/// Sets the highest bit of the bytes that are, without it, at least so much; no byte borrows of the next.
pub fn at_least(bytes: u64, limit: u8) -> u64 {
    (bytes | HIGHEST) - EACH * u64::from(limit)
}

/// Makes the first bytes of a text lower case, so many of them, as [`make_ascii_lowercase`](slice::make_ascii_lowercase)
/// does: for names, which are short, with text behind them.
pub fn make_lower(text: &mut [u8], length: usize) {
    let mut left = length.min(text.len());
    for eight in text.as_chunks_mut::<8>().0 {
        if left == 0 {
            return;
        }
        let bits = left.min(8) * 8;
        *eight = lower(u64::from_le_bytes(*eight), u64::MAX >> (64 - bits)).to_le_bytes();
        left = left.saturating_sub(8);
    }
    let end = text.as_chunks_mut::<8>().1;
    end.iter_mut().take(left).for_each(u8::make_ascii_lowercase);
}

/// Those bytes alone whose bits are in `which`.
fn lower(bytes: u64, which: u64) -> u64 {
    let is_upper = at_least(bytes, b'A') & !at_least(bytes, b'Z' + 1) & !bytes & HIGHEST & which;
    bytes | is_upper >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte, at every place of texts of every length up to three times eight, with and without more behind them.
    #[test]
    fn letters_become_small_and_nothing_else_changes() {
        for (length, byte) in (1..=24).flat_map(|length| (0..=u8::MAX).map(move |byte| (length, byte))) {
            for (place, behind) in (0..length).flat_map(|place| [0, 3, 8].map(move |behind| (place, behind)))
            {
                let mut text = vec![b'Z'; length + behind];
                text[place] = byte;
                let mut expected = text.clone();
                expected[..length].make_ascii_lowercase();
                make_lower(&mut text, length);
                assert_eq!(text, expected);
            }
        }
    }
}
