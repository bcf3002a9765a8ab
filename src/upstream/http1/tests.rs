//! Responses in pieces: however a stream is cut, it is read alike, and to the byte.

use super::Receiving;
use crate::http1::{Coding, Sending};
use crate::request::RequestError;
use crate::upstream::upload::Outgoing;
use bytes::Bytes;
use http_body::{Body, Frame};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that gives these pieces and ends, and takes only so many bytes at once.
struct Cut {
    pieces: VecDeque<Vec<u8>>,
    taken: Vec<u8>,
    at_once: usize,
}

impl Cut {
    fn giving(bytes: &[u8], mut lengths: impl Iterator<Item = usize>) -> Self {
        let (mut pieces, mut rest) = (VecDeque::new(), bytes);
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(lengths.next().unwrap_or(rest.len()).clamp(1, rest.len()));
            pieces.push_back(piece.to_vec());
            rest = behind;
        }
        Self { pieces, taken: Vec::new(), at_once: usize::MAX }
    }

    fn taking(at_once: usize) -> Self {
        Self { pieces: VecDeque::new(), taken: Vec::new(), at_once }
    }
}

impl AsyncRead for Cut {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.pieces.pop_front() {
            let behind = piece.split_off(piece.len().min(buffer.remaining()));
            buffer.put_slice(&piece);
            if !behind.is_empty() {
                self.pieces.push_front(behind);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Cut {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = bytes.len().min(self.at_once);
        self.taken.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A body in these pieces.
struct Given(VecDeque<Bytes>);

impl Body for Given {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        Poll::Ready(self.0.pop_front().map(|data| Ok(Frame::data(data))))
    }
}

/// What a response was read as: status, fields, body, trailers, whether the connection may serve again.
#[derive(PartialEq, Eq, Debug)]
enum Read {
    Whole { status: u16, fields: Result<String, &'static str>, body: Vec<u8>, trailers: usize, again: bool },
    NoHead,
    BrokenBody(Vec<u8>),
}

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a stream that never waits"),
    }
}

fn read(bytes: &[u8], wants_body: bool, lengths: impl Iterator<Item = usize>) -> Read {
    let (mut stream, mut receiving) = (Cut::giving(bytes, lengths), Receiving::default());
    let context = &mut Context::from_waker(Waker::noop());
    receiving.expect(wants_body);
    let Ok(head) = ready(receiving.poll_head(&mut stream, context)) else { return Read::NoHead };
    let (mut body, mut trailers) = (Vec::new(), 0);
    while let Some(frame) = ready(receiving.poll_frame(&mut stream, context)) {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => body.extend_from_slice(&data),
            Ok(Err(other)) => trailers += other.into_trailers().unwrap().len(),
            Err(_) => return Read::BrokenBody(body),
        }
    }
    let again = receiving.rest() && stream.pieces.is_empty();
    Read::Whole {
        status: head.parts.status.as_u16(),
        fields: head.lines.map(|lines| String::from_utf8_lossy(lines.as_bytes()).into_owned()),
        body,
        trailers,
        again,
    }
}

fn at_once(text: &str) -> Read {
    read(text.as_bytes(), true, std::iter::empty())
}

fn whole(fields: &str, body: &str, trailers: usize, again: bool) -> Read {
    Read::Whole { status: 200, fields: Ok(fields.to_owned()), body: body.into(), trailers, again }
}

#[test]
fn bodies_end_where_their_framing_says() {
    let sized = |length: &str, rest: &str| {
        at_once(&format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{rest}"))
    };
    assert_eq!(sized("2", "ok"), whole("content-length: 2\r\n", "ok", 0, true));
    assert_eq!(sized("0", ""), whole("content-length: 0\r\n", "", 0, true));
    assert_eq!(
        sized("2", "okHTTP/1.1 200 OK\r\n\r\n"),
        whole("content-length: 2\r\n", "ok", 0, false),
        "what nobody asked for"
    );
    assert_eq!(sized("3", "ok"), Read::BrokenBody(b"ok".to_vec()));
    for wrong in ["", "+2", "-0", "0x2", "2,2", "99999999999999999999", " "] {
        assert_eq!(sized(wrong, "ok"), Read::NoHead, "{wrong}");
    }
    assert_eq!(
        at_once("HTTP/1.1 200 OK\r\nx: y\r\n\r\nuntil the end"),
        whole("x: y\r\n", "until the end", 0, false)
    );
    assert_eq!(
        at_once("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        whole("content-length: 2\r\n", "ok", 0, false),
        "an old server hangs up"
    );
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
    assert_eq!(
        read(head, false, std::iter::empty()),
        whole("content-length: 2\r\n", "", 0, false),
        "the answer to HEAD may be followed by a body"
    );
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(
        read(head, false, std::iter::empty()),
        whole("content-length: 0\r\n", "", 0, true),
        "the answer to HEAD that has none"
    );
}

#[test]
fn chunks_end_where_their_framing_says() {
    let chunked =
        |rest: &str| at_once(&format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{rest}"));
    assert_eq!(chunked("2\r\nok\r\n0\r\n\r\n"), whole("", "ok", 0, true));
    assert_eq!(chunked("1;a=b\r\no\r\n01 \r\nk\r\n0;x\r\n\r\n"), whole("", "ok", 0, true));
    assert_eq!(chunked("2\r\nok\r\n0\r\nx-sum: 2\r\nx: y\r\n\r\n"), whole("", "ok", 2, true));
    assert_eq!(chunked("2\r\nok\r\n0\r\n\r\n0\r\n\r\n"), whole("", "ok", 0, false));
    let long = "a: b\r\n".repeat(3000);
    let bare =
        ["\n", "\n\n", "\n\r\n", "a: b\n\n", "a: b\r\n\n", "a: b\nc: d\r\n\r\n", "\nHTTP/1.1 200 OK\r\n\r\n"];
    for trailers in bare.into_iter().chain([&*format!("{long}\r\n")]) {
        assert_eq!(
            chunked(&format!("2\r\nok\r\n0\r\n{trailers}")),
            Read::BrokenBody(b"ok".to_vec()),
            "{trailers:?}"
        );
    }
    for broken in ["2\r\nok", "2\r\nok\r\n", "2\r\nok\r\n0\r\n", "2\r\nokk\r\n", "2\r\nok\n0\r\n\r\n"] {
        assert_eq!(chunked(broken), Read::BrokenBody(b"ok".to_vec()), "{broken:?}");
    }
    for broken in [
        "",
        "\r\n",
        "\r\n\r\n",
        ";a\r\n\r\n",
        "g\r\n",
        "-1\r\n",
        "10000000000000000\r\n",
        "2\nok\r\n",
        &"1".repeat(8000),
    ] {
        assert_eq!(chunked(broken), Read::BrokenBody(Vec::new()), "{broken:?}");
    }
}

#[test]
fn where_a_body_has_no_place_none_is_waited_for_and_none_becomes_an_answer() {
    let answer = |status: &str, fields: &str| at_once(&format!("HTTP/1.1 {status}\r\n{fields}\r\n"));
    let again = |read| matches!(read, Read::Whole { again: true, .. });
    for status in ["204 No Content", "304 Not Modified"] {
        assert!(again(answer(status, "")), "{status}");
        assert!(again(answer(status, "content-length: 0\r\n")), "{status}");
        for told in ["content-length: 2\r\n", "transfer-encoding: chunked\r\n", "content-length: x\r\n"] {
            let read = answer(status, told);
            assert!(matches!(read, Read::Whole { again: false, .. }), "{status} {told} {read:?}");
        }
    }
    assert_eq!(at_once("HTTP/1.1 100 Continue\r\ncontent-length: 2\r\n\r\nok"), Read::NoHead);
}

#[test]
fn heads_without_end_are_given_up() {
    assert_eq!(at_once(&format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(40_000))), Read::NoHead);
    assert_eq!(at_once(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(40)), Read::NoHead);
    assert_eq!(at_once(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(101))), Read::NoHead);
}

/// Anything from well-formed responses to garbage.
fn responses() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("HTTP/1.1 200 OK\r\n"),
        Just("HTTP/1.1 204 No Content\r\n"),
        Just("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not\r\n"),
        Just("HTTP/1.0 200\r\n"),
        Just("HTTP/1.1 200 OK\n"),
        Just("\r\n\r\n"),
    ];
    let field = prop_oneof![
        Just("content-length: 7\r\n"),
        Just("Transfer-Encoding: chunked\r\n"),
        Just("connection: close\r\n"),
        Just("x: y\r\n"),
        Just("x:y\n"),
        Just("bad line\r\n"),
    ];
    let body = prop_oneof![
        Just("3\r\nabc\r\n"),
        Just("0\r\n\r\n"),
        Just("0\r\na: b\r\n\r\n"),
        Just("f;e\r\n0123456789abcde\r\n"),
        Just("\r"),
        Just("\n"),
        Just("seven!!"),
    ];
    (line, prop::collection::vec(field, 0..4), prop::collection::vec(body, 0..5)).prop_map(
        |(line, fields, body)| [line, &fields.concat(), "\r\n", &body.concat()].concat().into_bytes(),
    )
}

