//! An HTTP/1 connection: hyper between our guard and the handler.
//!
//! Ends when the client or the handler wants it to, when the client is idle for too long or takes nothing, when draining
//! begins (behind the running response), or behind a refusal. After a 101 the stream goes to the tunnel that the handler
//! left. Whoever may still be sending when we close is listened to for a moment, so that the kernel's reset does not
//! overtake our answer.
//!
//! hyper keeps the buffers that an exchange has made grow. A connection that is idle for a moment is therefore taken out
//! of hyper, waits for its next request with no buffer at all, and then gets a new hyper.

use super::Handler;
use super::connection::Client;
use super::deadline::{Slot, Wait};
use super::exchange::Exchange;
use super::guard::Guard;
use super::response::{Witness, Witnessed};
use super::scanner::Scanner;
use super::stream::{Paced, Prefixed};
use crate::config::Limits;
use crate::request::RequestBody;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long, and for how many bytes, a client is listened to behind our last answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1024 * 1024;
/// Fields that hyper parses without an allocation.
const INLINE_FIELDS: usize = 100;
/// What hyper's buffers hold beyond a head, and at least.
const BUFFER_BYTES: usize = 8 * 1024;

struct Over(Rc<Exchange>);

impl Witness for Over {
    fn asked(&self, _: bool) {}
}

impl Drop for Over {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<H, S>(stream: S, client: Rc<Client<H>>)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (slot, settings) = (Rc::clone(&client.slot), Rc::clone(&client.settings));
    let exchange = Exchange::new(Rc::clone(&slot), settings.timeouts, client.surplus);
    let paced = Paced::new(stream, Rc::clone(&slot), settings.timeouts.body);
    let guard = Guard::new(paced, Scanner::new(settings.limits), Rc::clone(&exchange));
    let connection = Rc::clone(&client.connection);
    let service = {
        let exchange = Rc::clone(&exchange);
        service_fn(move |request| answer(Rc::clone(&client), Rc::clone(&exchange), request))
    };
    let (mut guard, mut service) = (guard, service);
    let outcome = loop {
        let mut hyper = builder(settings.limits).serve_connection(TokioIo::new(guard), service);
        let pause = drive(Pin::new(&mut hyper), &exchange).await;
        let parts = hyper.into_parts();
        (guard, service) = (parts.io.into_inner(), parts.service);
        guard.take_back(&parts.read_buf);
        match pause {
            Pause::End(outcome) => break outcome,
            Pause::Rest if rest(&mut guard, &exchange).await => {}
            Pause::Rest => {
                let (mut stream, _) = guard.into_parts();
                slot.within(Wait::Head, LINGER, stream.shutdown()).await;
                return;
            }
        }
    };
    if let Err(error) = &outcome {
        tracing::debug!(peer = %connection.peer, error = ?error, "connection ended early");
    }
    let (mut stream, early) = guard.into_parts();
    if exchange.switched() && outcome.is_ok() {
        if let Some(tunnel) = connection.take_tunnel() {
            slot.disarm_read();
            tunnel(Box::new(Prefixed::new(early, stream))).await;
        }
    } else if exchange.unread() && !slot.write_expired() {
        linger(&mut stream, &slot).await;
    }
}

/// Why hyper is taken apart.
enum Pause {
    /// The connection is over.
    End(Result<(), Option<hyper::Error>>),
    /// It is idle.
    Rest,
}

async fn drive<S, V, B>(mut hyper: Pin<&mut http1::Connection<S, V>>, exchange: &Exchange) -> Pause
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
    V: HttpService<Incoming, ResBody = B>,
    V::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let slot = exchange.slot();
    let mut told = false;
    poll_fn(|context| {
        slot.watch(context);
        if slot.write_expired() {
            return Poll::Ready(Pause::End(Err(None)));
        }
        if !told && (slot.draining() || slot.read_expired() == Some(Wait::Idle)) {
            told = true;
            hyper.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(outcome) = hyper.as_mut().poll(context) {
            return Poll::Ready(Pause::End(outcome.map_err(Some)));
        }
        if !told && exchange.tires() { Poll::Ready(Pause::Rest) } else { Poll::Pending }
    })
    .await
}

/// Waits for the next request without hyper, whose buffers are as large as the last exchange made them. Whether there
/// is one.
async fn rest<S: AsyncRead + AsyncWrite + Unpin>(guard: &mut Guard<S>, exchange: &Exchange) -> bool {
    exchange.rest();
    let slot = exchange.slot();
    poll_fn(|context| {
        slot.watch(context);
        if slot.draining() || slot.read_expired().is_some() {
            return Poll::Ready(false);
        }
        guard.poll_next(context).map(|next| next.unwrap_or(false))
    })
    .await
}

fn builder(limits: Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .half_close(false)
        .header_read_timeout(None)
        .writev(false)
        .max_buf_size(limits.head + BUFFER_BYTES);
    if limits.fields > INLINE_FIELDS {
        builder.max_headers(limits.fields);
    }
    builder
}

async fn answer<H: Handler>(
    client: Rc<Client<H>>,
    exchange: Rc<Exchange>,
    request: Request<Incoming>,
) -> Result<Response<Witnessed<H::Body, Over>>, Infallible> {
    let refusal = exchange.begin();
    let over = Over(Rc::clone(&exchange));
    // Whatever follows a CONNECT is not HTTP, or not ours.
    let last = refusal.is_some() || request.method() == Method::CONNECT;
    let mut response = match refusal {
        Some(error) => {
            client.counters.refused_heads.fetch_add(1, Relaxed);
            client.handler.refuse(error, &client.connection)
        }
        None => client.handler.handle(request.map(RequestBody::new), &client.connection).await,
    };
    if last || exchange.broken() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    exchange.answer(response.status());
    Ok(response.map(|body| Witnessed::new(body, over)))
}

async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, slot: &Slot) {
    let listen = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut scrap = vec![0; 4096];
        let mut heard = 0;
        while let Ok(bytes @ 1..) = stream.read(&mut scrap).await {
            heard += bytes;
            if heard > LINGER_BYTES {
                return;
            }
        }
    };
    slot.within(Wait::Head, LINGER, listen).await;
}
