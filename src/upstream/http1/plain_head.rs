//! Heads of responses as nearly every server writes them: the short way.
//!
//! Bytes in → status and fields, if a head stands in front as a whole, of HTTP/1.1, with the reason that its status has by
//! name, and of whole lines that nothing can be said against. Whatever it leaves goes to `httparse`; a property test holds
//! the two to one outcome.

use crate::http1::{FieldLine, PlainField, plain_field};
use http::StatusCode;
use smallvec::SmallVec;

/// The fields of a head as they stand there; those of nearly every head without an allocation.
pub(super) type RawFields<'a> = SmallVec<[FieldLine<'a>; 16]>;

/// A head but for its fields.
pub(super) struct PlainHead {
    pub(super) status: StatusCode,
    /// Bytes of all of it.
    pub(super) length: usize,
}

/// The head in front of what was read; adds its fields to `fields`, which are too large to be handed back. Interim responses
/// are none. Linear.
pub(super) fn plain_head<'a>(read: &'a [u8], fields: &mut RawFields<'a>) -> Option<PlainHead> {
    let (digits, rest) = read.strip_prefix(b"HTTP/1.1 ")?.split_first_chunk::<3>()?;
    let status = StatusCode::from_bytes(digits).ok().filter(|status| !status.is_informational())?;
    let reason = status.canonical_reason()?.as_bytes();
    let mut rest = rest.strip_prefix(b" ")?.strip_prefix(reason)?.strip_prefix(b"\r\n")?;
    while let Some(PlainField { name, line }) = plain_field(rest) {
        let (text, behind) = rest.split_at_checked(line + b"\r\n".len())?;
        fields.push(field(text, name)?);
        rest = behind;
    }
    let behind = rest.strip_prefix(b"\r\n")?;
    Some(PlainHead { status, length: read.len() - behind.len() })
}

/// The field of a line with its CRLF.
fn field(text: &[u8], name: usize) -> Option<FieldLine<'_>> {
    let (name, colon_and_value) = text.strip_suffix(b"\r\n")?.split_at_checked(name)?;
    let value = colon_and_value.strip_prefix(b":")?;
    // Of what this takes off, a value that passed holds blanks and HTAB alone.
    let bare = value.trim_ascii();
    let is_usual = value.strip_prefix(b" ").is_some_and(|value| value.len() == bare.len());
    Some(FieldLine { name, value: bare, text: is_usual.then_some(text) })
}
