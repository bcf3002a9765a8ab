//! Header blocks, from their frames (RFC 9113 §4.3, §6.2, §6.10).

use super::frame::{ErrorCode, FrameHeader, MOST, MOST_PAYLOAD, flag, kind, number};
use super::hpack::{Broken, Decoder, Line, Room};
use std::borrow::Cow;
use std::cell::RefCell;

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

/// A whole header block, not decoded yet.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) stream: u32,
    /// Whether nothing follows it on its stream.
    pub(super) ends: bool,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// The header blocks of a connection.
pub(super) struct Blocks {
    decoder: Decoder,
    /// The one that is not there as a whole.
    begun: Option<Block<'static>>,
    /// Bytes that a decoded list may have.
    list: usize,
}

impl Blocks {
    pub(super) fn new(list: u32) -> Self {
        Self { decoder: Decoder::default(), begun: None, list: usize::try_from(list).unwrap_or(usize::MAX) }
    }

    /// Bytes that a decoded list may have.
    pub(super) fn list(&self) -> usize {
        self.list
    }

    /// Whether one has begun and not ended.
    pub(super) fn is_within(&self) -> bool {
        self.begun.is_some()
    }

    /// Whether a frame may come now: within a block nothing but its continuation may.
    pub(super) fn admits(&self, header: FrameHeader) -> bool {
        let continues = header.kind == kind::CONTINUATION;
        match &self.begun {
            Some(begun) => continues && begun.stream == header.stream,
            None => !continues,
        }
    }

    /// HEADERS: the block, if that is all of it.
    pub(super) fn headers<'a>(
        &mut self,
        header: FrameHeader,
        payload: &'a [u8],
    ) -> Result<Option<Block<'a>>, ErrorCode> {
        let bytes = fragment(header, payload).ok_or(ErrorCode::ProtocolError)?;
        let (stream, ends) = (header.stream, header.has(flag::END_STREAM));
        if header.has(flag::END_HEADERS) {
            return Ok(Some(Block { stream, ends, bytes: Cow::Borrowed(bytes) }));
        }
        self.begun = Some(Block { stream, ends, bytes: Cow::Owned(bytes.to_vec()) });
        Ok(None)
    }

    /// CONTINUATION: the block, if that was the last of it. It may be as large as a list that is refused with an answer.
    pub(super) fn continuation(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
    ) -> Result<Option<Block<'static>>, ErrorCode> {
        let mut block = self.begun.take().ok_or(ErrorCode::ProtocolError)?;
        block.bytes.to_mut().extend_from_slice(payload);
        if block.bytes.len() > 2 * (self.list + MOST_PAYLOAD) {
            return Err(ErrorCode::EnhanceYourCalm);
        }
        if header.has(flag::END_HEADERS) {
            return Ok(Some(block));
        }
        self.begun = Some(block);
        Ok(None)
    }

    /// Hands on the lines of a block.
    pub(super) fn decode(&mut self, block: &Block<'_>, each: impl FnMut(Line<'_>)) -> Result<(), ErrorCode> {
        let decoded = ROOM.with_borrow_mut(|room| self.decoder.decode(&block.bytes, room, each));
        decoded.map_err(|Broken| ErrorCode::CompressionError)
    }
}

/// What of a HEADERS frame belongs to the block. `None`: it is padded with more than it has, or waits for itself.
fn fragment(header: FrameHeader, payload: &[u8]) -> Option<&[u8]> {
    let mut fragment = payload;
    if header.has(flag::PADDED) {
        let (padding, rest) = fragment.split_first()?;
        fragment = rest.get(..rest.len().checked_sub(usize::from(*padding))?)?;
    }
    if header.has(flag::PRIORITY) {
        let rest = fragment.get(5..)?;
        fragment = if waits_for_itself(header.stream, fragment) { None } else { Some(rest) }?;
    }
    Some(fragment)
}

/// Whether a priority makes a stream wait for itself (RFC 7540 §5.3.1); others mean nothing any more (RFC 9113 §5.3.2).
pub(super) fn waits_for_itself(stream: u32, priority: &[u8]) -> bool {
    number(priority).is_some_and(|other| other & MOST == stream)
}
