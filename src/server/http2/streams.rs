//! The open streams of a connection, and what they share: the way to the client and the windows (RFC 9113 §5).
//!
//! The connection's task and those of its streams run on one worker and see each other here, for the length of a call.
//! A stream is open until its task has ended, so what the client resets counts as open until it costs nothing more.

use super::frame::{ErrorCode, MOST};
use super::hpack;
use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::stream::{OpenStream, Stream};
use super::window::Window;
use crate::config::Timeouts;
use crate::server::deadline::{Registry, Slot};
use crate::server::task::Task;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// Bytes of request bodies that a connection may have in flight.
pub(super) const CONNECTION_WINDOW: u32 = 128 * 1024;
/// Every window before anything is said (§6.9.2).
pub(super) const FIRST_WINDOW: u32 = 65_535;
/// Bytes that the heads of all open streams may have together, unless there is one alone.
const HEADS: usize = 512 * 1024;
/// Streams that ended before the client knew it, and that it may still send on.
const FORGIVEN: usize = 256;

/// All of them.
pub(super) struct Streams {
    pub(super) out: RefCell<Outgoing>,
    pub(super) timeouts: Timeouts,
    /// The connection's own, which writes.
    pub(super) task: Task,
    /// Bytes of responses that the client takes on all streams together.
    pub(super) window: Window,
    /// The same on a new one.
    first_window: Cell<u32>,
    /// Bytes of requests that we take, and such that were taken and the client was not told of.
    pub(super) incoming: Window,
    taken: Cell<u32>,
    registry: Rc<Registry>,
    /// Bytes of the heads of all that are open.
    heads: Cell<usize>,
    /// In the order of their numbers.
    open: RefCell<Vec<Rc<Stream>>>,
    /// Those that wait until what was written has gone out, first come, first served.
    waiting: RefCell<VecDeque<Rc<Stream>>>,
    forgiven: RefCell<VecDeque<u32>>,
    /// Whether the next block says that we use no table.
    table_changed: Cell<bool>,
}

