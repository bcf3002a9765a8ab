//! The strict HTTP/1 scanner: finds where heads and bodies end in the raw bytes of a connection, and refuses whatever
//! two parsers could read in two ways.
//!
//! Bytes in, in pieces of any size → how many of them may be handed on, and whether to go on, hold or refuse.
//! It is a byte-driven machine without I/O, clock or allocation, so the outcome cannot depend on how the bytes were
//! split; and it keeps no bytes: whoever feeds it holds a partial head back.
//!
//! Rules (RFC 9112 unless said otherwise), each stricter than or equal to hyper's:
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
//! Behind a message that asks for an upgrade nothing is looked at until [`Scanner::resume`]: what follows may be of
//! another protocol. What a target or a field means is not judged here but in `request`.

use crate::config::Limits;
use crate::request::RequestError;

mod framing;
mod names;
mod target;

#[cfg(test)]
mod tests;

use target::Target;

use names::{forbidden_in_trailers, lower_token};

/// Bytes of a method.
pub(super) const METHOD_BYTES: usize = 32;
/// Bytes of a name that are remembered; trailers with longer names are refused.
const NAME_BYTES: usize = 48;
/// Bytes of a target that `http::Uri` can hold.
const TARGET_BYTES: usize = 65_534;

/// What became of the bytes that were scanned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scan {
    /// So many bytes, with whatever was held back before them, may be handed on. 0: none, not even those held back.
    pub safe: usize,
    /// How it goes on behind them.
    pub verdict: Verdict,
}

