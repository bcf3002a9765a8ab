//! What the guard of an HTTP/1 connection and the service behind hyper tell each other.
//!
//! The guard sees bytes and knows nothing of requests; the service sees requests and knows nothing of bytes. They meet
//! in the number of heads: the guard hands heads on in order, the service is called in the same order.

use super::deadline::{Slot, Wait};
use super::scanner::Phase;
use crate::config::Timeouts;
use crate::request::RequestError;
use http::StatusCode;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// How long a connection is idle before it gives its buffers back.
const REST: Duration = Duration::from_secs(1);

/// Shared by guard and service of one HTTP/1 connection.
#[derive(Debug)]
pub struct Exchange {
    slot: Rc<Slot>,
    timeouts: Timeouts,
    /// Requests that the service was called with.
    calls: Cell<u64>,
    in_flight: Cell<bool>,
    /// Which head was refused, and why.
    refusal: Cell<Option<(u64, RequestError)>>,
    /// The last request that was answered without switching protocols.
    declined: Cell<u64>,
    switched: Cell<bool>,
    /// Whether a body broke off: there is no telling where the next request would begin.
    broken: Cell<bool>,
    /// Whether the buffers were given back since the last request.
    rested: Cell<bool>,
    phase: Cell<Phase>,
}

impl Exchange {
    /// Before the first byte. A connection that is over the limit has its first head refused, whatever it is.
    pub fn new(slot: Rc<Slot>, timeouts: Timeouts, refusal: Option<RequestError>) -> Rc<Self> {
        Rc::new(Self {
            slot,
            timeouts,
            calls: Cell::new(0),
            in_flight: Cell::new(false),
            refusal: Cell::new(refusal.map(|error| (1, error))),
            declined: Cell::new(0),
            switched: Cell::new(false),
            broken: Cell::new(false),
            rested: Cell::new(false),
            phase: Cell::new(Phase::Between),
        })
    }

    /// The slot of the connection.
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Service: the next request is here. Why it is to be refused, if so.
    pub fn begin(&self) -> Option<RequestError> {
        let call = self.calls.get() + 1;
        self.calls.set(call);
        self.in_flight.set(true);
        self.rested.set(false);
        self.slot.disarm_read();
        self.refusal.get().filter(|(head, _)| *head == call).map(|(_, error)| error)
    }

    /// Service: the request's answer is known.
    pub fn answer(&self, status: StatusCode) {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.switched.set(true);
            return;
        }
        self.declined.set(self.calls.get());
        if self.phase.get() == Phase::Held {
            self.slot.wake();
        }
    }

    /// Service: the response was handed over whole.
    pub fn end(&self) {
        self.in_flight.set(false);
        if self.phase.get() != Phase::Body {
            self.wait();
        }
    }

    /// Guard: this head is refused.
    pub fn refuse(&self, head: u64, error: RequestError) {
        if self.refusal.get().is_none() {
            self.refusal.set(Some((head, error)));
        }
    }

    /// Guard: the body under way ends in an error.
    pub fn break_off(&self) {
        self.broken.set(true);
    }

    /// Service: whether no further request can follow.
    pub fn broken(&self) -> bool {
        self.broken.get()
    }

    /// Guard: bytes have come, and this is where the stream stands behind them.
    pub fn received(&self, phase: Phase) {
        self.phase.set(phase);
        if phase != Phase::Head || self.slot.waits_for() != Some(Wait::Head) {
            self.slot.disarm_read();
        }
    }

    /// Guard: nothing to be read. A head is waited for only while no request is being answered: until then it is
    /// not the client's turn.
    pub fn wait(&self) {
        match self.phase.get() {
            Phase::Body => self.slot.arm_read(Wait::Body, self.timeouts.body),
            Phase::Refused => self.slot.disarm_read(),
            _ if self.in_flight.get() => self.slot.disarm_read(),
            Phase::Head => self.slot.arm_read(Wait::Head, self.timeouts.head),
            Phase::Between if self.may_rest() => self.slot.arm_read(Wait::Rest, REST),
            Phase::Between if self.rested.get() => {
                self.slot.arm_read(Wait::Idle, self.timeouts.idle.saturating_sub(REST));
            }
            Phase::Between | Phase::Held => self.slot.arm_read(Wait::Idle, self.timeouts.idle),
        }
    }

    fn may_rest(&self) -> bool {
        !self.rested.get() && self.timeouts.idle > REST
    }

    /// Whether it is time to give buffers back: nothing is under way, nothing came for a moment, and the client has
    /// taken everything.
    pub fn tires(&self) -> bool {
        self.slot.read_expired() == Some(Wait::Rest) && self.is_idle() && !self.slot.writes()
    }

    /// The buffers are given back.
    pub fn rest(&self) {
        self.rested.set(true);
        self.slot.disarm_read();
    }

    /// Guard: whether the request with this number was answered without switching protocols.
    pub fn declined(&self, head: u64) -> bool {
        self.declined.get() >= head
    }

    /// Whether the connection speaks another protocol from here on.
    pub fn switched(&self) -> bool {
        self.switched.get()
    }

    /// Whether the client may still be sending what nobody will read.
    pub fn unread(&self) -> bool {
        self.refusal.get().is_some() || matches!(self.phase.get(), Phase::Body | Phase::Refused)
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        !self.in_flight.get() && self.phase.get() == Phase::Between
    }
}
