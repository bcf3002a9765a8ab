//! A stream of a connection, as its own task and the connection's see it (RFC 9113 §5.1).

use super::frame::{ErrorCode, MOST_PAYLOAD, flag, kind};
use super::incoming::Incoming;
use super::streams::Streams;
use super::window::Window;
use crate::request::RequestError;
use crate::server::deadline::Slot;
use crate::server::task::Task;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};

/// A stream.
pub(super) struct Stream {
    pub(super) id: u32,
    /// Bytes of the request's head.
    pub(super) head: usize,
    /// The request's body.
    pub(super) incoming: RefCell<Incoming>,
    /// Bytes of the response that the client takes.
    pub(super) window: Window,
    /// Whether the stream was reset, or its connection is no more.
    gone: Cell<bool>,
    /// Whether the response's head has gone out, and all of it.
    begun: Cell<bool>,
    ended: Cell<bool>,
    /// Whether it is among those that wait for what was written to go out.
    pub(super) waits: Cell<bool>,
    pub(super) task: Task,
    /// Runs while the client takes nothing.
    clock: RefCell<Option<Rc<Slot>>>,
}

/// The stream, for as long as its task runs.
pub(super) struct OpenStream {
    pub(super) streams: Rc<Streams>,
    pub(super) stream: Rc<Stream>,
}

/// The stream is of no use any more.
#[derive(Debug)]
pub(super) struct Gone;

impl Stream {
    /// A stream that begins.
    pub(super) fn new((id, head): (u32, usize), incoming: Incoming, window: Window) -> Rc<Self> {
        Rc::new(Self {
            id,
            head,
            incoming: RefCell::new(incoming),
            window,
            gone: Cell::new(false),
            begun: Cell::new(false),
            ended: Cell::new(false),
            waits: Cell::new(false),
            task: Task::default(),
            clock: RefCell::new(None),
        })
    }

    /// Ends it without a word.
    pub(super) fn leave(&self) {
        self.gone.set(true);
        self.incoming.borrow_mut().fail(RequestError::BodyAborted);
        self.task.wake();
    }

    /// The client says that it takes more, or less. Only where it took nothing before and takes something now has anything
    /// changed for whoever waits.
    pub(super) fn change_window(
        &self,
        change: impl FnOnce(&Window) -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        if self.window.opens(change)? {
            self.progress();
        }
        Ok(())
    }

    /// The client takes more.
    pub(super) fn progress(&self) {
        if let Some(clock) = self.clock.borrow().as_ref() {
            clock.disarm_write();
        }
        self.task.wake();
    }

    /// Whether a head would be the first that the client gets.
    pub(super) fn is_unanswered(&self) -> bool {
        !self.begun.get() && !self.gone.get()
    }

    /// Whether it was reset, though its task may run still.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.get()
    }

    /// Whether the response is all on its way.
    pub(super) fn is_answered(&self) -> bool {
        self.ended.get()
    }

    /// Its task has ended: the code of the reset that the client has to be told, if any.
    pub(super) fn close(&self) -> Option<ErrorCode> {
        let is_heard = self.incoming.borrow().has_ended();
        self.incoming.borrow_mut().fail(RequestError::BodyAborted);
        match (self.gone.replace(true), self.ended.get(), is_heard) {
            (true, ..) | (false, true, true) => None,
            (false, true, false) => Some(ErrorCode::NoError),
            (false, false, _) => Some(ErrorCode::InternalError),
        }
    }
}

impl OpenStream {
    /// Ready once the stream is of no use.
    pub(super) fn poll_gone(&self, context: &Context<'_>) -> Poll<()> {
        self.stream.task.watch(context);
        if self.stream.gone.get() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Writes the head of the response, or its trailers, and whether it is over.
    pub(super) fn block(&self, block: &[u8], ends: bool) {
        self.stream.begun.set(true);
        self.stream.ended.set(ends);
        self.streams.out.borrow_mut().block(self.stream.id, block, ends);
        self.streams.task.wake();
    }

    /// Writes a piece of the body, for which there is [room](Self::poll_room).
    pub(super) fn data(&self, piece: &[u8], ends: bool) {
        self.stream.window.take(piece.len());
        self.streams.window.take(piece.len());
        self.stream.ended.set(ends);
        let flags = if ends { flag::END_STREAM } else { 0 };
        self.streams.out.borrow_mut().frame(kind::DATA, flags, self.stream.id, piece);
        self.streams.task.wake();
    }

    /// Ready once something may be written.
    pub(super) fn poll_turn(&self) -> Poll<()> {
        if self.streams.out.borrow().is_full() {
            self.streams.wait(&self.stream);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Ready with how much of a body may be written at once. A client that takes nothing for too long is waited for no
    /// more.
    pub(super) fn poll_room(&self, context: &Context<'_>) -> Poll<Result<usize, Gone>> {
        let room = self.stream.window.room().min(self.streams.window.room()).min(MOST_PAYLOAD);
        if room > 0 {
            return self.poll_turn().map(|()| Ok(room));
        }
        let mut clock = self.stream.clock.borrow_mut();
        let clock = clock.get_or_insert_with(|| self.streams.clock());
        if clock.write_expired() {
            self.streams.reset(self.stream.id, ErrorCode::Cancel);
            return Poll::Ready(Err(Gone));
        }
        clock.watch(context);
        clock.arm_write(self.streams.timeouts.body);
        Poll::Pending
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.streams.close(&self.stream);
    }
}
