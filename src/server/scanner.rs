//! The strict HTTP/1 scanner: finds where heads and bodies end in the raw bytes of a connection, and refuses whatever
//! two parsers could read in two ways.
//!
//! Bytes in, in pieces of any size → where heads end, which bytes of a body are data, and what is refused.
//! It is a byte-driven machine without I/O, clock or allocation, so the outcome cannot depend on how the bytes were
//! split; and it keeps no bytes: whoever feeds it keeps a partial head.
//!
//! Rules (RFC 9112 unless said otherwise), each stricter than or equal to those of the parser that reads the head
//! afterwards:
//! 1. Lines end in CRLF; a bare CR or LF anywhere in a head, chunk line or trailer is refused (§2.2).
//! 2. At most one empty line before a request line (§2.2).
//! 3. `method SP target SP HTTP/1.x`, one SP each (§3); method a token of at most 32 bytes; target as [`target`] has it
//!    (§3.2); version 1.0 or 1.1.
//! 4. Field names are tokens directly followed by a colon; no folding (§5.1, §5.2); values without control bytes but HTAB.
//! 5. `Content-Length`: once, decimal digits alone, no leading zero, at most 18 of them (§6.2, RFC 9110 §8.6).
//! 6. `Transfer-Encoding`: once, exactly `chunked`, never beside `Content-Length`, never in HTTP/1.0 (§6.1).
//! 7. Chunk sizes: 1 to 8 hexadecimal digits directly followed by CRLF. Extensions (§7.1.1) are refused: nobody needs
//!    them, and they have carried smuggling time and again.
//! 8. Trailers must not carry what frames, routes or authenticates (RFC 9110 §6.5.1).
//! 9. Limits: bytes of head and of trailers, fields, bytes of target.
//!
//! It looks no further than the message under way: what follows may be of another protocol. What a target or a field
//! means is not judged here but in `request`.

use crate::config::Limits;
use crate::http1::lower_token;
use crate::request::fields::{Place, USUAL_FIELDS};
use crate::request::{self, RequestError};

mod fields;
mod framing;
mod names;
mod target;

#[cfg(test)]
mod tests;

pub(super) use names::is_lower_token;
pub(super) use target::check_path;

use target::Target;

/// Bytes of a method.
pub(super) const METHOD_BYTES: usize = 32;
/// Bytes of a name that are remembered; trailers with longer names are refused.
const NAME_BYTES: usize = 48;

/// What became of the bytes of a head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Head {
    /// All were taken, and more are needed.
    Partial,
    /// It ends behind so many of them. The others were not looked at.
    Whole(usize),
}

/// What the next bytes of a body are, so many of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Data.
    Data(usize),
    /// What frames chunks.
    Framing(usize),
    /// Trailers, the empty line behind them included.
    Trailers(usize),
}

/// How a body is framed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// Where in the stream a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Between messages.
    Between,
    /// Within a head.
    Head,
    /// Within a body, its framing and trailers included.
    Body,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Scanner {
    limits: Limits,
    state: State,
    /// Bytes of the head or the trailers so far.
    bytes: usize,
    fields: usize,
    /// Where the fields of the head stand, from its first line on.
    places: Vec<Place>,
    /// Where the line of the field under way begins, and where its colon is.
    line: usize,
    colon: usize,
    target: Target,
    in_trailers: bool,
    old_version: bool,
    chunked: bool,
    length: Option<u64>,
    /// The method or the field's name in lower case, whichever was read last.
    name: [u8; NAME_BYTES],
    name_bytes: usize,
    field: Field,
    /// Digits of a length or a chunk size, or letters of a coding, so far.
    seen: u8,
    number: u64,
    value_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Start {
        blank_line: bool,
    },
    StartLf,
    Method,
    Target,
    Version(u8),
    LineLf,
    FieldStart,
    Name,
    Value,
    FieldLf,
    LastLf,
    Sized(u64),
    ChunkSize,
    ChunkSizeLf,
    Chunk(u64),
    ChunkCr,
    ChunkLf,
    Refused(RequestError),
    /// As `Refused`, in a body.
    Broken(RequestError),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Other,
    Length,
    Coding,
}

type Step = Result<usize, RequestError>;

const fn malformed(what: &'static str) -> RequestError {
    RequestError::Malformed(what)
}

