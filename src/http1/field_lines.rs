//! The fields of a message as they stand on the wire: written when they are read, copied when they are sent.
//!
//! A response's fields go from an HTTP/1 upstream to an HTTP/1 client without a `HeaderMap` between, which would cost more
//! than all the rest of passing a response on. They travel with the response's body; whoever needs names and values unfolds
//! them.

use super::{decimal, make_lower, put_field};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;

/// Lines `name: value`, with names in lower case, in the order in which they were put; but those of one name stand
/// together, as in a `HeaderMap`, so that nobody can tell the one from the other.
#[derive(Default)]
pub struct FieldLines {
    text: Vec<u8>,
    /// A bit for each kind of name that was put. A name whose bit is missing is new.
    seen: u64,
    /// What `Content-Length` says, if it says a number.
    pub length: Option<u64>,
    /// Whether there is a `Date`.
    pub is_dated: bool,
}

/// A field as it was read: its name in any case, a token, and its value without the blanks around it, which holds no CR
/// and no LF.
#[derive(Clone, Copy)]
pub struct FieldLine<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// What it was read from, if that is name, `: `, value and CRLF.
    pub text: Option<&'a [u8]>,
}

impl FieldLine<'_> {
    /// Writes it, as it was read if that can be.
    pub fn write(&self, head: &mut Vec<u8>) {
        match self.text {
            Some(text) => head.extend_from_slice(text),
            None => put_field(head, self.name, self.value),
        }
    }
}

/// Fields may carry secrets.
impl fmt::Debug for FieldLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldLine").field("len", &self.value.len()).finish_non_exhaustive()
    }
}

/// A body that may bring the fields of its message as lines, which stand before those of the message itself.
pub trait Lined {
    /// The lines, once.
    fn take_lines(&mut self) -> Option<FieldLines> {
        None
    }
}

impl Lined for http_body_util::Full<Bytes> {}

/// Fields may carry secrets.
impl fmt::Debug for FieldLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldLines").field("length", &self.length).finish_non_exhaustive()
    }
}

impl FieldLines {
    /// None yet, and room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Adds a field if `keeps` wants it, which sees its name in lower case.
    ///
    /// # Errors
    /// Those of `keeps`.
    pub fn put<E>(
        &mut self,
        field: FieldLine<'_>,
        keeps: impl FnOnce(&[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let begin = self.text.len();
        field.write(&mut self.text);
        let name = self.text.get_mut(begin..begin + field.name.len()).unwrap_or_default();
        make_lower(name);
        let bit = 1 << ((name.len() ^ usize::from(name.first().copied().unwrap_or_default())) % 64);
        if !keeps(name)? {
            self.text.truncate(begin);
            return Ok(());
        }
        if name == b"content-length" {
            self.length = decimal(field.value);
        } else if name == b"date" {
            self.is_dated = true;
        }
        if self.seen & bit != 0 {
            self.group(begin);
        }
        self.seen |= bit;
        Ok(())
    }

    /// Moves the line that begins there, the last, behind the others of its name, if there are any.
    fn group(&mut self, begin: usize) {
        let Some((before, line)) = self.text.split_at_checked(begin) else { return };
        let name = line.split_inclusive(|&sign| sign == b':').next().unwrap_or_default();
        let (mut end, mut behind) = (0, None);
        for other in before.split_inclusive(|&sign| sign == b'\n') {
            end += other.len();
            if other.starts_with(name) {
                behind = Some(end);
            }
        }
        let length = line.len();
        if let Some(rest) = behind.and_then(|behind| self.text.get_mut(behind..)) {
            rest.rotate_right(length);
        }
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &*self.text;
        std::iter::from_fn(move || {
            let (name, behind) = rest.split_at_checked(memchr::memchr(b':', rest)?)?;
            let (value, behind) = behind.split_at_checked(memchr::memchr(b'\n', behind)? + 1)?;
            rest = behind;
            Some((name, value.strip_prefix(b": ")?.strip_suffix(b"\r\n")?))
        })
    }

    /// The lines.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Adds them to fields. Those that are none in `http`'s eyes are left out.
    pub fn unfold(&self, fields: &mut HeaderMap) {
        for (name, value) in self.iter() {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                fields.append(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn lines(fields: &[(&str, &str)]) -> FieldLines {
        let mut lines = FieldLines::default();
        for (name, value) in fields {
            let keeps = |name: &[u8]| Ok::<_, Infallible>(name != b"dropped");
            let field = FieldLine { name: name.as_bytes(), value: value.as_bytes(), text: None };
            lines.put(field, keeps).unwrap();
        }
        lines
    }

    #[test]
    fn what_is_kept_is_written_and_noted() {
        let lines = lines(&[
            ("DATE", "now"),
            ("Dropped", "x"),
            ("Content-Length", "12"),
            ("a", ""),
            ("dropped", "y"),
        ]);
        assert_eq!(lines.as_bytes(), b"date: now\r\ncontent-length: 12\r\na: \r\n");
        assert_eq!((lines.length, lines.is_dated), (Some(12), true));
    }

    #[test]
    fn lines_of_one_name_stand_together() {
        let fields = [("a", "1"), ("b", "1"), ("a", "2"), ("c", ""), ("B", "2"), ("b", "3"), ("ab", "")];
        assert_eq!(lines(&fields).as_bytes(), b"a: 1\r\na: 2\r\nb: 1\r\nb: 2\r\nb: 3\r\nc: \r\nab: \r\n");
    }

    proptest! {
        #[test]
        fn unfolded_they_are_the_fields_that_were_put(
            fields in prop::collection::vec(("[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,9}|[a-cA-C]", "([!-~]([ \t!-~]{0,9}[!-~])?)?"), 0..9)
        ) {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let (mut unfolded, mut expected) = (HeaderMap::new(), HeaderMap::new());
            for (name, value) in fields.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("dropped")) {
                expected.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            }
            let lines = lines(&fields);
            let text: Vec<u8> = expected
                .iter()
                .flat_map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())
                .collect();
            prop_assert_eq!(lines.as_bytes(), text);
            lines.unfold(&mut unfolded);
            prop_assert_eq!(unfolded, expected);
        }
    }
}
