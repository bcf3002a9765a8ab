//! A request body on its way upstream, and whose silence it is that nothing happens: the upstream's, or the client's whose body
//! it waits for.
//!
//! It streams: nothing is polled before there is room for it.

use super::body::clean_trailers;
use super::deadline::Deadline;
use crate::request::RequestError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// How far a request body has come, seen by whoever waits for the response.
#[derive(Debug)]
pub(super) struct Upload {
    /// When upstream last took something.
    pub(super) last: Cell<Instant>,
    /// Whether we wait for the client, so that upstream's silence is not its fault.
    pub(super) awaits_client: Cell<bool>,
    /// Why the client's body failed, if it did.
    pub(super) failure: Cell<Option<RequestError>>,
}

/// A request body. Its kind is erased, for a connection carries requests of every kind.
pub(super) enum Outgoing {
    Empty,
    Stream { body: Pin<Box<dyn Body<Data = Bytes, Error = RequestError>>>, upload: Rc<Upload> },
}

impl Outgoing {
    pub(super) fn new(body: impl Body<Data = Bytes, Error = RequestError> + 'static) -> Self {
        if body.is_end_stream() {
            Self::Empty
        } else {
            let upload = Upload {
                last: Cell::new(Instant::now()),
                awaits_client: Cell::new(false),
                failure: Cell::new(None),
            };
            Self::Stream { body: Box::pin(body), upload: Rc::new(upload) }
        }
    }

    pub(super) fn upload(&self) -> Option<Rc<Upload>> {
        match self {
            Self::Empty => None,
            Self::Stream { upload, .. } => Some(Rc::clone(upload)),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        let Self::Stream { body, upload } = &mut *self else {
            return Poll::Ready(None);
        };
        let polled = body.as_mut().poll_frame(context);
        upload.awaits_client.set(polled.is_pending());
        let frame = ready!(polled);
        upload.last.set(Instant::now());
        if let Some(Err(error)) = &frame {
            upload.failure.set(Some(*error));
        }
        Poll::Ready(frame.map(|frame| frame.map(clean_trailers)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream { body, .. } => body.size_hint(),
        }
    }
}

/// Ready once upstream was silent for `span` while nobody waited for the client, or the client's body failed.
pub(super) fn poll_silence(
    deadline: &mut Deadline,
    span: Duration,
    upload: Option<&Upload>,
    context: &mut Context<'_>,
) -> Poll<()> {
    loop {
        ready!(deadline.poll_silence(context));
        let Some(upload) = upload else {
            return Poll::Ready(());
        };
        let since = upload.last.get().elapsed();
        if upload.failure.get().is_some() {
            return Poll::Ready(());
        } else if upload.awaits_client.get() {
            deadline.push_back(span);
        } else if since < span {
            deadline.push_back(span - since);
        } else {
            return Poll::Ready(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::time::advance;

    async fn is_over(deadline: &mut Deadline, upload: &Upload) -> bool {
        let span = Duration::from_secs(10);
        poll_fn(|context| Poll::Ready(poll_silence(deadline, span, Some(upload), context).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn time_does_not_run_while_the_client_is_waited_for() {
        let upload = Upload {
            last: Cell::new(Instant::now()),
            awaits_client: Cell::new(true),
            failure: Cell::new(None),
        };
        let mut deadline = Deadline::new(Duration::from_secs(10));
        let seconds = |seconds| advance(Duration::from_secs(seconds));
        for _ in 0..4 {
            assert!(!is_over(&mut deadline, &upload).await);
            seconds(9).await;
        }
        upload.last.set(Instant::now());
        upload.awaits_client.set(false);
        seconds(9).await;
        assert!(!is_over(&mut deadline, &upload).await, "nine seconds after upstream took the last piece");
        seconds(2).await;
        assert!(is_over(&mut deadline, &upload).await);
    }
}
