//! How long an upstream may keep us waiting: a span of time, and when its silence began, in → whether it is over.
//!
//! One timer for each connection, not each request: pushing a running timer back is an atomic write.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// A deadline that moves.
#[derive(Debug)]
pub(super) struct Deadline {
    sleep: Pin<Box<Sleep>>,
    span: Duration,
    running: bool,
}

impl Deadline {
    pub(super) fn new(span: Duration) -> Self {
        Self { sleep: Box::pin(sleep(span)), span, running: false }
    }

    /// Whatever comes next may take this long.
    pub(super) fn restart(&mut self, span: Duration) {
        self.span = span;
        self.running = false;
    }

    /// It is pushed back once, by this much from now.
    pub(super) fn push_back(&mut self, rest: Duration) {
        self.running = true;
        self.sleep.as_mut().reset(Instant::now() + rest);
    }

    /// To be called where nothing has come. Time runs from the first such call after a [`progress`](Self::progress).
    pub(super) fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.running {
            self.running = true;
            self.sleep.as_mut().reset(Instant::now() + self.span);
        }
        self.sleep.as_mut().poll(context)
    }

    /// Something has come.
    pub(super) fn progress(&mut self) {
        self.running = false;
    }
}
