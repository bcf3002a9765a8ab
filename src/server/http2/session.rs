//! What a client's frames do (RFC 9113 §5, §6).
//!
//! An error ends the connection; what concerns one stream alone resets that. A client that is told that we are done may
//! have sent requests meanwhile: those up to the second GOAWAY are answered.

use super::blocks::{Block, Blocks, waits_for_itself};
use super::budget::{Budget, REFUSAL, RESET};
use super::frame::{ErrorCode, FrameHeader, MOST, flag, kind, number, setting};
use super::head::{Fault, Head, Read, Trailers};
use super::incoming::{Incoming, STREAM_WINDOW};
use super::reader::Frames;
use super::respond::respond;
use super::stream::{OpenStream, Stream};
use super::streams::{CONNECTION_WINDOW, FIRST_WINDOW, Streams};
use crate::request::{RequestError, RequestHead};
use crate::server::Handler;
use crate::server::connection::Client;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

/// What the PING says that tells when the client has heard of our end.
const LAST_CALL: &[u8; 8] = b"lastcall";

/// How far the end of a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Closing {
    No,
    /// The client was told, at this time of the worker's clock.
    Announced(u64),
    /// No further stream is answered.
    Closed,
}

/// A connection as its frames see it.
pub(super) struct Session<H> {
    client: Rc<Client<H>>,
    streams: Rc<Streams>,
    blocks: Blocks,
    /// The stream of the DATA frame that is being read, if it is open, and whether it ends with it.
    receiving: Option<(Rc<Stream>, bool)>,
    /// The greatest number of a stream that the client has opened.
    last: u32,
    /// Whether the client's first frame has come, its SETTINGS.
    begun: bool,
    closing: Closing,
    budget: Budget,
}