impl Scanner {
    /// At the beginning of a connection.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Start { blank_line: false },
            bytes: 0,
            fields: 0,
            places: Vec::new(),
            line: 0,
            colon: 0,
            target: Target::default(),
            in_trailers: false,
            old_version: false,
            chunked: false,
            length: None,
            name: [0; NAME_BYTES],
            name_bytes: 0,
            field: Field::Other,
            seen: 0,
            number: 0,
            value_ended: false,
        }
    }

    /// Where the stream stands.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Start { .. } => Phase::Between,
            State::Sized(_) | State::Chunk(_) | State::Broken(_) => Phase::Body,
            State::ChunkSize | State::ChunkSizeLf | State::ChunkCr | State::ChunkLf => Phase::Body,
            _ if self.in_trailers => Phase::Body,
            _ => Phase::Head,
        }
    }

    /// How the body under way is framed; `None`: there is none, or no more of it.
    pub fn framing(&self) -> Option<Framing> {
        match (self.phase(), self.state) {
            (Phase::Body, State::Sized(left)) => Some(Framing::Length(left)),
            (Phase::Body, _) => Some(Framing::Chunked),
            (Phase::Between | Phase::Head, _) => None,
        }
    }

    /// Where the fields of the last head stand, from its first line on; to be asked for once.
    pub fn take_places(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.places)
    }

    /// Looks at the next bytes of a head, or of what comes before one. Linear in their number.
    ///
    /// # Errors
    /// The head is refused, now and for ever.
    pub fn head(&mut self, input: &[u8]) -> Result<Head, RequestError> {
        let mut rest = input;
        while !rest.is_empty() {
            let ends = matches!(self.state, State::LastLf);
            let taken = self.step(rest)?;
            rest = rest.get(taken..).unwrap_or_default();
            if ends {
                return Ok(Head::Whole(input.len() - rest.len()));
            }
        }
        Ok(Head::Partial)
    }

    /// Says what the next bytes of a body are, as far as they are of one kind; there must be at least one. Linear in
    /// their number.
    ///
    /// # Errors
    /// The body's framing is refused, now and for ever.
    pub fn body(&mut self, input: &[u8]) -> Result<Piece, RequestError> {
        if let State::Sized(_) | State::Chunk(_) = self.state {
            return self.step(input).map(Piece::Data);
        }
        let (in_trailers, mut taken) = (self.in_trailers, 0);
        while let Some(rest) = input.get(taken..).filter(|rest| !rest.is_empty()) {
            if self.in_trailers != in_trailers || matches!(self.state, State::Chunk(_)) {
                break;
            }
            match self.step(rest) {
                Ok(more) => taken += more,
                // What was fine is told first.
                Err(_) if taken > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(if in_trailers { Piece::Trailers(taken) } else { Piece::Framing(taken) })
    }

    /// Takes at least one byte, unless there is none.
    fn step(&mut self, rest: &[u8]) -> Step {
        self.take_step(rest).inspect_err(|error| {
            let refused = if self.phase() == Phase::Body { State::Broken } else { State::Refused };
            self.state = refused(*error);
        })
    }

    fn take_step(&mut self, rest: &[u8]) -> Step {
        let Some(&byte) = rest.first() else { return Ok(0) };
        match self.state {
            State::Sized(left) => return Ok(self.sized(rest, left)),
            State::Chunk(left) => return Ok(self.chunk(rest, left)),
            State::ChunkSize | State::ChunkSizeLf | State::ChunkCr | State::ChunkLf => {
                return self.chunk_line(byte);
            }
            _ => {}
        }
        let allowed = self.limits.head.saturating_sub(self.bytes);
        if allowed == 0 {
            return Err(if self.state == State::Target {
                RequestError::TargetTooLong
            } else {
                RequestError::HeadTooLarge
            });
        }
        let run = rest.get(..allowed).unwrap_or(rest);
        let taken = match self.state {
            State::Start { blank_line } => self.start(run, blank_line)?,
            State::StartLf => self.line_end(byte, State::Start { blank_line: true })?,
            State::Method => self.method(run)?,
            State::Target => self.target(run)?,
            State::Version(at) => self.version(byte, at)?,
            State::LineLf => self.line_end(byte, State::FieldStart)?,
            State::FieldStart => match self.plain_fields(run) {
                0 => self.field_start(run)?,
                taken => taken,
            },
            State::Name => self.name(run)?,
            State::Value if self.field == Field::Other => self.value(run)?,
            State::Value => self.framing_value(byte)?,
            State::FieldLf => self.field_end(byte)?,
            State::LastLf => return self.head_end(byte),
            State::Refused(error) | State::Broken(error) => return Err(error),
            State::Sized(_) | State::Chunk(_) => 0,
            State::ChunkSize | State::ChunkSizeLf | State::ChunkCr | State::ChunkLf => 0,
        };
        self.bytes = self.bytes.saturating_add(taken);
        if let State::Start { .. } = self.state {
            self.bytes = 0;
        }
        Ok(taken)
    }

    fn line_end(&mut self, byte: u8, next: State) -> Step {
        if byte != b'\n' {
            return Err(malformed("bare CR"));
        }
        self.state = next;
        Ok(1)
    }

    fn remember(&mut self, byte: u8) {
        if let Some(slot) = self.name.get_mut(self.name_bytes) {
            *slot = byte;
        }
        self.name_bytes = self.name_bytes.saturating_add(1);
    }

    /// What was remembered; empty if it was longer than can be remembered.
    fn remembered(&self) -> &[u8] {
        self.name.get(..self.name_bytes).unwrap_or_default()
    }

    fn start(&mut self, run: &[u8], blank_line: bool) -> Step {
        match run.first() {
            Some(b'\r') if !blank_line => {
                self.state = State::StartLf;
                return Ok(1);
            }
            Some(b'\r') => return Err(malformed("more than one empty line before the request line")),
            Some(b'\n') => return Err(malformed("bare LF")),
            _ => {}
        }
        self.begin_head();
        self.method(run)
    }

    fn begin_head(&mut self) {
        self.state = State::Method;
        self.fields = 0;
        self.places = Vec::with_capacity(USUAL_FIELDS);
        self.name_bytes = 0;
        self.in_trailers = false;
        self.chunked = false;
        self.length = None;
    }

    fn method(&mut self, run: &[u8]) -> Step {
        for (at, &byte) in run.iter().enumerate() {
            if lower_token(byte) != 0 && self.name_bytes < METHOD_BYTES {
                self.remember(byte);
            } else if byte == b' ' && self.name_bytes > 0 {
                self.target = Target::of(self.remembered());
                self.name_bytes = 0;
                self.state = State::Target;
                return Ok(at + 1);
            } else {
                return Err(malformed("method"));
            }
        }
        Ok(run.len())
    }

    fn target(&mut self, run: &[u8]) -> Step {
        let limit = self.limits.target.min(request::Target::MOST_BYTES);
        let mut at = 0;
        while let Some(&byte) = run.get(at) {
            if byte == b' ' && self.target.bytes() > 0 {
                self.target.end().map_err(malformed)?;
                return Ok(at + 1 + self.plain_version(run.get(at + 1..).unwrap_or_default()));
            }
            if self.target.bytes() >= limit {
                return Err(RequestError::TargetTooLong);
            }
            let room = limit - self.target.bytes();
            let plain = run.get(at..).map_or(0, |rest| self.target.plain(rest.get(..room).unwrap_or(rest)));
            if plain == 0 {
                self.target.step(byte).map_err(malformed)?;
            }
            at += plain.max(1);
        }
        Ok(run.len())
    }

    /// Takes the version as nearly every client sends it, if it is there as a whole, so many bytes of it.
    fn plain_version(&mut self, run: &[u8]) -> usize {
        let plain = b"HTTP/1.1\r\n";
        let is_plain = run.starts_with(plain);
        self.old_version = false;
        self.state = if is_plain { State::FieldStart } else { State::Version(0) };
        if is_plain { plain.len() } else { 0 }
    }

    fn version(&mut self, byte: u8, at: u8) -> Step {
        let expected = b"HTTP/1.".get(usize::from(at));
        self.state = match (expected, byte) {
            (Some(&expected), byte) if expected == byte => State::Version(at + 1),
            (None, b'0' | b'1') if at == 7 => {
                self.old_version = byte == b'0';
                State::Version(8)
            }
            (None, b'\r') if at == 8 => State::LineLf,
            _ => return Err(malformed("version")),
        };
        Ok(1)
    }
}
