//! The server over real sockets, with a toy handler.

mod http1;
mod http2;
mod http2_frames;
mod life;
mod rest;
mod tls;

use super::{BoundListener, Counters, Handler, Options, Server, Settings};
use crate::config::{Limits, Listener, Timeouts, TlsSettings};
use crate::http1::Lined;
use crate::request::{Connection, RequestBody, RequestError, RequestHead};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// A body of ready frames, and behind them that of the request; the semaphore is released when it is dropped.
struct Frames(VecDeque<Bytes>, Option<Arc<Semaphore>>, RequestBody);

impl Drop for Frames {
    fn drop(&mut self) {
        if let Some(dropped) = &self.1 {
            dropped.add_permits(1);
        }
    }
}

impl Lined for Frames {}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frames = self.get_mut();
        match frames.0.pop_front() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Pin::new(&mut frames.2).poll_frame(context).map(|frame| frame?.ok().map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty() && self.2.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.2.size_hint().exact() {
            Some(rest) => {
                SizeHint::with_exact(self.0.iter().map(|bytes| bytes.len() as u64).sum::<u64>() + rest)
            }
            None => SizeHint::default(),
        }
    }
}

/// What a test sees of the handlers, and tells them.
#[derive(Clone)]
struct World {
    /// Method and path of each request that a handler was called with.
    seen: Arc<Mutex<Vec<String>>>,
    /// Released once for each request to `/slow`.
    gate: Arc<Semaphore>,
    /// Released by each request to `/slow` that has begun.
    begun: Arc<Semaphore>,
    /// Released when the body of an answer to `/big` is dropped.
    dropped: Arc<Semaphore>,
    counters: Arc<Counters>,
}

#[derive(Clone)]
struct Toy(World);

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Frames> {
    let text = text.into();
    let frames = if text.is_empty() { VecDeque::new() } else { VecDeque::from([text]) };
    let mut response = Response::new(Frames(frames, None, RequestBody::default()));
    *response.status_mut() = status;
    response
}

impl Handler for Toy {
    type Body = Frames;

    async fn handle(
        &self,
        request: Box<RequestHead>,
        body: RequestBody,
        connection: &Connection,
    ) -> Response<Frames> {
        let path = request.target.path().to_owned();
        self.0.seen.lock().unwrap().push(format!("{} {path}", request.method));
        match path.as_str() {
            "/echo" => match body.collect().await {
                Ok(body) => text(StatusCode::OK, body.to_bytes()),
                Err(RequestError::BodyTimeout) => text(StatusCode::REQUEST_TIMEOUT, "slow"),
                Err(_) => text(StatusCode::BAD_REQUEST, "broken"),
            },
            "/mirror" => Response::new(Frames(VecDeque::new(), None, body)),
            "/slow" => {
                self.0.begun.add_permits(1);
                self.0.gate.acquire().await.unwrap().forget();
                text(StatusCode::OK, "at last")
            }
            "/big" => {
                let frames = vec![Bytes::from(vec![b'x'; 16 * 1024]); 1024];
                Response::new(Frames(
                    frames.into(),
                    Some(Arc::clone(&self.0.dropped)),
                    RequestBody::default(),
                ))
            }
            "/upgrade" => {
                connection.open_tunnel(Box::new(|stream| {
                    Box::pin(async move {
                        let (mut reader, mut writer) = tokio::io::split(stream);
                        drop(tokio::io::copy(&mut reader, &mut writer).await);
                        drop(writer.shutdown().await);
                    })
                }));
                let mut response = text(StatusCode::SWITCHING_PROTOCOLS, "");
                response.headers_mut().insert("connection", "upgrade".parse().unwrap());
                response.headers_mut().insert("upgrade", "echo".parse().unwrap());
                response
            }
            "/peer" => text(StatusCode::OK, format!("{} {:?}", connection.peer, connection.scheme)),
            "/panic" => panic!("as asked"),
            _ => text(StatusCode::OK, format!("hello {path}")),
        }
    }

    fn refuse(&self, error: RequestError, _: &Connection) -> Response<Frames> {
        let status = match error {
            RequestError::HeadTimeout => 408,
            RequestError::TargetTooLong => 414,
            RequestError::HeadTooLarge => 431,
            RequestError::TooManyConnections => 503,
            _ => 400,
        };
        text(StatusCode::from_u16(status).unwrap(), "refused")
    }
}

/// A running server on a port of its own.
struct Running {
    address: SocketAddr,
    world: World,
    server: Server,
}

struct Setup {
    limits: Limits,
    timeouts: Timeouts,
    tls: Option<TlsSettings>,
    proxy_protocol: bool,
    trust: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            limits: Limits {
                head: 4096,
                fields: 20,
                target: 1000,
                connections: 100,
                h2_streams: 10,
                h2_header_list: 4096,
            },
            timeouts: Timeouts {
                head: minute,
                body: minute,
                idle: minute,
                drain: minute,
                drain_idle: Duration::ZERO,
            },
            tls: None,
            proxy_protocol: false,
            trust: true,
        }
    }
}

impl Setup {
    fn start(self) -> Running {
        let address = "127.0.0.1:0".to_owned();
        let listener = Listener { address, tls: self.tls, proxy_protocol: self.proxy_protocol };
        let bound = BoundListener::bind(&listener).unwrap();
        let world = World {
            seen: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            begun: Arc::new(Semaphore::new(0)),
            dropped: Arc::new(Semaphore::new(0)),
            counters: Arc::default(),
        };
        let trust = self.trust;
        let options = Options {
            workers: 2,
            settings: Arc::new(ArcSwap::from_pointee(Settings {
                limits: self.limits,
                timeouts: self.timeouts,
            })),
            trusted: Arc::new(move |_| trust),
            counters: Arc::clone(&world.counters),
        };
        let address = bound.address();
        let toy = world.clone();
        let server = Server::start(vec![bound], options, move || Toy(toy.clone())).unwrap();
        Running { address, world, server }
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads until the server closes.
    async fn talk(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        rest(&mut stream).await
    }

    fn seen(&self) -> Vec<String> {
        self.world.seen.lock().unwrap().clone()
    }
}

/// All that comes until the server closes; a reset counts as the end.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes));
    drop(read.await.expect("the server should have closed"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until what came ends with `end`.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = String::new();
    while !read.ends_with(end) {
        let byte = tokio::time::timeout(Duration::from_secs(20), stream.read_u8()).await;
        read.push(char::from(
            byte.expect("in time").unwrap_or_else(|error| panic!("{error} after {read:?}")),
        ));
    }
    read
}

/// The status codes of the responses in a transcript.
fn statuses(transcript: &str) -> Vec<u16> {
    transcript.split("HTTP/1.1 ").skip(1).map(|part| part.get(..3).unwrap().parse().unwrap()).collect()
}
