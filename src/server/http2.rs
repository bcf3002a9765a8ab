//! An HTTP/2 connection: hyper and `h2` with tight bounds, and the time-outs that they lack.
//!
//! A connection without open streams for `timeouts.idle` is shut down gracefully, and cut off if the client does not
//! follow within `timeouts.head`. A stream whose client takes nothing of the response for `timeouts.body` is reset; a
//! client that takes nothing from the socket for so long is cut off. A body that stays away for `timeouts.body` fails
//! ([`super::upload`]). A connection beyond the limit gets one answer for each stream of its first moment, and GOAWAY.
//!
//! Floods (the rapid reset of CVE-2023-44487, CONTINUATION, and what [`Metered`] counts) end the connection.

use super::Handler;
use super::connection::{Client, Settings};
use super::cork::cork;
use super::deadline::{Registry, Slot, Wait};
use super::frame_meter::Metered;
use super::http2_head;
use super::response::{Witness, Witnessed};
use super::stream::Paced;
use super::upload::Upload;
use crate::config::Timeouts;
use crate::http1::Lined;
use crate::request::{RequestBody, RequestError, RequestHead};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes of request bodies that a connection may have in flight; of one stream, half of that.
const CONNECTION_WINDOW: u32 = 128 * 1024;
/// Bytes of a response that a stream keeps for the client.
const SEND_BUFFER: usize = 16 * 1024;
/// Streams that the client has reset before we looked at them, and such that we reset for its errors.
const PENDING_RESETS: usize = 20;
const ERROR_RESETS: usize = 128;

/// The open streams of a connection.
struct Streams {
    registry: Rc<Registry>,
    slot: Rc<Slot>,
    timeouts: Timeouts,
    open: Cell<usize>,
    closing: Cell<bool>,
    /// Why all of its requests are refused, if so.
    surplus: Option<RequestError>,
    /// Whether there has been a request.
    begun: Cell<bool>,
    /// The slot of the stream that hyper is about to spawn.
    next: RefCell<Option<Rc<Slot>>>,
}

struct OpenStream {
    streams: Rc<Streams>,
    slot: Rc<Slot>,
}

impl Streams {
    fn open(self: &Rc<Self>) -> OpenStream {
        self.open.set(self.open.get() + 1);
        self.begun.set(true);
        self.slot.disarm_read();
        let slot = Slot::new(&self.registry);
        self.next.replace(Some(Rc::clone(&slot)));
        OpenStream { streams: Rc::clone(self), slot }
    }

    /// Without open streams the client has so long to begin one, or to hang up.
    fn rest(&self) {
        self.slot.disarm_read();
        if self.closing.get() || self.surplus.is_some() {
            self.slot.arm_read(Wait::Head, self.timeouts.head);
        } else {
            self.slot.arm_read(Wait::Idle, self.timeouts.idle);
        }
    }

    /// Whether the connection is to be shut down, though something may still run on it.
    fn is_over(&self) -> bool {
        let refused = self.surplus.is_some() && self.begun.get();
        refused || self.slot.draining() || self.slot.read_expired() == Some(Wait::Idle)
    }
}

impl Witness for OpenStream {
    /// hyper asks for the next frame once the client's window has taken the last.
    fn asked(&self, gave: bool) {
        self.slot.disarm_write();
        if gave {
            self.slot.arm_write(self.streams.timeouts.body);
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let open = self.streams.open.get().saturating_sub(1);
        self.streams.open.set(open);
        if open == 0 {
            self.streams.rest();
        }
    }
}

/// Spawns streams on the worker's own thread; dropping a stream's task resets the stream.
#[derive(Clone)]
struct Spawner(Rc<Streams>);

impl<F: Future<Output = ()> + 'static> Executor<F> for Spawner {
    fn execute(&self, stream: F) {
        let Some(slot) = self.0.next.take() else {
            tokio::task::spawn_local(stream);
            return;
        };
        tokio::task::spawn_local(async move {
            let mut stream = pin!(stream);
            poll_fn(|context| {
                slot.watch(context);
                if slot.write_expired() {
                    return Poll::Ready(());
                }
                stream.as_mut().poll(context)
            })
            .await;
        });
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<H, S>(stream: S, client: Rc<Client<H>>, registry: Rc<Registry>)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (slot, settings) = (Rc::clone(&client.slot), Rc::clone(&client.settings));
    let streams = Rc::new(Streams {
        registry,
        slot: Rc::clone(&slot),
        timeouts: settings.timeouts,
        open: Cell::new(0),
        closing: Cell::new(false),
        surplus: client.surplus,
        begun: Cell::new(false),
        next: RefCell::default(),
    });
    streams.rest();
    let paced = Paced::new(stream, Rc::clone(&slot), settings.timeouts.body);
    let (cork, corked) = cork(Metered::new(paced, Rc::clone(&slot)));
    let io = TokioIo::new(corked);
    let peer = client.connection.peer;
    let service = {
        let streams = Rc::clone(&streams);
        // A stream is moved half a dozen times on its way to its task: what is moved had better be a pointer.
        service_fn(move |request| Box::pin(answer(Rc::clone(&client), streams.open(), request)))
    };
    let mut hyper = builder(&settings, Spawner(Rc::clone(&streams))).serve_connection(io, service);
    let outcome = poll_fn(|context| {
        slot.watch(context);
        if slot.write_expired() || slot.read_expired() == Some(Wait::Head) {
            return Poll::Ready(Err(None));
        }
        if !streams.closing.get() && streams.is_over() {
            streams.closing.set(true);
            if streams.open.get() == 0 {
                streams.rest();
            }
            Pin::new(&mut hyper).graceful_shutdown();
        }
        let polled = Pin::new(&mut hyper).poll(context).map_err(Some);
        // A stream that takes nothing now wakes this task when it does.
        match cork.poll_uncork(context) {
            Poll::Ready(Err(_)) => Poll::Ready(Err(None)),
            Poll::Ready(Ok(())) | Poll::Pending => polled,
        }
    })
    .await;
    if let Err(error) = outcome {
        tracing::debug!(%peer, ?error, "connection ended early");
    }
}

fn builder(settings: &Settings, spawner: Spawner) -> http2::Builder<Spawner> {
    let mut builder = http2::Builder::new(spawner);
    builder
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(CONNECTION_WINDOW / 2)
        .max_send_buf_size(SEND_BUFFER)
        .max_concurrent_streams(settings.limits.h2_streams)
        .max_header_list_size(settings.limits.h2_header_list)
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(ERROR_RESETS);
    builder
}

async fn answer<H: Handler>(
    client: Rc<Client<H>>,
    open: OpenStream,
    request: Request<Incoming>,
) -> Result<Response<Witnessed<H::Body, OpenStream>>, Infallible> {
    let (parts, body) = request.into_parts();
    let refusal = client.surplus.or_else(|| http2_head::check(&parts).err());
    let response = match refusal {
        Some(error) => client.handler.refuse(error, &client.connection),
        None => {
            let Streams { registry, timeouts, .. } = &*open.streams;
            let body = Upload::watch(RequestBody::new(body), registry, timeouts.body);
            client.handler.handle(RequestHead::from(parts), body, &client.connection).await
        }
    };
    let (mut parts, mut body) = response.into_parts();
    body.take_lines().unwrap_or_default().unfold(&mut parts.headers);
    Ok(Response::from_parts(parts, Witnessed::new(body, open)))
}