/// How it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All bytes were scanned; those behind `safe` are the beginning of a head.
    Continue,
    /// Bytes behind `safe` were not scanned: whose they are depends on the response.
    Hold,
    /// A head is refused; nothing behind `safe` may be handed on, ever.
    Refused(RequestError),
    /// The framing of a body, whose head was handed on, is refused; nothing behind `safe` may be handed on, ever.
    Broken(RequestError),
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
    /// Behind a message that asked for an upgrade.
    Held,
    /// Behind a refusal.
    Refused,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Scanner {
    limits: Limits,
    state: State,
    heads: u64,
    /// Bytes of the head or the trailers so far.
    bytes: usize,
    fields: usize,
    target: Target,
    in_trailers: bool,
    old_version: bool,
    connect: bool,
    upgrade: bool,
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
    Start { blank_line: bool },
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
    Held,
    Refused(RequestError),
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
            heads: 0,
            bytes: 0,
            fields: 0,
            target: Target::default(),
            in_trailers: false,
            old_version: false,
            connect: false,
            upgrade: false,
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

    /// Heads that were complete and strict so far.
    pub fn heads(&self) -> u64 {
        self.heads
    }

    /// Where the stream stands.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Start { .. } => Phase::Between,
            State::Held => Phase::Held,
            State::Refused(_) | State::Broken(_) => Phase::Refused,
            State::Sized(_) | State::Chunk(_) => Phase::Body,
            State::ChunkSize | State::ChunkSizeLf | State::ChunkCr | State::ChunkLf => Phase::Body,
            _ if self.in_trailers => Phase::Body,
            _ => Phase::Head,
        }
    }

    /// Goes on behind a message that asked for an upgrade and did not get it.
    pub fn resume(&mut self) {
        if self.state == State::Held {
            self.state = State::Start { blank_line: false };
        }
    }

    /// Ends all scanning with this error.
    pub fn refuse(&mut self, error: RequestError) {
        self.state = State::Refused(error);
    }

    /// Looks at the next bytes of the connection. Linear in their number.
    pub fn scan(&mut self, input: &[u8]) -> Scan {
        let mut rest = input;
        let mut safe = 0;
        loop {
            match self.state {
                State::Held if !rest.is_empty() => return Scan { safe, verdict: Verdict::Hold },
                State::Refused(error) => return Scan { safe, verdict: Verdict::Refused(error) },
                State::Broken(error) => return Scan { safe, verdict: Verdict::Broken(error) },
                _ if rest.is_empty() => return Scan { safe, verdict: Verdict::Continue },
                _ => {}
            }
            match self.step(rest) {
                Ok(taken) => rest = rest.get(taken.max(1)..).unwrap_or_default(),
                Err(error) if self.phase() == Phase::Body => self.state = State::Broken(error),
                Err(error) => self.state = State::Refused(error),
            }
            if !matches!(self.phase(), Phase::Head | Phase::Refused) {
                safe = input.len() - rest.len();
            }
        }
    }

    /// Takes at least one byte.
    fn step(&mut self, rest: &[u8]) -> Step {
        let Some(&byte) = rest.first() else { return Ok(0) };
        match self.state {
            State::Sized(left) => return Ok(self.body(rest, left)),
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
            State::Start { blank_line } => self.start(byte, blank_line)?,
            State::StartLf => self.line_end(byte, State::Start { blank_line: true })?,
            State::Method => self.method(run)?,
            State::Target => self.target(run)?,
            State::Version(at) => self.version(byte, at)?,
            State::LineLf => self.line_end(byte, State::FieldStart)?,
            State::FieldStart => self.field_start(byte)?,
            State::Name => self.name(run)?,
            State::Value if self.field == Field::Other => self.value(run)?,
            State::Value => self.framing_value(byte)?,
            State::FieldLf => self.field_end(byte)?,
            State::LastLf => return self.head_end(byte),
            State::Held | State::Refused(_) | State::Broken(_) => 0,
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

    fn start(&mut self, byte: u8, blank_line: bool) -> Step {
        match byte {
            b'\r' if !blank_line => {
                self.state = State::StartLf;
                return Ok(1);
            }
            b'\r' => return Err(malformed("more than one empty line before the request line")),
            b'\n' => return Err(malformed("bare LF")),
            _ => {}
        }
        self.begin_head();
        self.method(&[byte])
    }

    fn begin_head(&mut self) {
        self.state = State::Method;
        self.fields = 0;
        self.name_bytes = 0;
        self.in_trailers = false;
        self.upgrade = false;
        self.chunked = false;
        self.length = None;
    }

    fn method(&mut self, run: &[u8]) -> Step {
        for (at, &byte) in run.iter().enumerate() {
            if lower_token(byte) != 0 && self.name_bytes < METHOD_BYTES {
                self.remember(byte);
            } else if byte == b' ' && self.name_bytes > 0 {
                self.connect = self.remembered() == b"CONNECT";
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
        let limit = self.limits.target.min(TARGET_BYTES);
        for (at, &byte) in run.iter().enumerate() {
            if byte == b' ' && self.target.bytes() > 0 {
                self.target.end().map_err(malformed)?;
                self.state = State::Version(0);
                return Ok(at + 1);
            }
            if self.target.bytes() >= limit {
                return Err(RequestError::TargetTooLong);
            }
            self.target.step(byte).map_err(malformed)?;
        }
        Ok(run.len())
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

    fn field_start(&mut self, byte: u8) -> Step {
        match byte {
            b'\r' => {
                self.state = State::LastLf;
                return Ok(1);
            }
            b'\n' => return Err(malformed("bare LF")),
            b' ' | b'\t' => return Err(malformed("folded or indented header line")),
            b':' => return Err(malformed("empty header name")),
            _ => {}
        }
        self.fields += 1;
        if self.fields > self.limits.fields {
            return Err(RequestError::HeadTooLarge);
        }
        self.name_bytes = 0;
        self.state = State::Name;
        self.name(&[byte])
    }

    fn name(&mut self, run: &[u8]) -> Step {
        for (at, &byte) in run.iter().enumerate() {
            match lower_token(byte) {
                0 if byte == b':' => {
                    self.begin_value()?;
                    return Ok(at + 1);
                }
                0 if byte == b' ' || byte == b'\t' => {
                    return Err(malformed("blank in or behind a header name"));
                }
                0 => return Err(malformed("header name")),
                lower => self.remember(lower),
            }
        }
        Ok(run.len())
    }

    fn begin_value(&mut self) -> Result<(), RequestError> {
        if self.in_trailers && forbidden_in_trailers(self.remembered()) {
            return Err(malformed("field that is not allowed in trailers"));
        }
        self.state = State::Value;
        self.seen = 0;
        self.number = 0;
        self.value_ended = false;
        self.field = match self.remembered() {
            b"content-length" if self.length.is_some() => return Err(malformed("content-length twice")),
            b"content-length" => Field::Length,
            b"transfer-encoding" if self.chunked => return Err(malformed("transfer-encoding twice")),
            b"transfer-encoding" if self.old_version => {
                return Err(malformed("transfer-encoding in HTTP/1.0"));
            }
            b"transfer-encoding" => Field::Coding,
            b"upgrade" => {
                self.upgrade = true;
                Field::Other
            }
            _ => Field::Other,
        };
        Ok(())
    }

    fn value(&mut self, run: &[u8]) -> Step {
        let text = run.iter().position(|&byte| !(byte >= b' ' && byte != 0x7f || byte == b'\t'));
        match text.map(|at| (at, run.get(at))) {
            None => Ok(run.len()),
            Some((at, Some(b'\r'))) => {
                self.state = State::FieldLf;
                Ok(at + 1)
            }
            Some((_, Some(b'\n'))) => Err(malformed("bare LF")),
            Some(_) => Err(malformed("control byte in a header value")),
        }
    }
}
