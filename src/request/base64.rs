//! Base64 as some upstream or other might read it.
//!
//! In: the text. Out: the bytes by every reading: standard or URL-safe alphabet (RFC 4648 §4, §5), with or
//! without padding, foreign characters skipped (as MIME decoders do, RFC 2045 §6.8) or the end of it. Text in the
//! standard form has one reading. Never fails: what cannot be decoded has fewer bytes.

use smallvec::SmallVec;

/// Decoded bytes.
pub(super) type Decoded = SmallVec<[u8; 128]>;

/// Whether the text is in the standard form, which every upstream reads alike: RFC 4648 §4, with padding.
pub(super) fn is_standard(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = text.get(..text.len() - padding).unwrap_or_default();
    padding <= 2
        && text.len().is_multiple_of(4)
        && digits.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// Every reading of a text.
pub(super) fn readings(text: &[u8]) -> SmallVec<[Decoded; 1]> {
    let mut found = SmallVec::new();
    let first_word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    for text in [text, first_word] {
        add(&mut found, decode(text, true, true));
        if !is_standard(text) {
            add(&mut found, decode(text, false, true));
            add(&mut found, decode(text, true, false));
            add(&mut found, decode(text, false, false));
        }
    }
    found
}

/// The payload of a JWT (RFC 7515 §3.1): URL-safe, tolerant of the other alphabet and of padding.
pub(super) fn decode_url(text: &[u8]) -> Decoded {
    decode(text, true, true)
}

fn add(found: &mut SmallVec<[Decoded; 1]>, decoded: Decoded) {
    if !found.contains(&decoded) {
        found.push(decoded);
    }
}

/// `url_safe`: whether `-` and `_` are digits; `padded`: whether `=` ends the text.
fn decode(text: &[u8], url_safe: bool, padded: bool) -> Decoded {
    let mut out = Decoded::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.iter().take_while(|byte| !padded || **byte != b'=') {
        let Some(digit) = digit(*byte, url_safe) else { continue };
        bits = (bits << 6 | u32::from(digit)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    out
}

fn digit(byte: u8, url_safe: bool) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        b'-' if url_safe => 62,
        b'_' if url_safe => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine;
    use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    #[test]
    fn odd_forms_have_several_readings() {
        let of = |text: &str| readings(text.as_bytes()).into_iter().map(|d| d.to_vec()).collect::<Vec<_>>();
        assert_eq!(of("YTpi"), [b"a:b"]);
        assert!(of("YT pi").contains(&b"a:b".to_vec()));
        assert!(of("YTpi trailing").contains(&b"a:b".to_vec()));
        assert!(of("YT-pi").contains(&b"a:b".to_vec()));
        assert!(of("YQ==OmI=").contains(&b"a".to_vec()));
        assert!(!is_standard(b"YTp") && !is_standard(b"YT-_") && !is_standard(b"===="));
    }

    proptest! {
        #[test]
        fn reads_what_the_crate_writes(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let standard = STANDARD.encode(&bytes);
            prop_assert!(is_standard(standard.as_bytes()));
            prop_assert_eq!(readings(standard.as_bytes()).len(), 1);
            for text in [standard, STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                prop_assert!(readings(text.as_bytes()).iter().any(|decoded| decoded.as_slice() == bytes.as_slice()));
                prop_assert_eq!(decode_url(text.as_bytes()).to_vec(), bytes.clone());
            }
        }
    }
}