impl Streams {
    pub(super) fn new(registry: Rc<Registry>, timeouts: Timeouts) -> Rc<Self> {
        Rc::new(Self {
            out: RefCell::default(),
            timeouts,
            task: Task::default(),
            window: Window::new(FIRST_WINDOW),
            first_window: Cell::new(FIRST_WINDOW),
            incoming: Window::new(CONNECTION_WINDOW),
            taken: Cell::new(0),
            registry,
            heads: Cell::new(0),
            open: RefCell::default(),
            waiting: RefCell::default(),
            forgiven: RefCell::default(),
            table_changed: Cell::new(false),
        })
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// Whether there is room for another, of at most so many: what was reset does not count (§5.1.2), unless its tasks do
    /// not come to their end; and all heads together have a bound, for one byte of a client can name a large field.
    pub(super) fn admit(&self, most: usize, head: usize) -> bool {
        let open = self.open.borrow();
        let live = || open.iter().filter(|stream| !stream.is_gone()).count();
        let heads = self.heads.get().saturating_add(head);
        (open.len() < most || (open.len() < 2 * most && live() < most)) && (open.is_empty() || heads <= HEADS)
    }

    /// The open stream with this number.
    pub(super) fn find(&self, id: u32) -> Option<Rc<Stream>> {
        let open = self.open.borrow();
        let place = open.binary_search_by_key(&id, |stream| stream.id).ok()?;
        open.get(place).cloned()
    }

    /// Opens a stream, whose number is greater than any before and whose head has so many bytes.
    pub(super) fn open(self: &Rc<Self>, id: u32, head: usize, incoming: Incoming) -> OpenStream {
        let stream = Stream::new((id, head), incoming, Window::new(self.first_window.get()));
        self.heads.set(self.heads.get().saturating_add(head));
        self.open.borrow_mut().push(Rc::clone(&stream));
        OpenStream { streams: Rc::clone(self), stream }
    }

    /// The task of a stream has ended.
    pub(super) fn close(&self, stream: &Stream) {
        self.open.borrow_mut().retain(|open| open.id != stream.id);
        self.heads.set(self.heads.get().saturating_sub(stream.head));
        if let Some(code) = stream.close() {
            self.reset(stream.id, code);
        }
        let untaken = stream.incoming.borrow().untaken();
        self.passed_over(untaken);
        self.task.wake();
    }

    /// Resets a stream, open or not. What the client has sent on it meanwhile is passed over.
    pub(super) fn reset(&self, id: u32, code: ErrorCode) {
        let stream = self.find(id);
        if stream.as_ref().is_some_and(|stream| stream.is_gone()) {
            return;
        }
        self.out.borrow_mut().reset(id, code);
        let mut forgiven = self.forgiven.borrow_mut();
        if forgiven.len() >= FORGIVEN {
            forgiven.pop_front();
        }
        forgiven.push_back(id);
        drop(forgiven);
        if let Some(stream) = stream {
            stream.leave();
        }
    }

    /// Whether the client may not know yet that the stream has ended.
    pub(super) fn forgives(&self, id: u32) -> bool {
        self.forgiven.borrow().contains(&id)
    }

    /// The connection is no more.
    pub(super) fn leave(&self) {
        self.task.forget();
        self.open.borrow().iter().for_each(|stream| stream.leave());
    }

    /// A clock for somebody who waits for the client.
    pub(super) fn clock(&self) -> Rc<Slot> {
        Slot::new(&self.registry)
    }

    /// Bytes of a body were taken: the client may send as many.
    pub(super) fn taken(&self, stream: &Stream, bytes: usize) {
        let wider = stream.incoming.borrow_mut().release(bytes);
        if wider > 0 {
            self.out.borrow_mut().widen(stream.id, wider);
            self.task.wake();
        }
        self.passed_over(bytes);
    }

    /// Bytes of a body are held no more.
    pub(super) fn passed_over(&self, bytes: usize) {
        self.taken.set(self.taken.get().saturating_add(u32::try_from(bytes).unwrap_or(MOST)));
        if self.taken.get() >= CONNECTION_WINDOW / 2 {
            let taken = self.taken.take();
            if self.incoming.widen(taken).is_ok() {
                self.out.borrow_mut().widen(0, taken);
                self.task.wake();
            }
        }
    }

    /// The client takes so many bytes more on all streams.
    pub(super) fn widen(&self, bytes: u32) -> Result<(), ErrorCode> {
        if self.window.opens(|window| window.widen(bytes))? {
            self.open.borrow().iter().for_each(|stream| stream.progress());
        }
        Ok(())
    }

    /// The client says what it takes on a new stream, and with it more or less on those that are open (§6.9.2).
    pub(super) fn set_first_window(&self, bytes: u32) -> Result<(), ErrorCode> {
        let difference = i64::from(bytes) - i64::from(self.first_window.replace(bytes));
        for stream in self.open.borrow().iter() {
            stream.change_window(|window| window.shift(difference))?;
        }
        Ok(())
    }

    /// A stream is told when what was written has gone out.
    pub(super) fn wait(&self, stream: &Rc<Stream>) {
        if !stream.waits.replace(true) {
            self.waiting.borrow_mut().push_back(Rc::clone(stream));
        }
    }

    /// What was written has gone out.
    pub(super) fn gone_out(&self) {
        for stream in self.waiting.take() {
            stream.waits.set(false);
            stream.task.wake();
        }
    }

    /// Tells a client that it may go on with its body, unless it has its response.
    pub(super) fn say_continue(&self, stream: &Stream) {
        if stream.is_unanswered() {
            let mut block = Vec::new();
            self.begin_block(&mut block);
            hpack::status(&mut block, "100");
            self.out.borrow_mut().block(stream.id, &block, false);
            self.task.wake();
        }
    }

    /// The client bounds its table anew.
    pub(super) fn change_table(&self) {
        self.table_changed.set(true);
    }

    /// What has to stand at the front of the next header block.
    pub(super) fn begin_block(&self, block: &mut Vec<u8>) {
        if self.table_changed.take() {
            hpack::no_table(block);
        }
    }
}
