//! A response body with a witness: told of every poll, and dropped when the response is over.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Watches a response body; its drop says that the response is over, whole or not.
pub trait Witness {
    /// The body was asked for a frame, and gave one (or its end) or had none.
    fn asked(&self, gave: bool);
}

pin_project! {
    /// A body and its witness.
    #[derive(Debug)]
    pub struct Witnessed<B, W> {
        #[pin]
        body: B,
        witness: W,
    }
}

impl<B, W> Witnessed<B, W> {
    /// The witness lives as long as the body does.
    pub fn new(body: B, witness: W) -> Self {
        Self { body, witness }
    }
}

impl<B: Body<Data = Bytes>, W: Witness> Body for Witnessed<B, W> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let outcome = this.body.poll_frame(context);
        this.witness.asked(outcome.is_ready());
        outcome
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