impl<H: Handler> Session<H> {
    /// A connection that begins: it says our settings.
    pub(super) fn new(client: Rc<Client<H>>, streams: Rc<Streams>) -> Self {
        let limits = &client.settings.limits;
        let settings = [
            (setting::MAX_CONCURRENT_STREAMS, limits.h2_streams),
            (setting::INITIAL_WINDOW_SIZE, STREAM_WINDOW),
            (setting::MAX_HEADER_LIST_SIZE, limits.h2_header_list),
        ];
        let bytes = |(name, value): (u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
        let settings = settings.map(bytes).concat();
        let mut out = streams.out.borrow_mut();
        out.frame(kind::SETTINGS, 0, 0, &settings);
        out.widen(0, CONNECTION_WINDOW - FIRST_WINDOW);
        drop(out);
        let blocks = Blocks::new(limits.h2_header_list);
        Self {
            client,
            streams,
            blocks,
            receiving: None,
            last: 0,
            begun: false,
            closing: Closing::No,
            budget: Budget::default(),
        }
    }

    /// Whether a head has begun and not ended.
    pub(super) fn is_within_head(&self) -> bool {
        self.blocks.is_within()
    }

    /// Whether the client has opened a stream.
    pub(super) fn has_begun(&self) -> bool {
        self.last > 0
    }

    /// Whether the end was announced.
    pub(super) fn is_closing(&self) -> bool {
        self.closing != Closing::No
    }

    /// Whether no further stream will be answered.
    pub(super) fn is_closed(&self) -> bool {
        self.closing == Closing::Closed
    }

    /// Time has passed, and bytes went to the client.
    pub(super) fn earn(&mut self, bytes: usize) {
        self.budget.fill(self.client.slot.now() / 1000);
        self.budget.earn(bytes);
    }

    /// Tells the client that the connection is going to end, and asks to be told once it knows (§6.8).
    pub(super) fn announce_end(&mut self) {
        self.closing = Closing::Announced(self.client.slot.now());
        let mut out = self.streams.out.borrow_mut();
        out.goaway(MOST, ErrorCode::NoError);
        out.frame(kind::PING, 0, 0, LAST_CALL);
    }

    /// Whether a client that was told has had enough time to say that it knows.
    pub(super) fn has_had_time(&self) -> bool {
        let patience = self.client.settings.timeouts.head.as_millis();
        let since = |begun: u64| u128::from(self.client.slot.now().saturating_sub(begun));
        matches!(self.closing, Closing::Announced(begun) if since(begun) >= patience)
    }

    /// No stream beyond those that are open is answered.
    pub(super) fn end(&mut self, code: ErrorCode) {
        if !self.is_closed() || code != ErrorCode::NoError {
            self.closing = Closing::Closed;
            self.streams.out.borrow_mut().goaway(self.last, code);
        }
    }

    fn headers(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode> {
        if header.stream.is_multiple_of(2) {
            return Err(ErrorCode::ProtocolError);
        }
        let block = self.blocks.headers(header, payload)?;
        block.map_or(Ok(()), |block| self.block(&block))
    }

    fn continuation(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode> {
        let block = self.blocks.continuation(header, payload)?;
        block.map_or(Ok(()), |block| self.block(&block))
    }

    fn block(&mut self, block: &Block<'_>) -> Result<(), ErrorCode> {
        if block.stream > self.last {
            self.last = block.stream;
            return self.request(block);
        }
        if let Some(stream) = self.streams.find(block.stream) {
            return self.trailers(&stream, block);
        }
        self.blocks.decode(block, |_| ())?;
        if self.streams.forgives(block.stream) { self.spend(1) } else { Err(ErrorCode::StreamClosed) }
    }

    fn request(&mut self, block: &Block<'_>) -> Result<(), ErrorCode> {
        let Block { stream: id, ends, .. } = *block;
        let streams = usize::try_from(self.client.settings.limits.h2_streams).unwrap_or(usize::MAX);
        let mut head = Head::new(self.blocks.list());
        self.blocks.decode(block, |line| head.take(&line))?;
        let bytes = self.blocks.list().saturating_sub(head.left());
        if self.is_closed() || !self.streams.admit(streams, bytes) {
            return self.turn_down(id, ErrorCode::RefusedStream);
        }
        let is_head = head.is_head();
        match head.end(ends) {
            Ok(Read { head, length }) => {
                let request = self.client.surplus.map_or(Ok(head), Err);
                let open = self.streams.open(id, bytes, Incoming::new(length, ends));
                self.begin(open, request, is_head);
            }
            Err(Fault::Malformed) => return self.turn_down(id, ErrorCode::ProtocolError),
            Err(Fault::Refused(error)) => {
                self.begin(self.streams.open(id, 0, Incoming::new(None, ends)), Err(error), is_head);
                return self.spend(REFUSAL);
            }
        }
        Ok(())
    }

    fn begin(&self, open: OpenStream, request: Result<Box<RequestHead>, RequestError>, is_head: bool) {
        if request.is_err() {
            self.client.counters.refused_heads.fetch_add(1, Relaxed);
        }
        // A task is moved on its way: what is moved had better be a pointer.
        tokio::task::spawn_local(Box::pin(respond(Rc::clone(&self.client), open, (request, is_head))));
    }

    fn turn_down(&mut self, id: u32, code: ErrorCode) -> Result<(), ErrorCode> {
        self.streams.reset(id, code);
        self.spend(1)
    }

    fn spend(&mut self, cost: u64) -> Result<(), ErrorCode> {
        if self.budget.spend(cost) { Ok(()) } else { Err(ErrorCode::EnhanceYourCalm) }
    }

    fn trailers(&mut self, stream: &Stream, block: &Block<'_>) -> Result<(), ErrorCode> {
        let mut trailers = Trailers::new(self.blocks.list());
        self.blocks.decode(block, |line| trailers.take(&line))?;
        let mut incoming = stream.incoming.borrow_mut();
        let outcome = match trailers.end() {
            _ if incoming.has_ended() => Err(ErrorCode::StreamClosed),
            Some(fields) if block.ends => incoming.end(Some(fields)),
            _ => Err(ErrorCode::ProtocolError),
        };
        drop(incoming);
        self.or_reset(stream.id, outcome);
        Ok(())
    }

    fn or_reset(&self, id: u32, outcome: Result<(), ErrorCode>) {
        if let Err(code) = outcome {
            self.streams.reset(id, code);
        }
    }

    fn reset(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode> {
        exactly(4, payload)?;
        self.known(header.stream)?;
        if let Some(stream) = self.streams.find(header.stream) {
            stream.leave();
            self.spend(RESET - 1)?;
        }
        Ok(())
    }

    /// Frames of a stream that the client has not opened are an error of the connection (§5.1).
    fn known(&self, id: u32) -> Result<(), ErrorCode> {
        if id != 0 && id % 2 == 1 && id <= self.last { Ok(()) } else { Err(ErrorCode::ProtocolError) }
    }

    fn settings(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode> {
        self.begun = true;
        if header.has(flag::ACK) {
            return exactly(0, payload);
        }
        let (settings, rest) = payload.as_chunks::<6>();
        exactly(0, rest)?;
        let mut first_window = None;
        for [high, low, value @ ..] in settings {
            let (name, value) = (u16::from_be_bytes([*high, *low]), u32::from_be_bytes(*value));
            check_setting(name, value)?;
            match name {
                setting::HEADER_TABLE_SIZE => self.streams.change_table(),
                setting::INITIAL_WINDOW_SIZE => first_window = Some(value),
                _ => {}
            }
        }
        // Of many in one frame the last holds; each would have to be told to all streams.
        first_window.map_or(Ok(()), |bytes| self.streams.set_first_window(bytes))?;
        self.streams.out.borrow_mut().frame(kind::SETTINGS, flag::ACK, 0, &[]);
        Ok(())
    }

    fn ping(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode> {
        exactly(8, payload)?;
        if !header.has(flag::ACK) {
            self.streams.out.borrow_mut().frame(kind::PING, flag::ACK, 0, payload);
        } else if payload == LAST_CALL && self.is_closing() {
            self.end(ErrorCode::NoError);
        }
        Ok(())
    }

    fn window_update(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode> {
        exactly(4, payload)?;
        let bytes = number(payload).unwrap_or(0) & MOST;
        if header.stream == 0 {
            return self.streams.widen(bytes);
        }
        self.known(header.stream)?;
        if let Some(stream) = self.streams.find(header.stream) {
            self.or_reset(stream.id, stream.change_window(|window| window.widen(bytes)));
        }
        Ok(())
    }

    /// Whether the frame may come now, and the client is within its budget.
    fn admit(&mut self, header: FrameHeader) -> Result<(), ErrorCode> {
        let is_first = !self.begun && (header.kind != kind::SETTINGS || header.has(flag::ACK));
        if is_first || !self.blocks.admits(header) {
            return Err(ErrorCode::ProtocolError);
        }
        if self.budget.allows(header) { Ok(()) } else { Err(ErrorCode::EnhanceYourCalm) }
    }
}

impl<H: Handler> Frames for Session<H> {
    fn frame(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), ErrorCode> {
        self.admit(header)?;
        let of_connection = matches!(header.kind, kind::SETTINGS | kind::PING | kind::GOAWAY);
        if of_connection && header.stream != 0 {
            return Err(ErrorCode::ProtocolError);
        }
        match header.kind {
            kind::HEADERS => self.headers(header, payload),
            kind::CONTINUATION => self.continuation(header, payload),
            kind::PRIORITY if header.stream == 0 || waits_for_itself(header.stream, payload) => {
                Err(ErrorCode::ProtocolError)
            }
            kind::PRIORITY => exactly(5, payload),
            kind::RST_STREAM => self.reset(header, payload),
            kind::SETTINGS => self.settings(header, payload),
            kind::PUSH_PROMISE => Err(ErrorCode::ProtocolError),
            kind::PING => self.ping(header, payload),
            kind::GOAWAY if payload.len() < 8 => Err(ErrorCode::FrameSizeError),
            kind::GOAWAY => {
                self.end(ErrorCode::NoError);
                Ok(())
            }
            kind::WINDOW_UPDATE => self.window_update(header, payload),
            _ => Ok(()),
        }
    }

    fn data(&mut self, header: FrameHeader) -> Result<(), ErrorCode> {
        self.admit(header)?;
        self.known(header.stream)?;
        self.streams.incoming.charge(header.length)?;
        self.receiving = None;
        let Some(stream) = self.streams.find(header.stream) else {
            return if self.streams.forgives(header.stream) { Ok(()) } else { Err(ErrorCode::StreamClosed) };
        };
        let charged = stream.incoming.borrow().charge(header.length);
        match charged {
            Ok(()) => self.receiving = Some((stream, header.has(flag::END_STREAM))),
            Err(code) => self.streams.reset(stream.id, code),
        }
        Ok(())
    }

    fn piece(&mut self, bytes: &[u8]) -> Result<(), ErrorCode> {
        let pushed = match &self.receiving {
            Some((stream, _)) => stream.incoming.borrow_mut().push(bytes),
            None => Ok(false),
        };
        match pushed {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(code) => {
                if let Some((stream, _)) = self.receiving.take() {
                    self.streams.reset(stream.id, code);
                }
            }
        }
        self.padding(bytes.len());
        Ok(())
    }

    fn padding(&mut self, bytes: usize) {
        match &self.receiving {
            Some((stream, _)) => self.streams.taken(stream, bytes),
            None => self.streams.passed_over(bytes),
        }
    }

    fn end(&mut self) -> Result<(), ErrorCode> {
        if let Some((stream, true)) = self.receiving.take() {
            let ended = stream.incoming.borrow_mut().end(None);
            self.or_reset(stream.id, ended);
        }
        Ok(())
    }
}

/// Which values a setting may have (§6.5.2). No frame of ours is larger than the smallest bound for frames.
fn check_setting(name: u16, value: u32) -> Result<(), ErrorCode> {
    match name {
        setting::ENABLE_PUSH if value > 1 => Err(ErrorCode::ProtocolError),
        setting::INITIAL_WINDOW_SIZE if value > MOST => Err(ErrorCode::FlowControlError),
        setting::MAX_FRAME_SIZE if !(1 << 14..1 << 24).contains(&value) => Err(ErrorCode::ProtocolError),
        _ => Ok(()),
    }
}

fn exactly(bytes: usize, payload: &[u8]) -> Result<(), ErrorCode> {
    if payload.len() == bytes { Ok(()) } else { Err(ErrorCode::FrameSizeError) }
}
