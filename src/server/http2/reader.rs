//! Bytes of a client → its frames.
//!
//! Frames are handed on as whole payloads, but for DATA, whose bytes are handed on as they come. What is kept between
//! two reads is a frame that is not there as a whole, so an idle connection keeps nothing.

use super::frame::{ErrorCode, FrameHeader, HEADER_BYTES, MOST_PAYLOAD, flag, kind};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What becomes of frames. An error ends the connection.
pub(super) trait Frames {
    /// A whole frame, but DATA.
    fn frame(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode>;
    /// A DATA frame begins. Its whole length counts for the windows (RFC 9113 §6.1).
    fn data(&mut self, header: FrameHeader) -> Result<(), ErrorCode>;
    /// Bytes of the DATA frame that began last.
    fn piece(&mut self, bytes: &[u8]) -> Result<(), ErrorCode>;
    /// So much of it is padding, or nobody's.
    fn padding(&mut self, bytes: usize);
    /// The DATA frame is over.
    fn end(&mut self) -> Result<(), ErrorCode>;
}

/// Of a DATA frame what is still to come.
#[derive(Clone, Copy, Debug)]
struct Data {
    bytes: usize,
    padding: usize,
}

/// The reader of a connection.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Bytes of the preface that have come.
    preface: usize,
    /// A frame that has not come as a whole, and how many bytes that would be.
    partial: Vec<u8>,
    wanted: usize,
    data: Option<Data>,
}

impl Reader {
    /// Whether the preface or a frame other than DATA has begun and not ended.
    pub(super) fn is_within_frame(&self) -> bool {
        !self.partial.is_empty() || (1..PREFACE.len()).contains(&self.preface)
    }

    /// Takes what was read.
    ///
    /// # Errors
    /// Those of the frames, a preface that is none, and frames that are too large or not what they say.
    pub(super) fn take(&mut self, bytes: &[u8], frames: &mut impl Frames) -> Result<(), ErrorCode> {
        let bytes = self.preface(bytes)?;
        if self.partial.is_empty() {
            return self.read(bytes, frames);
        }
        self.partial.extend_from_slice(bytes);
        if self.partial.len() < self.wanted {
            return Ok(());
        }
        let whole = std::mem::take(&mut self.partial);
        self.read(&whole, frames)
    }

    fn preface<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], ErrorCode> {
        let expected = PREFACE.get(self.preface..).unwrap_or_default();
        let (begun, rest) = bytes.split_at(expected.len().min(bytes.len()));
        self.preface += begun.len();
        if expected.starts_with(begun) { Ok(rest) } else { Err(ErrorCode::ProtocolError) }
    }

    fn read(&mut self, mut bytes: &[u8], frames: &mut impl Frames) -> Result<(), ErrorCode> {
        loop {
            bytes = self.read_data(bytes, frames)?;
            let Some(header) = FrameHeader::read(bytes) else {
                self.keep(bytes, HEADER_BYTES);
                return Ok(());
            };
            if header.length > MOST_PAYLOAD {
                return Err(ErrorCode::FrameSizeError);
            }
            let is_data = header.kind == kind::DATA;
            let needed = HEADER_BYTES + if is_data { padding_bytes(header) } else { header.length };
            let Some((frame, rest)) = bytes.split_at_checked(needed) else {
                self.keep(bytes, needed);
                return Ok(());
            };
            let payload = frame.get(HEADER_BYTES..).unwrap_or_default();
            if is_data {
                self.begin_data(header, payload, frames)?;
            } else {
                frames.frame(header, payload)?;
            }
            bytes = rest;
        }
    }

    fn keep(&mut self, bytes: &[u8], wanted: usize) {
        self.partial.extend_from_slice(bytes);
        self.wanted = wanted;
    }

    /// A DATA frame, of which the length of the padding has come, if it has any.
    fn begin_data(
        &mut self,
        header: FrameHeader,
        padding: &[u8],
        frames: &mut impl Frames,
    ) -> Result<(), ErrorCode> {
        let said = padding_bytes(header);
        let padding = padding.first().map_or(0, |bytes| usize::from(*bytes));
        let left = header.length.checked_sub(said).and_then(|left| left.checked_sub(padding));
        let bytes = left.ok_or(ErrorCode::ProtocolError)?;
        frames.data(header)?;
        frames.padding(said);
        self.data = Some(Data { bytes, padding });
        Ok(())
    }

    /// Hands on what belongs to the DATA frame that has begun; the rest.
    fn read_data<'a>(&mut self, bytes: &'a [u8], frames: &mut impl Frames) -> Result<&'a [u8], ErrorCode> {
        let Some(data) = &mut self.data else { return Ok(bytes) };
        let (piece, rest) = bytes.split_at(data.bytes.min(bytes.len()));
        if !piece.is_empty() {
            frames.piece(piece)?;
        }
        data.bytes -= piece.len();
        let (padding, rest) = rest.split_at(data.padding.min(rest.len()));
        frames.padding(padding.len());
        data.padding -= padding.len();
        if data.bytes == 0 && data.padding == 0 {
            self.data = None;
            frames.end()?;
        }
        Ok(rest)
    }
}

/// How many bytes say how long the padding of a DATA frame is.
fn padding_bytes(header: FrameHeader) -> usize {
    usize::from(header.has(flag::PADDED))
}