proptest! {
    #[test]
    fn a_cut_changes_nothing(
        response in responses(),
        wants_body: bool,
        lengths in prop::collection::vec(1_usize..9, 0..200),
    ) {
        let whole = read(&response, wants_body, std::iter::empty());
        prop_assert_eq!(&read(&response, wants_body, lengths.into_iter()), &whole);
        prop_assert_eq!(&read(&response, wants_body, std::iter::repeat(1)), &whole);
    }

    #[test]
    fn what_is_sent_is_what_was_given(
        pieces in prop::collection::vec(prop_oneof![0_usize..9, 4000_usize..4200, 9000_usize..9001], 0..6),
        chunked: bool,
        at_once in 1_usize..6000,
    ) {
        let given: Vec<Bytes> = pieces.iter().map(|&length| Bytes::from(vec![b'x'; length])).collect();
        let total: usize = pieces.iter().sum();
        let body = Outgoing::new(Given(given.into()));
        let coding = if chunked { Coding::Chunked } else { Coding::Length(total as u64) };
        let mut head = b"POST / HTTP/1.1\r\n".to_vec();
        coding.put(&mut head);
        head.extend_from_slice(b"\r\n");
        let start = head.len();
        let (mut sending, mut stream) = (Sending::new(head, body, coding), Cut::taking(at_once));
        ready(sending.poll(&mut stream, &mut Context::from_waker(Waker::noop()))).unwrap();
        let sent = &stream.taken[start..];
        if chunked {
            let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            answer.extend_from_slice(sent);
            let body = vec![b'x'; total];
            let wanted = Read::Whole { status: 200, fields: Ok(String::new()), body, trailers: 0, again: true };
            prop_assert_eq!(read(&answer, true, std::iter::empty()), wanted);
        } else {
            prop_assert_eq!(sent, vec![b'x'; total]);
        }
    }
}
