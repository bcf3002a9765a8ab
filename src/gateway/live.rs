//! Requests that outlive a change of the policy: tunnels and long streams are decided on again, and those that the
//! new policy would block are closed.
//!
//! A request obeys the policy of the moment it begins; what is over within [`GRACE`] never meets another one. A
//! tunnel has no such grace: it is judged at every change.
//!
//! What a request said in its body is judged again only if it was kept, that is, if the first decision depended on
//! it. Where only the new policy would want to see the body, the stream is closed: the fact is missing.

use super::asked::Asked;
use crate::request::connection::Tunnel;
use crate::store::SnapshotStore;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// How long a stream is left to the policy under which it began.
pub const GRACE: Duration = Duration::from_secs(1);

/// The live requests of one worker.
#[derive(Debug, Clone)]
pub struct LiveRequests {
    store: Arc<SnapshotStore>,
    requests: Rc<RefCell<Vec<Weak<Live>>>>,
}

/// What is kept of a request while it lives.
pub struct Live {
    asked: Asked,
    since: Instant,
    tunnel: bool,
    closed: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("tunnel", &self.tunnel)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl LiveRequests {
    /// Watches a store's changes on the present worker, for as long as the worker lives.
    pub fn watch(store: Arc<SnapshotStore>) -> Self {
        let live = Self { store, requests: Rc::default() };
        tokio::task::spawn_local(live.clone().judge_every_change());
        live
    }

    /// A stream that has begun.
    pub fn stream(&self, asked: Asked) -> Rc<Live> {
        self.register(asked, false)
    }

    /// A tunnel that ends when a new policy would block the request that opened it.
    pub fn guard(&self, tunnel: Tunnel, asked: Asked) -> Tunnel {
        let live = self.register(asked, true);
        Box::new(move |client| {
            Box::pin(async move {
                tokio::select! {
                    () = tunnel(client) => {}
                    () = poll_fn(|context| live.poll_closed(context)) => {}
                }
            })
        })
    }

    fn register(&self, asked: Asked, tunnel: bool) -> Rc<Live> {
        let live = Rc::new(Live {
            asked,
            since: Instant::now(),
            tunnel,
            closed: Cell::new(false),
            waker: RefCell::new(None),
        });
        let mut requests = self.requests.borrow_mut();
        if requests.len() == requests.capacity() {
            requests.retain(|request| request.strong_count() > 0);
        }
        requests.push(Rc::downgrade(&live));
        live
    }

    async fn judge_every_change(self) {
        let mut changes = self.store.changes();
        while changes.changed().await.is_ok() {
            let young = self.judge();
            if young {
                tokio::task::spawn_local(self.clone().judge_later());
            }
        }
    }

    async fn judge_later(self) {
        tokio::time::sleep(GRACE).await;
        self.judge();
    }

    /// Closes what the policy in force would block; says whether anything was too young to be judged.
    fn judge(&self) -> bool {
        let snapshot = self.store.load();
        let requests: Vec<Rc<Live>> = self.requests.borrow().iter().filter_map(Weak::upgrade).collect();
        let mut young = false;
        for live in requests {
            if !live.tunnel && live.since.elapsed() < GRACE {
                young = true;
            } else if live.asked.blocked_by(&snapshot) {
                live.close();
            }
        }
        young
    }
}

impl Live {
    fn close(&self) {
        self.closed.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Ready once the request has to end.
    pub fn poll_closed(&self, context: &Context<'_>) -> Poll<()> {
        if self.closed.get() {
            return Poll::Ready(());
        }
        self.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}
