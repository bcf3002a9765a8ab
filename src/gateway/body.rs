//! The body of a response on its way to the client: our own bytes, or the upstream's stream.

use super::access::Visit;
use super::asked::Asked;
use super::live::{Live, LiveRequests};
use crate::answer::InChunks;
use crate::http1::{FieldLines, Lined};
use crate::upstream::{BodyError, UpstreamBody};
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A response body. While it lives, so does the request's line in the access log.
#[derive(Debug)]
pub struct ResponseBody {
    content: Content,
    visit: Option<Box<Visit>>,
}

#[derive(Debug)]
enum Content {
    /// An answer of our own; empty once it is sent.
    Own(Bytes),
    /// An answer of our own that does not say how long it is.
    Chunked(Bytes),
    /// The upstream's, which has come already.
    Here(UpstreamBody),
    /// The upstream's, which may outlive the policy.
    Streaming(Box<Streaming>),
}

/// A stream that is closed when a new policy would block its request.
pub struct Streaming {
    body: UpstreamBody,
    watch: Watch,
}

/// Requests are registered as live only when their stream first has to wait: most never do.
enum Watch {
    NotYet { asked: Asked, live: LiveRequests },
    Registered(Rc<Live>),
    Over,
}

impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").finish_non_exhaustive()
    }
}

/// Why a response's body broke off.
#[derive(Debug, thiserror::Error)]
pub enum ResponseBodyError {
    /// The upstream's side.
    #[error(transparent)]
    Upstream(#[from] BodyError),
    /// A new policy blocks the request.
    #[error("closed by a change of the policy")]
    PolicyChanged,
}

impl ResponseBody {
    /// An answer of our own.
    pub fn own(body: Bytes) -> Self {
        Self { content: Content::Own(body), visit: None }
    }

    /// An answer of our own, in chunks if it is marked so.
    pub(super) fn of(answer: Response<Bytes>, visit: Option<Box<Visit>>) -> Response<Self> {
        let in_chunks = answer.extensions().get::<InChunks>().is_some();
        answer.map(|body| Self {
            content: if in_chunks { Content::Chunked(body) } else { Content::Own(body) },
            visit,
        })
    }

    /// An upstream's body that has come already, if there is one.
    pub fn here(body: UpstreamBody) -> Self {
        Self { content: Content::Here(body), visit: None }
    }

    /// An upstream's body; `asked` is what it is judged by when the policy changes.
    pub fn streaming(body: UpstreamBody, asked: Asked, live: &LiveRequests) -> Self {
        if body.is_here() {
            return Self::here(body);
        }
        let watch = Watch::NotYet { asked, live: live.clone() };
        Self { content: Content::Streaming(Box::new(Streaming { body, watch })), visit: None }
    }

    /// Has the bytes counted for the access log.
    pub(super) fn visited(self, visit: Option<Box<Visit>>) -> Self {
        Self { visit, ..self }
    }
}

impl Content {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        match self {
            Self::Own(bytes) | Self::Chunked(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Own(bytes) | Self::Chunked(bytes) => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
            }
            Self::Here(body) => Pin::new(body).poll_frame(context).map_err(ResponseBodyError::from),
            Self::Streaming(streaming) => streaming.poll_frame(context),
        }
    }
}

impl Streaming {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        if let Watch::Registered(live) = &self.watch
            && live.poll_closed(context).is_ready()
        {
            self.watch = Watch::Over;
            return Poll::Ready(Some(Err(ResponseBodyError::PolicyChanged)));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_pending() {
            self.register(context);
        }
        polled.map_err(ResponseBodyError::from)
    }

    fn register(&mut self, context: &Context<'_>) {
        self.watch = match std::mem::replace(&mut self.watch, Watch::Over) {
            Watch::NotYet { asked, live } => {
                let registered = live.stream(asked);
                // Not closed yet: this only leaves the waker.
                let _pending = registered.poll_closed(context);
                Watch::Registered(registered)
            }
            watch => watch,
        };
    }
}

impl Lined for ResponseBody {
    fn take_lines(&mut self) -> Option<FieldLines> {
        match &mut self.content {
            Content::Here(body) => body.take_lines(),
            Content::Streaming(streaming) => streaming.body.take_lines(),
            Content::Own(_) | Content::Chunked(_) => None,
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ResponseBodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        let Self { content, visit } = self.get_mut();
        let polled = content.poll_frame(context);
        if let (Some(visit), Poll::Ready(Some(Ok(frame)))) = (visit, &polled) {
            visit.sent(frame.data_ref().map_or(0, Bytes::len));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(bytes) => bytes.is_empty(),
            Content::Chunked(_) => false,
            Content::Here(body) => body.is_end_stream(),
            Content::Streaming(streaming) => streaming.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Chunked(_) => SizeHint::default(),
            Content::Here(body) => body.size_hint(),
            Content::Streaming(streaming) => streaming.body.size_hint(),
        }
    }
}
