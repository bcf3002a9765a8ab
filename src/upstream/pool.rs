//! The connections of one worker to one upstream address.
//!
//! HTTP/1.1: idle connections, the youngest taken first, so that the others can grow old and go. HTTP/2: one
//! connection, shared. Invariants: a connection in the pool is between two exchanges; what is not is closed, never
//! pooled. Idle connections are looked through now and then, only while there are any. An address that is retired
//! (its URL is gone from the settings) closes what comes back to it.

use super::health::Health;
use super::http1::Http1;
use super::upload::Outgoing;
use crate::config;
use hyper::client::conn::http2;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::sync::Mutex;

/// What is kept, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    pub(super) connections: usize,
    pub(super) span: Duration,
}

impl Keep {
    pub(super) fn of(settings: &config::Upstream) -> Self {
        Self { connections: settings.idle_connections, span: settings.idle_timeout }
    }
}

struct Idle {
    connection: Box<Http1>,
    /// How often the idle connections were looked through since it came: its age, without a clock.
    passes: u32,
}

/// A shared HTTP/2 connection.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) sender: http2::SendRequest<Outgoing>,
    /// Tells it from the others that the address had or will have.
    identity: Rc<()>,
}

impl Shared {
    pub(super) fn new(sender: http2::SendRequest<Outgoing>) -> Self {
        Self { sender, identity: Rc::new(()) }
    }
}

/// What the upstream was found to speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Protocol {
    Unknown,
    Http1,
    Http2,
}

/// One address of an upstream and the connections to it.
pub(super) struct Endpoint {
    pub(super) url: config::UpstreamUrl,
    pub(super) address: SocketAddr,
    pub(super) health: Health,
    pub(super) protocol: Cell<Protocol>,
    /// Held while a connection is made that others might share.
    pub(super) connecting: Mutex<()>,
    idle: RefCell<Vec<Idle>>,
    http2: RefCell<Option<Shared>>,
    swept: Cell<bool>,
    retired: Cell<bool>,
}

impl Endpoint {
    pub(super) fn new(url: config::UpstreamUrl, address: SocketAddr) -> Rc<Self> {
        Rc::new(Self {
            url,
            address,
            health: Health::default(),
            protocol: Cell::new(Protocol::Unknown),
            connecting: Mutex::new(()),
            idle: RefCell::default(),
            http2: RefCell::default(),
            swept: Cell::new(false),
            retired: Cell::new(false),
        })
    }

    /// An idle connection that can serve now.
    pub(super) fn take(&self) -> Option<Box<Http1>> {
        let mut idle = self.idle.borrow_mut();
        while let Some(Idle { mut connection, passes: _ }) = idle.pop() {
            if connection.is_alive() {
                connection.reused = true;
                return Some(connection);
            }
            connection.close();
        }
        None
    }

    /// Takes back a connection whose response has ended. If it cannot serve again, it is closed at once.
    pub(super) fn put_back(self: &Rc<Self>, mut connection: Box<Http1>, keep: Keep) {
        if !connection.rest() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        if self.retired.get() || idle.len() >= keep.connections {
            return connection.close();
        }
        idle.push(Idle { connection, passes: 0 });
        if !self.swept.replace(true) {
            tokio::task::spawn_local(sweep(Rc::downgrade(self), keep.span));
        }
    }

    /// The shared HTTP/2 connection, if it lives.
    pub(super) fn http2(&self) -> Option<Shared> {
        self.http2.borrow().as_ref().filter(|shared| !shared.sender.is_closed()).cloned()
    }

    /// Shares an HTTP/2 connection.
    pub(super) fn share(&self, shared: Shared) {
        if !self.retired.get() {
            self.http2.replace(Some(shared));
        }
    }

    /// Shares it no longer: it takes no new requests, though it may still end old ones.
    pub(super) fn unshare(&self, spent: &Shared) {
        self.http2.borrow_mut().take_if(|shared| Rc::ptr_eq(&shared.identity, &spent.identity));
    }

    /// Nothing new comes here; what is idle is closed, what runs may end.
    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.http2.replace(None);
        for Idle { connection, passes: _ } in self.idle.take() {
            connection.close();
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Closes what has been idle for too long, up to half as long again, until nothing is idle.
async fn sweep(endpoint: Weak<Endpoint>, span: Duration) {
    let pause = (span / 2).clamp(Duration::from_millis(50), Duration::from_secs(5));
    loop {
        tokio::time::sleep(pause).await;
        let Some(endpoint) = endpoint.upgrade() else {
            return;
        };
        let mut idle = endpoint.idle.borrow_mut();
        idle.iter_mut().for_each(|idle| idle.passes = idle.passes.saturating_add(1));
        let (kept, old): (Vec<_>, Vec<_>) = idle.drain(..).partition(|idle| {
            // The first pass came at any time.
            pause.saturating_mul(idle.passes.saturating_sub(1)) < span && idle.connection.is_alive()
        });
        *idle = kept;
        for Idle { connection, passes: _ } in old {
            connection.close();
        }
        if idle.is_empty() {
            endpoint.swept.set(false);
            return;
        }
    }
}
