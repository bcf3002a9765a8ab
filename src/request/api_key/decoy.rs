//! A random key of the shape of another.
//!
//! In: a key. Out: as many bytes: digits for digits, upper case for upper case, lower case for lower case, all
//! else as it was. A key whose letters are all hexadecimal stays so, and a UUID keeps its version and variant
//! (RFC 9562 §4), so that an upstream that parses before it compares gets as far as with the real one.

use super::DecoyError;
use smallvec::SmallVec;

/// Makes a decoy that differs from the key.
pub(super) fn of(key: &[u8]) -> Result<Vec<u8>, DecoyError> {
    let hex = key.iter().all(|byte| byte.is_ascii_hexdigit() || !byte.is_ascii_alphanumeric());
    let is_uuid = uuid::Uuid::try_parse_ascii(key).is_ok();
    for _ in 0..8 {
        let mut noise: SmallVec<[u8; 256]> = smallvec::smallvec![0; key.len() * 2];
        getrandom::fill(&mut noise).map_err(|_| DecoyError)?;
        let mut places = 0_usize..;
        let decoy: Vec<u8> = key
            .iter()
            .zip(noise.chunks_exact(2))
            .map(|(byte, noise)| {
                let nibble = places.next().unwrap_or_default();
                let fixed = is_uuid && key.len() == 36 && matches!(nibble, 14 | 19);
                if fixed { *byte } else { exchange(*byte, hex, noise) }
            })
            .collect();
        if decoy != key {
            return Ok(decoy);
        }
    }
    Err(DecoyError)
}

/// Two bytes of noise for each character: too little bias to tell a decoy by.
fn exchange(byte: u8, hex: bool, noise: &[u8]) -> u8 {
    let (first, size) = match byte {
        b'0'..=b'9' => (b'0', 10),
        b'a'..=b'z' => (b'a', if hex { 6 } else { 26 }),
        b'A'..=b'Z' => (b'A', if hex { 6 } else { 26 }),
        other => return other,
    };
    let noise = noise.iter().fold(0_u16, |sum, byte| sum << 8 | u16::from(*byte));
    first + u8::try_from(noise % size).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => b'0',
            b'a'..=b'z' => b'a',
            b'A'..=b'Z' => b'A',
            other => other,
        }
    }

    proptest! {
        #[test]
        fn same_shape(key in "[a-zA-Z0-9_.~-]{6,60}[0-9a-z]{4}") {
            let decoy = of(key.as_bytes()).unwrap();
            prop_assert_ne!(&decoy[..], key.as_bytes());
            let shape = |key: &[u8]| key.iter().map(|byte| kind(*byte)).collect::<Vec<_>>();
            prop_assert_eq!(shape(&decoy), shape(key.as_bytes()));
        }

        #[test]
        fn hex_stays_hex(key in "[0-9a-f]{8}-[0-9A-F]{8}") {
            let decoy = of(key.as_bytes()).unwrap();
            prop_assert!(decoy.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-'));
        }
    }

    #[test]
    fn uuids_keep_version_and_variant() {
        for _ in 0..50 {
            let decoy = of(b"d7d09513-a3f5-401c-9685-34ab6c552453").unwrap();
            assert_eq!((decoy[14], decoy[19]), (b'4', b'9'));
        }
    }

    #[test]
    fn what_cannot_be_exchanged_is_an_error() {
        assert_eq!(of(b"---"), Err(DecoyError));
        assert_eq!(of(b""), Err(DecoyError));
    }
}
