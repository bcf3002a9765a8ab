//! `traceparent` (W3C Trace Context, level 1): which trace a request belongs to.
//!
//! The field in, a [`TraceParent`] or nothing out: what is not to the letter is as if it were not there (§4.3). It is
//! passed on as it came whatever becomes of it here; nothing is decided by it.

use std::fmt;

/// The place of a request in a trace. Never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceParent {
    /// The trace.
    pub trace_id: TraceId,
    /// The span that the request comes from.
    pub span_id: u64,
    /// Whether the caller records it.
    pub sampled: bool,
}

/// The id of a trace; shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceId(pub u128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl TraceParent {
    /// The field that says so.
    pub const FIELD: &str = "traceparent";

    /// What the values of the field in a request say; a repeated field says nothing.
    pub fn of<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let value = values.next().filter(|_| values.next().is_none())?;
        Self::parse(std::str::from_utf8(value).ok()?)
    }

    /// §3.2: `00-<trace>-<parent>-<flags>`; of later versions the same four are read, whatever comes behind.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32).filter(|id| *id != 0)?;
        let span_id = hex(parts.next()?, 16).filter(|id| *id != 0)?;
        let flags = hex(parts.next()?, 2)?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let span_id = u64::try_from(span_id).ok()?;
        Some(Self { trace_id: TraceId(trace_id), span_id, sampled: flags & 1 == 1 })
    }
}

/// So many digits, in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let fine = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(text, 16).ok().filter(|_| fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_the_letter_is_read() {
        let read = TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01").unwrap();
        assert_eq!(read.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((read.span_id, read.sampled), (0x00f0_67aa_0ba9_02b7, true));
        let later = TraceParent::parse("cc-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00-what-ever");
        assert_eq!(later, Some(TraceParent { sampled: false, ..read }));
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-x",
            "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0AF7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-+af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            " 00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_repeated_field_says_nothing() {
        let value = b"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01".as_slice();
        assert!(TraceParent::of([value].into_iter()).is_some());
        assert_eq!(TraceParent::of([value, value].into_iter()), None);
        assert_eq!(TraceParent::of(std::iter::empty()), None);
    }
}
