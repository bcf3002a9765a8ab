//! What an upstream sends, cut anywhere: read alike however it is cut, and as hyper's client reads it.
//!
//! Reading byte by byte takes nothing behind the message, so what remains then is what must remain in every other way.
//! hyper is asked only about what goes on to the client: its body, and each field that does.
#![no_main]

use aclgate::http1::FieldLines;
use aclgate::upstream::http1::Receiving;
use bytes::Bytes;
use futures_executor::block_on;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty};
use hyper::rt::ReadBufCursor;
use libfuzzer_sys::fuzz_target;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, ReadBuf};

/// The bytes of an upstream in pieces, then its end. It says nothing before something was written to it.
struct Pieces<'a> {
    rest: &'a [u8],
    /// Makes the lengths of the pieces; 0: one piece, 1: single bytes.
    seed: u32,
    asked: bool,
    reader: Option<Waker>,
}

impl<'a> Pieces<'a> {
    fn new(rest: &'a [u8], seed: u32) -> Self {
        Self { rest, seed, asked: false, reader: None }
    }

    fn next(&mut self, room: usize) -> &'a [u8] {
        let wanted = match self.seed {
            0 => usize::MAX,
            1 => 1,
            _ => {
                self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) | 2;
                1 + (self.seed >> 16) as usize % 24
            }
        };
        let (piece, rest) = self.rest.split_at(wanted.min(room).min(self.rest.len()));
        self.rest = rest;
        piece
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.remaining();
        buffer.put_slice(self.next(room));
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Read for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.asked {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let room = buffer.remaining();
        buffer.put_slice(self.next(room));
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Pieces<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.asked = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are two of them, for one comparison")]
enum Seen {
    NoHead,
    Broken {
        status: u16,
        body: Vec<u8>,
    },
    Whole {
        status: u16,
        /// `None`: nothing of it goes on.
        fields: Option<HeaderMap>,
        body: Vec<u8>,
        trailers: HeaderMap,
        again: bool,
        rest: Vec<u8>,
    },
}

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the stream never waits"),
    }
}

fn ours(bytes: &[u8], wants_body: bool, seed: u32) -> Seen {
    let (mut stream, mut receiving) = (Pieces::new(bytes, seed), Receiving::default());
    let context = &mut Context::from_waker(Waker::noop());
    receiving.expect(wants_body);
    let Ok(head) = ready(receiving.poll_head(&mut stream, context)) else { return Seen::NoHead };
    let status = head.parts.status.as_u16();
    let (mut body, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = ready(receiving.poll_frame(&mut stream, context)) {
        let Ok(frame) = frame else { return Seen::Broken { status, body } };
        match frame.into_data() {
            Ok(data) => {
                assert!(!data.is_empty(), "every frame brings something");
                assert!(trailers.is_empty(), "nothing follows trailers");
                body.extend_from_slice(&data);
            }
            Err(other) => trailers = other.into_trailers().expect("data or trailers"),
        }
    }
    assert!(receiving.has_ended());
    let again = receiving.rest();
    let mut rest = receiving.into_rest().to_vec();
    assert!(!again || rest.is_empty(), "a connection with bytes that nobody asked for");
    rest.extend_from_slice(stream.rest);
    // Whether it may serve again depends on what has come by then.
    let again = again && rest.is_empty();
    Seen::Whole { status, fields: head.lines.ok().map(unfolded), body, trailers, again, rest }
}

fn unfolded(lines: FieldLines) -> HeaderMap {
    let mut fields = HeaderMap::new();
    lines.unfold(&mut fields);
    fields
}

/// A response as hyper's client has it.
struct Theirs {
    status: u16,
    fields: HeaderMap,
    /// `None`: it broke off.
    body: Option<Bytes>,
}

/// What hyper's client reads; `None`: no response.
fn hypers(bytes: &[u8], wants_body: bool) -> Option<Theirs> {
    block_on(async {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(Pieces::new(bytes, 0)).await.ok()?;
        let method = if wants_body { "GET" } else { "HEAD" };
        let request = Request::builder().method(method).uri("/").header("host", "a");
        let response = sender.send_request(request.body(Empty::<Bytes>::new()).expect("a request"));
        let exchange = async move {
            let response = response.await.ok()?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.ok().map(|body| body.to_bytes());
            drop(sender);
            Some(Theirs { status: parts.status.as_u16(), fields: parts.headers, body })
        };
        let (seen, _) = futures_util::future::join(exchange, connection).await;
        seen
    })
}

// Whether a response goes on to the client, and its framing has one reading.
fuzz_target!(|input: &[u8]| {
    let Some((&[flags, low, high], bytes)) = input.split_first_chunk() else { return };
    let wants_body = flags & 1 == 0;
    let seed = u32::from(low) | u32::from(high) << 8 | 1 << 20;
    let whole = ours(bytes, wants_body, 0);
    for cut in [1, seed] {
        assert_eq!(ours(bytes, wants_body, cut), whole, "cut by {cut}");
    }
    let Seen::Whole { status, fields: Some(fields), body, .. } = whole else { return };
    let Some(theirs) = hypers(bytes, wants_body) else { return };
    assert_eq!(status, theirs.status);
    for name in fields.keys() {
        assert!(fields.get_all(name).iter().eq(theirs.fields.get_all(name)), "hyper's {name}");
    }
    if status != 101 {
        assert_eq!(Some(&*body), theirs.body.as_deref(), "hyper's body");
    }
});
