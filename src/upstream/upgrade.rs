//! WebSocket tunnels: the one upgrade that goes upstream.
//!
//! A request wishes for a tunnel if it is one as RFC 6455 §4.1 has it; any other `Upgrade` is dropped and the request
//! is ordinary. A tunnel opens only after upstream's 101: the bytes flow once the server has written the 101 and runs
//! what was left in the connection. What flows is not looked into.

use super::body::UpstreamBody;
use super::headers::{Forwarding, Wish};
use super::http1::Http1;
use super::response_fields;
use crate::http1::mentions;
use crate::request::connection::Duplex;
use crate::request::{FieldName, RequestHead};
use http::header::{self, HeaderValue};
use http::{Method, Response, Version, response};
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// A tunnel without a byte in either direction is closed after this time, at the latest after twice as long.
pub const TUNNEL_IDLE: Duration = Duration::from_secs(3600);
const BUFFER: usize = 8 * 1024;

/// Whether a request wishes for a tunnel.
pub(super) fn wish(request: &RequestHead) -> Wish {
    let of = |name| request.fields.all(name);
    let is_tunnel = request.method == Method::GET
        && request.version == Version::HTTP_11
        && upgrades_to_websocket(of(FieldName::Upgrade), of(FieldName::Connection))
        && request.fields.have(FieldName::SecWebSocketKey);
    if is_tunnel { Wish::Tunnel } else { Wish::Response }
}

fn upgrades_to_websocket<'a>(
    mut protocols: impl Iterator<Item = &'a [u8]>,
    mut options: impl Iterator<Item = &'a [u8]>,
) -> bool {
    protocols.next().is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
        && protocols.next().is_none()
        && options.any(|value| mentions(value, b"upgrade"))
}

/// Turns upstream's 101 into the client's, and leaves the tunnel in the client's connection. The tunnel holds
/// upstream's connection: dropped, before it has run or while it runs, it closes both.
///
/// # Errors
/// Says why this 101 is not one.
pub(super) fn open(
    mut parts: response::Parts,
    connection: Http1,
    address: SocketAddr,
    forwarding: &Forwarding<'_>,
) -> Result<Response<UpstreamBody>, &'static str> {
    let of = |name| parts.headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    if !upgrades_to_websocket(of(header::UPGRADE), of(header::CONNECTION)) {
        return Err("101 to something other than WebSocket");
    }
    let Some((upstream, early)) = connection.into_tunnel() else {
        return Err("101 before the request was sent");
    };
    response_fields::clean(&mut parts)?;
    parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    forwarding.connection.open_tunnel(Box::new(move |mut client| {
        Box::pin(async move {
            if client.write_all(&early).await.is_ok() {
                drop(early);
                pump(client, upstream).await;
            }
        })
    }));
    Ok(Response::from_parts(parts, UpstreamBody::empty(address)))
}

/// Copies both ways until both have ended, one fails, or nothing moves for [`TUNNEL_IDLE`].
async fn pump(client: Box<dyn Duplex>, upstream: impl Duplex) {
    let moved = Rc::new(Cell::new(false));
    let mut client = Watched { io: client, moved: Rc::clone(&moved) };
    let mut upstream = Watched { io: upstream, moved: Rc::clone(&moved) };
    let idle = async {
        loop {
            tokio::time::sleep(TUNNEL_IDLE).await;
            if !moved.replace(false) {
                return;
            }
        }
    };
    tokio::select! {
        // A tunnel that breaks is a tunnel that ends.
        _ = tokio::io::copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER) => {}
        () = idle => {}
    }
}

/// Notes that bytes came.
struct Watched<S> {
    io: S,
    moved: Rc<Cell<bool>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.moved.set(true);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
