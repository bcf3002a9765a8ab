//! Where a body ends: the fields that frame it, its bytes, chunks and trailers.
//!
//! Part of the [`Scanner`]: rules 5 to 8 of its module.

use super::{Field, Scanner, State, Step, malformed};

/// Digits of a `Content-Length`: far below what a `u64` holds.
const LENGTH_DIGITS: u8 = 18;
/// Digits of a chunk size: 4 GiB.
const CHUNK_DIGITS: u8 = 8;

impl Scanner {
    /// The value of a field that frames the body.
    pub(super) fn framing_value(&mut self, byte: u8) -> Step {
        match (byte, self.field) {
            (b' ' | b'\t', _) => self.value_ended = self.seen > 0,
            (b'\r', _) => {
                self.end_value(0);
                self.state = State::FieldLf;
            }
            (b'\n', _) => return Err(malformed("bare LF")),
            (_, _) if self.value_ended => return Err(malformed("blank within a framing header")),
            (b'0'..=b'9', Field::Length) => {
                if self.seen >= LENGTH_DIGITS || (self.seen > 0 && self.number == 0) {
                    return Err(malformed("content-length"));
                }
                self.number = self.number * 10 + u64::from(byte - b'0');
                self.seen += 1;
            }
            (_, Field::Coding)
                if b"chunked".get(usize::from(self.seen)) == Some(&byte.to_ascii_lowercase()) =>
            {
                self.seen += 1;
            }
            (_, Field::Coding) => return Err(malformed("transfer-encoding other than chunked")),
            (_, Field::Length | Field::Other) => return Err(malformed("content-length")),
        }
        Ok(1)
    }

    pub(super) fn field_end(&mut self, byte: u8) -> Step {
        match self.field {
            Field::Length if self.seen == 0 => return Err(malformed("empty content-length")),
            Field::Length => self.length = Some(self.number),
            Field::Coding if self.seen != 7 => return Err(malformed("transfer-encoding other than chunked")),
            Field::Coding => self.chunked = true,
            Field::Other => {}
        }
        self.field = Field::Other;
        self.line_end(byte, State::FieldStart)
    }

    pub(super) fn head_end(&mut self, byte: u8) -> Step {
        if self.chunked && self.length.is_some() && !self.in_trailers {
            return Err(malformed("both content-length and transfer-encoding"));
        }
        self.line_end(byte, State::FieldStart)?;
        self.bytes = 0;
        if self.in_trailers {
            self.end_message();
            return Ok(1);
        }
        match self.length {
            _ if self.chunked => {
                self.seen = 0;
                self.number = 0;
                self.state = State::ChunkSize;
            }
            Some(length) if length > 0 => self.state = State::Sized(length),
            _ => self.end_message(),
        }
        Ok(1)
    }

    fn end_message(&mut self) {
        self.in_trailers = false;
        self.state = State::Start { blank_line: false };
    }

    /// Takes what there is of `left` bytes: how many, and how many are still to come.
    fn take(rest: &[u8], left: u64) -> (usize, u64) {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        (taken, left.saturating_sub(taken as u64))
    }

    pub(super) fn sized(&mut self, rest: &[u8], left: u64) -> usize {
        let (taken, left) = Self::take(rest, left);
        if left == 0 {
            self.end_message();
        } else {
            self.state = State::Sized(left);
        }
        taken
    }

    pub(super) fn chunk(&mut self, rest: &[u8], left: u64) -> usize {
        let (taken, left) = Self::take(rest, left);
        self.state = if left == 0 { State::ChunkCr } else { State::Chunk(left) };
        taken
    }

    pub(super) fn chunk_line(&mut self, byte: u8) -> Step {
        self.state = match (self.state, byte) {
            (State::ChunkSize, b'\r') if self.seen > 0 => State::ChunkSizeLf,
            (State::ChunkSize, b';') => return Err(malformed("chunk extension")),
            (State::ChunkSize, byte) => {
                let digit = char::from(byte).to_digit(16).filter(|_| self.seen < CHUNK_DIGITS);
                let digit = digit.ok_or(malformed("chunk size"))?;
                self.number = self.number * 16 + u64::from(digit);
                self.seen += 1;
                State::ChunkSize
            }
            (State::ChunkSizeLf, b'\n') if self.number > 0 => State::Chunk(self.number),
            (State::ChunkSizeLf, b'\n') => {
                self.in_trailers = true;
                self.fields = 0;
                State::FieldStart
            }
            (State::ChunkCr, b'\r') => State::ChunkLf,
            (State::ChunkLf, b'\n') => {
                self.seen = 0;
                self.number = 0;
                State::ChunkSize
            }
            _ => return Err(malformed("chunk end")),
        };
        Ok(1)
    }
}
