//! Scripted upstreams and the gateway's side of them.

use crate::config;
use crate::enforce::Permit;
use crate::http1::Lined;
use crate::request::{Connection, RequestError, Scheme};
use crate::upstream::{Forwarding, Upstream, UpstreamBody, UpstreamError};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the sockets' own buffers may hold on a loopback connection, with room; far less than a large body or a flood.
pub(super) const IN_FLIGHT: usize = 24 << 20;

/// Runs a test as a worker would, and not for ever.
pub(super) fn run(test: impl Future<Output = ()>) {
    tokio::runtime::LocalRuntime::new().unwrap().block_on(async {
        tokio::time::timeout(Duration::from_secs(20), test).await.expect("test hangs");
    });
}

/// A scripted upstream: what it does with its n-th connection, counted from 1.
pub(super) struct Scripted {
    pub(super) port: u16,
    pub(super) connections: Rc<Cell<usize>>,
}

pub(super) async fn scripted<F: Future<Output = ()> + 'static>(
    script: impl Fn(usize, Wire) -> F + 'static,
) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Rc::new(Cell::new(0));
    let count = Rc::clone(&connections);
    tokio::task::spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.set(count.get() + 1);
            tokio::task::spawn_local(script(count.get(), Wire { stream }));
        }
    });
    Scripted { port, connections }
}

/// A port that nobody listens on.
pub(super) async fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// The upstream's end of a connection.
pub(super) struct Wire {
    pub(super) stream: TcpStream,
}

impl Wire {
    /// A request's head; empty at the end.
    pub(super) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// What comes until this; less at the end.
    pub(super) async fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            match self.stream.read_u8().await {
                Ok(byte) => text.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(text).unwrap()
    }

    pub(super) async fn write(&mut self, text: &str) {
        let _ = self.stream.write_all(text.as_bytes()).await;
    }
}

/// A worker that forwards to these ports.
pub(super) struct Worker {
    pub(super) upstream: Upstream,
    pub(super) settings: config::Upstream,
    pub(super) connection: Connection,
}

impl Worker {
    pub(super) fn new(ports: &[u16]) -> Self {
        Self {
            upstream: Upstream::new(),
            settings: config::Upstream {
                urls: ports.iter().map(|&port| url(false, "127.0.0.1", port)).collect(),
                connect_timeout: Duration::from_secs(5),
                response_timeout: Duration::from_secs(10),
                ca: None,
                h2c: false,
                idle_connections: 8,
                idle_timeout: Duration::from_secs(60),
                forwarded: false,
                strip_headers: Vec::new(),
            },
            connection: Connection::new(
                "192.0.2.1:5000".parse().unwrap(),
                "127.0.0.1:8080".parse().unwrap(),
                Scheme::Http,
            ),
        }
    }

    pub(super) async fn send<B>(&self, request: Request<B>) -> Result<Response<UpstreamBody>, UpstreamError>
    where
        B: Body<Data = Bytes, Error = RequestError> + 'static,
    {
        let (parts, body) = request.into_parts();
        let forwarding = Forwarding {
            permit: Permit::for_tests(),
            connection: &self.connection,
            client: Some("192.0.2.1".parse().unwrap()),
            peer_trusted: false,
            decisive: &[],
        };
        let response = self.upstream.forward(&self.settings, &parts.into(), body, forwarding).await?;
        let (mut parts, mut body) = response.into_parts();
        body.take_lines().unwrap_or_default().unfold(&mut parts.headers);
        Ok(Response::from_parts(parts, body))
    }

    /// The status and whole body of the answer to a GET.
    pub(super) async fn get(&self, path: &str) -> (u16, String) {
        whole(self.send(request("GET", path, empty())).await.unwrap()).await
    }
}

pub(super) fn url(tls: bool, host: &str, port: u16) -> config::UpstreamUrl {
    config::UpstreamUrl { tls, host: host.to_owned(), port }
}

pub(super) fn request<B>(method: &str, path: &str, body: B) -> Request<B> {
    Request::builder().method(method).uri(path).header("host", "a.example").body(body).unwrap()
}

pub(super) async fn whole(response: Response<UpstreamBody>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(super) fn empty() -> impl Body<Data = Bytes, Error = RequestError> + 'static {
    Empty::new().map_err(|never| match never {})
}

pub(super) fn full(text: &'static str) -> impl Body<Data = Bytes, Error = RequestError> + 'static {
    Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {})
}

/// A body that a test writes piece by piece.
pub(super) struct Fed(mpsc::Receiver<Result<Frame<Bytes>, RequestError>>);

pub(super) type Feed = mpsc::Sender<Result<Frame<Bytes>, RequestError>>;

pub(super) fn fed() -> (Feed, Fed) {
    let (feed, frames) = mpsc::channel(1);
    (feed, Fed(frames))
}

impl Body for Fed {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        self.0.poll_recv(context)
    }
}

pub(super) fn data(text: &'static str) -> Result<Frame<Bytes>, RequestError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}
