//! The lines of fields: names, values, and where they stand.
//!
//! Part of the [`Scanner`]: rules 4, 8 and 9 of its module.

use super::names::forbidden_in_trailers;
use super::{Field, Scanner, State, Step, malformed};
use crate::http1::{PlainField, lower_token, plain_field, text_length, token_length};
use crate::request::RequestError;
use crate::request::fields::Place;

/// Bytes of the names of fields that frame; none of those goes the short way.
const FRAMING: [usize; 2] = [b"content-length".len(), b"transfer-encoding".len()];

impl Scanner {
    /// Takes the whole lines in front of which nothing can be said but that they are fields, and what begins the end of
    /// the head behind them, so many bytes of them: the short way for what nearly every head is made of. Everything else
    /// goes field by field.
    pub(super) fn plain_fields(&mut self, run: &[u8]) -> usize {
        let mut taken = 0;
        while self.fields < self.limits.fields
            && !self.in_trailers
            && let Some(PlainField { name, line }) = run.get(taken..).and_then(plain_field)
            && !FRAMING.contains(&name)
        {
            let start = self.bytes + taken;
            self.places.push(Place::of_line(start, start + name, start + line));
            self.fields += 1;
            taken += line + 2;
        }
        if run.get(taken) == Some(&b'\r') {
            self.state = State::LastLf;
            taken += 1;
        }
        taken
    }

    pub(super) fn field_start(&mut self, run: &[u8]) -> Step {
        match run.first() {
            Some(b'\n') => return Err(malformed("bare LF")),
            Some(b' ' | b'\t') => return Err(malformed("folded or indented header line")),
            Some(b':') => return Err(malformed("empty header name")),
            _ => {}
        }
        self.fields += 1;
        if self.fields > self.limits.fields {
            return Err(RequestError::HeadTooLarge);
        }
        self.name_bytes = 0;
        self.line = self.bytes;
        self.state = State::Name;
        self.name(run)
    }

    pub(super) fn name(&mut self, run: &[u8]) -> Step {
        let at = token_length(run);
        let part = run.get(..at).unwrap_or_default();
        self.colon = self.bytes + at;
        match run.get(at) {
            // A name of the usual kind, in one piece, need not be remembered to be known.
            Some(b':') if self.name_bytes == 0 && !self.in_trailers => self.begin_value(part)?,
            end => {
                part.iter().for_each(|&byte| self.remember(lower_token(byte)));
                match end {
                    None => return Ok(at),
                    Some(b':') => self.begin_remembered()?,
                    Some(b' ' | b'\t') => return Err(malformed("blank in or behind a header name")),
                    Some(_) => return Err(malformed("header name")),
                }
            }
        }
        Ok(at + 1)
    }

    fn begin_remembered(&mut self) -> Result<(), RequestError> {
        let name = self.name;
        let name = name.get(..self.name_bytes).unwrap_or_default();
        if self.in_trailers && forbidden_in_trailers(name) {
            return Err(malformed("field that is not allowed in trailers"));
        }
        self.begin_value(name)
    }

    fn begin_value(&mut self, name: &[u8]) -> Result<(), RequestError> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        self.state = State::Value;
        self.seen = 0;
        self.number = 0;
        self.value_ended = false;
        self.field = match name.len() {
            14 if is(b"content-length") => Field::Length,
            17 if is(b"transfer-encoding") => Field::Coding,
            _ => Field::Other,
        };
        match self.field {
            Field::Length if self.length.is_some() => Err(malformed("content-length twice")),
            Field::Coding if self.chunked => Err(malformed("transfer-encoding twice")),
            Field::Coding if self.old_version => Err(malformed("transfer-encoding in HTTP/1.0")),
            Field::Length | Field::Coding | Field::Other => Ok(()),
        }
    }

    /// The value under way ends so many bytes on.
    pub(super) fn end_value(&mut self, further: usize) {
        if !self.in_trailers {
            self.places.push(Place::of_line(self.line, self.colon, self.bytes + further));
        }
    }

    pub(super) fn value(&mut self, run: &[u8]) -> Step {
        let at = text_length(run);
        match run.get(at..) {
            Some([b'\r', b'\n', ..]) => {
                self.end_value(at);
                self.state = State::FieldStart;
                Ok(at + 2)
            }
            Some([b'\r', ..]) => {
                self.end_value(at);
                self.state = State::FieldLf;
                Ok(at + 1)
            }
            Some([b'\n', ..]) => Err(malformed("bare LF")),
            Some([_, ..]) => Err(malformed("control byte in a header value")),
            Some([]) | None => Ok(run.len()),
        }
    }
}
