//! Whole lines of fields that frame nothing: the short way for what nearly every head is made of.
//!
//! Bytes behind a line in, the lengths of the next one out, if it is there as a whole and nothing can be said against it.
//! Whatever it leaves, the machine takes byte by byte; a property test holds the two to one outcome.

use super::names::lower_token;

/// A line, by its lengths.
pub(super) struct PlainField {
    /// Bytes of its name.
    pub(super) name: usize,
    /// Bytes of all of it but its CRLF.
    pub(super) line: usize,
}

/// The line of a field at the front that is there as a whole and does not frame.
pub(super) fn plain_field(run: &[u8]) -> Option<PlainField> {
    let name = run.iter().position(|&byte| lower_token(byte) == 0).filter(|&name| name > 0)?;
    let framing = [b"content-length".len(), b"transfer-encoding".len()];
    let value = run.get(name..)?.strip_prefix(b":").filter(|_| !framing.contains(&name))?;
    let end = memchr::memchr(b'\r', value)?;
    let plain = value.get(end + 1) == Some(&b'\n') && !has_control(value.get(..end)?);
    plain.then_some(PlainField { name, line: name + 1 + end })
}

/// What must not stand in a value (RFC 9110 §5.5).
pub(super) fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

/// Whether any byte of a value must not stand there.
pub(in crate::server) fn has_control(value: &[u8]) -> bool {
    // Without a way out of the loop it looks at many bytes at once.
    value.iter().fold(false, |found, &byte| found | is_control(byte))
}
