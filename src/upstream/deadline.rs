//! How long an upstream may keep us waiting: a span of time, and when its silence began, in → whether it is over.
//!
//! One timer for each connection, not each request, and it is seldom touched: it runs out early and is then set to the rest.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// A deadline that moves.
#[derive(Debug)]
pub(super) struct Deadline {
    /// Never later than it is due, but often earlier: it is set anew only when it has run out.
    sleep: Pin<Box<Sleep>>,
    span: Duration,
    /// `None`: time does not run.
    due: Option<Instant>,
}

impl Deadline {
    pub(super) fn new(span: Duration) -> Self {
        Self { sleep: Box::pin(sleep(span)), span, due: None }
    }

    /// Whatever comes next may take this long.
    pub(super) fn restart(&mut self, span: Duration) {
        self.span = span;
        self.due = None;
    }

    /// It is pushed back once, by this much from now.
    pub(super) fn push_back(&mut self, rest: Duration) {
        self.due = Some(Instant::now() + rest);
    }

    /// To be called where nothing has come. Time runs from the first such call after a [`progress`](Self::progress).
    pub(super) fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let span = self.span;
        let due = *self.due.get_or_insert_with(|| Instant::now() + span);
        if self.sleep.deadline() > due {
            self.sleep.as_mut().reset(due);
        }
        while self.sleep.as_mut().poll(context).is_ready() {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
        Poll::Pending
    }

    /// Something has come.
    pub(super) fn progress(&mut self) {
        self.due = None;
    }
}
