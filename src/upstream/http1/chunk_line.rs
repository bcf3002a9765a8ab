//! The line in front of a chunk: bytes in → its length and the size that it tells, or that it is none.
//!
//! RFC 9112 §7.1: hexadecimal digits, perhaps blanks and extensions behind them, CRLF. Extensions are passed over. A line
//! without a digit is none, and no control byte stands in one: whoever reads on behind a bare LF sees another body.
//! `httparse::parse_chunk_size` takes both.

use super::super::error::BreakOff;

/// The longest line.
const LONGEST: usize = 4 * 1024;
/// Digits of the largest size that a `u64` holds.
const DIGITS: usize = 16;

/// The line at the front of what was read: its bytes and the size. `None`: it is not whole.
///
/// # Errors
/// What is there is no such line, or too long for one.
pub(super) fn take(read: &[u8]) -> Result<Option<(usize, u64)>, BreakOff> {
    let digits = read.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let blanks = read.iter().skip(digits).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let behind = read.get(digits + blanks..).unwrap_or_default();
    let extension = match behind.first() {
        Some(b';') => behind.iter().position(is_control).unwrap_or(behind.len()),
        _ => 0,
    };
    let line = digits + blanks + extension;
    let is_number = (1..=DIGITS).contains(&digits);
    match behind.get(extension..) {
        Some([b'\r', b'\n', ..]) if is_number && line + 2 <= LONGEST => {
            Ok(Some((line + 2, size(read.get(..digits).unwrap_or_default()))))
        }
        Some([] | [b'\r']) if (is_number || read.is_empty()) && read.len() < LONGEST => Ok(None),
        _ => Err(BreakOff::NotHttp("chunk size")),
    }
}

fn is_control(byte: &u8) -> bool {
    byte.is_ascii_control() && *byte != b'\t'
}

fn size(digits: &[u8]) -> u64 {
    let digits = digits.iter().filter_map(|&digit| char::from(digit).to_digit(16));
    digits.fold(0, |size, digit| size << 4 | u64::from(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let longest = format!("1;{}\r\n", "e".repeat(LONGEST - 4));
        let too_long = format!("1;{}\r\n", "e".repeat(LONGEST - 3));
        type Taken = Option<Option<(usize, u64)>>;
        let cases: [(&str, Taken); 24] = [
            ("0\r\n", Some(Some((3, 0)))),
            ("1a\r\nab", Some(Some((4, 26)))),
            ("00Ff\r\n", Some(Some((6, 255)))),
            ("ffffffffffffffff\r\n", Some(Some((18, u64::MAX)))),
            ("5 \t\r\n", Some(Some((5, 5)))),
            ("5;a=\"b;\u{e9}\"\t;c\r\n", Some(Some((15, 5)))),
            ("5 ;a\r\n", Some(Some((6, 5)))),
            (&longest, Some(Some((LONGEST, 1)))),
            ("", Some(None)),
            ("5", Some(None)),
            ("5\r", Some(None)),
            ("5 ;a=", Some(None)),
            ("\r\n", None),
            ("\r", None),
            (";a\r\n", None),
            (" \r\n", None),
            (" 5\r\n", None),
            ("0x5\r\n", None),
            ("+5\r\n", None),
            ("5\n", None),
            ("5\r\r\n", None),
            ("5;a\nb\r\n", None),
            ("10000000000000000\r\n", None),
            (&too_long, None),
        ];
        for (line, expected) in cases {
            assert_eq!(take(line.as_bytes()).ok(), expected, "{line:?}");
        }
        assert_eq!(take(&[b'1'; LONGEST]).ok(), None);
    }
}
