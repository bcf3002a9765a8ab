//! Whole lines of fields that nothing can be said against: the short way for what nearly every head is made of.
//!
//! Bytes behind a line in, the lengths of the next one out, if it is there as a whole and plain: a token, a colon, a value
//! without control bytes, CRLF (RFC 9110 §5.1, §5.5). Whatever it leaves, the readers of either side take their own way;
//! property tests hold the two ways to one outcome.

/// A line, by its lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlainLine {
    /// Bytes of its name.
    pub name: usize,
    /// Bytes of all of it but its CRLF.
    pub line: usize,
}

/// The line of a field at the front that is there as a whole.
pub fn plain_line(run: &[u8]) -> Option<PlainLine> {
    let name = run.iter().position(|&byte| lower_token(byte) == 0).filter(|&name| name > 0)?;
    let value = run.get(name..)?.strip_prefix(b":")?;
    let end = memchr::memchr(b'\r', value)?;
    let plain = value.get(end + 1) == Some(&b'\n') && !has_control(value.get(..end)?);
    plain.then_some(PlainLine { name, line: name + 1 + end })
}

/// What must not stand in a value (RFC 9110 §5.5).
pub fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

/// Whether any byte of a value must not stand there.
pub fn has_control(value: &[u8]) -> bool {
    // Without a way out of the loop it looks at many bytes at once.
    value.iter().fold(false, |found, &byte| found | is_control(byte))
}

/// The byte of a token (RFC 9110 §5.6.2) in lower case, or 0.
pub fn lower_token(byte: u8) -> u8 {
    const TABLE: [u8; 256] = token_table();
    TABLE.get(usize::from(byte)).copied().unwrap_or(0)
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, below 256"
)]
const fn token_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric()
            || matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.')
            || matches!(b, b'^' | b'_' | b'`' | b'|' | b'~')
        {
            table[byte] = b.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
}
