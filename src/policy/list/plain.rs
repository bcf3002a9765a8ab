//! One address, CIDR block or range a line.
//!
//! `#` or `;` starts a comment, also behind a value; blank lines and CRLF are fine.
//!
//! A plain IPv4 line takes a short path that has no words for what is wrong; every line that it does not
//! understand goes to [`AddressRange`]'s own parser, so there is one grammar and one set of messages.

use super::{BadLine, BadLines, Sink, without_mark};
use crate::policy::acl::Place;
use crate::policy::range::{AddressRange, RangeError};
use crate::policy::range_map::Span;
use memchr::{memchr, memchr2};
use std::ops::Range;

/// Reads a list that comes in pieces of any size, so that a long one is never in memory as a whole.
#[derive(Debug)]
pub struct PlainReader<'b> {
    sink: Sink<'b>,
    bad: BadLines,
    line: u32,
    /// Bytes that were read before `unfinished`.
    offset: usize,
    /// A line whose end has not come yet.
    unfinished: Vec<u8>,
}

impl<'b> PlainReader<'b> {
    /// Before the first piece.
    pub fn new(sink: Sink<'b>) -> Self {
        Self { sink, bad: BadLines::default(), line: 0, offset: 0, unfinished: Vec::new() }
    }

    /// The next piece of a list of about `length` bytes in all.
    pub fn read(&mut self, length: usize, piece: &[u8]) {
        let mut rest = piece;
        if !self.unfinished.is_empty() {
            let (first, behind) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |end| end + 1));
            self.unfinished.extend_from_slice(first);
            rest = behind;
            if first.ends_with(b"\n") {
                let line = std::mem::take(&mut self.unfinished);
                self.lines(&line);
            }
        }
        let (whole, unfinished) = rest.split_at(memchr::memrchr(b'\n', rest).map_or(0, |end| end + 1));
        if self.line == 0 && !whole.is_empty() {
            // Lines are as long as in this piece, or a little shorter.
            let lines = memchr::memchr_iter(b'\n', whole).count();
            let lines = lines.saturating_mul(length) / whole.len();
            self.sink.builder.reserve_v4(lines + lines / 32);
        }
        self.lines(whole);
        self.unfinished.extend_from_slice(unfinished);
    }

    /// Behind the last piece: what could not be read.
    pub fn end(mut self) -> BadLines {
        let last = std::mem::take(&mut self.unfinished);
        self.lines(&last);
        self.bad
    }

    fn lines(&mut self, lines: &[u8]) {
        let mark = if self.offset == 0 { lines.len() - without_mark(lines).len() } else { 0 };
        let Sink { builder, action, file } = &mut self.sink;
        let mut rest = lines.get(mark..).unwrap_or_default();
        while !rest.is_empty() {
            self.line = self.line.saturating_add(1);
            let place = Place { file: *file, line: self.line };
            if let Some((span, behind)) = plain_line(rest) {
                builder.push_v4(span, *action, place);
                rest = behind;
                continue;
            }
            let (line, behind) = split_line(rest);
            let start = self.offset + lines.len() - rest.len();
            match read_line(line) {
                Ok(Some(range)) => builder.push(range, *action, place),
                Ok(None) => {}
                Err((value, error)) => self.bad.add(BadLine {
                    line: self.line,
                    span: start + value.start..start + value.end,
                    error: error.into(),
                }),
            }
            rest = behind;
        }
        self.offset += lines.len();
    }
}

/// Reads a list that is there.
pub(super) fn read(bytes: &[u8], sink: Sink<'_>) -> BadLines {
    let mut reader = PlainReader::new(sink);
    reader.read(bytes.len(), bytes);
    reader.end()
}

/// The bytes up to the end of the line, and those behind it.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b'\n', bytes).and_then(|end| bytes.split_at_checked(end)) {
        Some((line, behind)) => (line, behind.get(1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

/// The range of a line, if there is one; with an error goes the place of the value in the line.
fn read_line(line: &[u8]) -> Result<Option<AddressRange>, (Range<usize>, RangeError)> {
    let line = memchr2(b'#', b';', line).and_then(|comment| line.get(..comment)).unwrap_or(line);
    let value = line.trim_ascii();
    if value.is_empty() {
        return Ok(None);
    }
    let start = line.len() - line.trim_ascii_start().len();
    let parsed = match str::from_utf8(value) {
        Ok(text) => text.parse().map(Some),
        Err(_) => Err(RangeError::not_text(value)),
    };
    parsed.map_err(|error| (start..start + value.len(), error))
}

/// `a.b.c.d`, `a.b.c.d/n` or `a.b.c.d-e.f.g.h` and the end of the line or file; `None` for everything else, right
/// or wrong. Gives the addresses and what is behind the line.
fn plain_line(bytes: &[u8]) -> Option<(Span<u32>, &[u8])> {
    let (start, rest) = plain_address(bytes)?;
    let (end, rest) = match rest {
        [b'-', rest @ ..] => plain_address(rest)?,
        [b'/', rest @ ..] => {
            let (prefix, rest) = plain_number(rest, 32)?;
            let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
            ((start & hosts == 0).then_some(start | hosts)?, rest)
        }
        rest => (start, rest),
    };
    let rest = match rest {
        [] => rest,
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => rest,
        _ => return None,
    };
    (start <= end).then_some((Span { start, end }, rest))
}

fn plain_address(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (mut address, mut rest) = plain_number(bytes, 255)?;
    for _ in 1..4 {
        let [b'.', octet @ ..] = rest else { return None };
        let (octet, behind) = plain_number(octet, 255)?;
        address = address << 8 | octet;
        rest = behind;
    }
    Some((address, rest))
}

/// A number of one to three digits without a leading zero.
fn plain_number(bytes: &[u8], most: u32) -> Option<(u32, &[u8])> {
    let digit = |byte: &u8| Some(u32::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    let (first, mut rest) = bytes.split_first()?;
    let mut number = digit(first)?;
    for _ in 1..3 {
        let Some((next, behind)) = rest.split_first() else { break };
        let Some(next) = digit(next) else { break };
        if number == 0 {
            return None;
        }
        number = number * 10 + next;
        rest = behind;
    }
    (number <= most).then_some((number, rest))
}

#[cfg(test)]
mod tests;
