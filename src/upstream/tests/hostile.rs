//! An upstream in an attacker's hands: what it sends is refused or passed on within bounds, and nothing of it becomes
//! the answer to somebody else.

use super::bench::*;
use crate::upstream::{BodyError, UpstreamError};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Sends these bytes as its first answer, keeps the connection open, and answers properly on every other.
async fn lying(answer: impl AsRef<[u8]> + 'static) -> Scripted {
    let answer = Rc::new(answer);
    scripted(move |number, mut wire| {
        let answer = Rc::clone(&answer);
        async move {
            while !wire.head().await.is_empty() {
                let bytes = if number == 1 { (*answer).as_ref() } else { OK.as_bytes() };
                let _ = wire.stream.write_all(bytes).await;
            }
        }
    })
    .await
}

/// Another request is answered, by another connection.
async fn stands(worker: &Worker, upstream: &Scripted, after: &str) {
    assert_eq!(worker.get("/after").await, (200, "ok".to_owned()), "{after:?}");
    assert_eq!(upstream.connections.get(), 2, "{after:?}");
}

#[test]
fn what_is_no_head_is_refused() {
    run(async {
        for answer in [
            // HTTP/0.9 and other tongues
            "<html>hello</html>\r\n\r\n",
            "\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
            // status lines
            "HTTP/1.2 200 OK\r\n\r\n",
            "HTTP/11 200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 +20 OK\r\n\r\n",
            "HTTP/1.1 200OK\r\n\r\n",
            "HTTP/1.1 2000\r\n\r\n",
            "HTTP/1.1\t200 OK\r\n\r\n",
            "HTTP/1.1 200 O\0K\r\n\r\n",
            " HTTP/1.1 200 OK\r\n\r\n",
            // fields
            "HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding:\r\n chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding : chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding\0: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: \x0bchunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent\u{2d0}length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nx: \x7f\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: a\r\rb\r\n\r\n",
            // lengths
            "HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 2 3\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n",
            // behind an interim response
            "HTTP/1.1 103 Early Hints\r\n\r\nok\r\n\r\n",
            "HTTP/1.1 102 Processing\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ] {
            let answer =
                if answer.contains("\r\n\r\n") { answer.to_owned() } else { format!("{answer}\r\n\r\n") };
            let upstream = lying(answer.clone()).await;
            let worker = Worker::new(&[upstream.port]);
            let result = worker.send(request("GET", "/", empty())).await;
            assert!(matches!(result, Err(UpstreamError::BrokeOff { .. })), "{answer:?}: {result:?}");
            stands(&worker, &upstream, &answer).await;
        }
    });
}

#[test]
fn heads_that_can_be_read_in_two_ways_are_refused() {
    run(async {
        for fields in [
            "transfer-encoding: chunked, identity",
            "transfer-encoding: identity",
            "transfer-encoding: xchunked",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity",
            "transfer-encoding: \"chunked\"",
            "transfer-encoding:",
            "content-length: 2\r\ncontent-length: 02",
            "content-length: 2\r\ntransfer-encoding: identity",
            &format!("connection: {}", (0..40).map(|n| format!("x-{n}")).collect::<Vec<_>>().join(",")),
        ] {
            let upstream = lying(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n2\r\nok\r\n0\r\n\r\n")).await;
            let worker = Worker::new(&[upstream.port]);
            let result = worker.send(request("GET", "/", empty())).await;
            assert!(matches!(result, Err(UpstreamError::BadResponse { .. })), "{fields}: {result:?}");
            stands(&worker, &upstream, fields).await;
        }
    });
}

#[test]
fn bodies_that_lie_break_off_and_take_their_connection_along() {
    run(async {
        for body in [
            "2\r\nokay\r\n0\r\n\r\n",
            "2 2\r\nok\r\n0\r\n\r\n",
            "2\rok\r\n0\r\n\r\n",
            "0x2\r\nok\r\n0\r\n\r\n",
            "2,\r\nok\r\n0\r\n\r\n",
            "2;a\nb\r\nok\r\n0\r\n\r\n",
            "2;\0\r\nok\r\n0\r\n\r\n",
            "\u{ff12}\r\nok\r\n0\r\n\r\n",
            "10000000000000002\r\nok\r\n0\r\n\r\n",
            "2\r\nok\r\n0\r\nno field\r\n\r\n",
            "2\r\nok\r\n0\r\nx: 1\r\n folded\r\n\r\n",
            "2\r\nok\r\n0\r\nx: \0\r\n\r\n",
        ] {
            let upstream = lying(format!("{CHUNKED}{body}")).await;
            let worker = Worker::new(&[upstream.port]);
            let answer = worker.send(request("GET", "/", empty())).await.unwrap().into_body().collect().await;
            assert!(matches!(answer, Err(BodyError::BrokeOff { .. })), "{body:?}: {answer:?}");
            stands(&worker, &upstream, body).await;
        }
    });
}

#[test]
fn what_comes_behind_an_answer_is_nobodys() {
    run(async {
        const EVIL: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
        for (answer, status, body) in [
            (OK, 200, "ok"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, ""),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", 304, ""),
            ("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", 304, ""),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n", 200, ""),
        ] {
            let upstream = lying(format!("{answer}{EVIL}")).await;
            let worker = Worker::new(&[upstream.port]);
            assert_eq!(worker.get("/").await, (status, body.to_owned()), "{answer:?}");
            stands(&worker, &upstream, answer).await;
        }
    });
}

/// Begins with `opening` and goes on with `piece` as fast as it is taken. Counts what was taken.
async fn flooding(opening: &'static str, piece: &'static str) -> (Scripted, Rc<Cell<usize>>) {
    let taken = Rc::new(Cell::new(0));
    let count = Rc::clone(&taken);
    let upstream = scripted(move |_, mut wire| {
        let count = Rc::clone(&count);
        async move {
            wire.head().await;
            wire.write(opening).await;
            let pieces = piece.repeat(64 * 1024 / piece.len()).into_bytes();
            while wire.stream.write_all(&pieces).await.is_ok() {
                count.set(count.get() + pieces.len());
            }
        }
    })
    .await;
    (upstream, taken)
}

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\nx: y\r\n\r\n";
/// What has no end, and whether it has an answer's head.
const ENDLESS: [(&str, &str, bool); 9] = [
    ("", "H", false),
    ("HTTP/1.1 200 ", "x", false),
    ("HTTP/1.1 200 OK\r\n", "x", false),
    ("HTTP/1.1 200 OK\r\nx: ", "y", false),
    ("HTTP/1.1 200 OK\r\n", "x: y\r\n", false),
    ("", CONTINUE, false),
    ("2\r\nok\r\n0", "0", true),
    ("2;", "x", true),
    ("0\r\n", "x: y\r\n", true),
];

#[test]
fn what_has_no_end_is_cut_off() {
    run(async {
        for (opening, piece, has_head) in ENDLESS {
            let opening: &str = if has_head { format!("{CHUNKED}{opening}").leak() } else { opening };
            let (upstream, taken) = flooding(opening, piece).await;
            let worker = Worker::new(&[upstream.port]);
            match worker.send(request("GET", "/", empty())).await {
                Ok(response) => {
                    let body = response.into_body().collect().await;
                    assert!(
                        has_head && matches!(body, Err(BodyError::BrokeOff { .. })),
                        "{piece:?}: {body:?}"
                    );
                }
                Err(error) => {
                    assert!(
                        !has_head && matches!(error, UpstreamError::BrokeOff { .. }),
                        "{piece:?}: {error:?}"
                    );
                }
            }
            assert!(taken.get() < IN_FLIGHT, "{piece:?}: {}", taken.get());
        }
    });
}

#[test]
fn drops_are_no_answer_however_many() {
    run(async {
        for (opening, piece, has_head) in ENDLESS {
            let upstream = scripted(move |_, mut wire| async move {
                wire.head().await;
                if has_head {
                    wire.write(CHUNKED).await;
                }
                wire.write(opening).await;
                let mut pace = tokio::time::interval(Duration::from_millis(5));
                while wire.stream.write_all(piece.as_bytes()).await.is_ok() {
                    pace.tick().await;
                }
            })
            .await;
            let mut worker = Worker::new(&[upstream.port]);
            worker.settings.response_timeout = Duration::from_millis(60);
            match worker.send(request("GET", "/", empty())).await {
                Ok(response) => {
                    let body = response.into_body().collect().await;
                    assert!(
                        has_head && matches!(body, Err(BodyError::Stalled { .. })),
                        "{piece:?}: {body:?}"
                    );
                }
                Err(error) => {
                    let in_time = matches!(error, UpstreamError::ResponseTimeout { .. });
                    assert!(!has_head && in_time, "{piece:?}: {error:?}");
                }
            }
        }
    });
}

#[test]
fn what_is_odd_but_clear_passes_without_what_is_for_us() {
    let shown = |response: &Response<_>| -> Vec<String> {
        let fields = response.headers().iter();
        fields.map(|(name, value)| format!("{name}: {}", value.as_bytes().escape_ascii())).collect()
    };
    run(async {
        for (status, head, fields) in [
            // A switch that nobody asked for is none.
            (
                200,
                "200 OK\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2",
                &["content-length: 2"][..],
            ),
            (
                426,
                "426 Upgrade Required\r\nconnection: upgrade\r\nupgrade: TLS/1.3\r\ncontent-length: 2",
                &["content-length: 2"],
            ),
            (999, "999 \r\ncontent-length: 2", &["content-length: 2"]),
            (200, "200 \u{e9}\r\ncontent-length: 2", &["content-length: 2"]),
            (200, "200 OK\r\ncontent-length:  2 \t\r\nX: \t\u{e9} ", &["content-length: 2", "x: \\xc3\\xa9"]),
            (
                200,
                "200 OK\r\nconnection: x-a\r\nx-a: 1\r\nx-b: 2\r\ncontent-length: 2",
                &["x-b: 2", "content-length: 2"],
            ),
            (
                200,
                "200 OK\r\nkeep-alive: 1\r\nproxy-connection: a\r\nte: x\r\ncontent-length: 2",
                &["content-length: 2"],
            ),
        ] {
            let upstream = lying(format!("HTTP/1.1 {head}\r\n\r\nok")).await;
            let answer = Worker::new(&[upstream.port]).send(request("GET", "/", empty())).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{head:?}");
            assert_eq!(shown(&answer), fields, "{head:?}");
            assert_eq!(whole(answer).await, (status, "ok".to_owned()), "{head:?}");
        }
    });
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A field as HPACK writes it without its tables; names and values are short.
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| vec![u8::try_from(text.len()).unwrap()];
    [vec![0], length(name), name.as_bytes().to_vec(), length(value), value.as_bytes().to_vec()].concat()
}

/// Kind and flags of a frame.
type Kind = (u8, u8);

const HEAD: Kind = (1, 4);
const LAST_HEAD: Kind = (1, 5);
const LAST_DATA: Kind = (0, 1);

/// The frames of an answer on the first stream.
fn frames(frames: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    let of = |((kind, flags), payload): &(Kind, Vec<u8>)| frame(*kind, *flags, 1, payload);
    [frame(4, 0, 0, b""), frame(4, 1, 0, b""), frames.iter().flat_map(of).collect()].concat()
}

/// Whether a worker that is answered so gets a whole answer.
async fn http2_answer(answer: Vec<u8>) -> Option<(StatusCode, usize)> {
    let upstream = scripted(move |_, mut wire| {
        let answer = answer.clone();
        async move {
            wire.until("SM\r\n\r\n").await;
            let _ = wire.stream.write_all(&answer).await;
            // What else the gateway says is not looked at.
            let _ = tokio::io::copy(&mut wire.stream, &mut tokio::io::sink()).await;
        }
    })
    .await;
    let mut worker = Worker::new(&[upstream.port]);
    worker.settings.h2c = true;
    let response = worker.send(request("GET", "/", empty())).await.ok()?;
    let status = response.status();
    Some((status, response.into_body().collect().await.ok()?.to_bytes().len()))
}

#[test]
fn an_http2_upstream_is_believed_no_more() {
    run(async {
        const STATUS: u8 = 0x88;
        let head = |more: &[Vec<u8>]| [vec![STATUS], more.concat()].concat();
        let good = frames(&[(HEAD, head(&[field("content-length", "2")])), (LAST_DATA, b"ok".to_vec())]);
        assert_eq!(http2_answer(good).await, Some((StatusCode::OK, 2)), "what the others are measured by");
        let cases = [
            ("no status", vec![(LAST_HEAD, field("x", "y"))]),
            ("two statuses", vec![(LAST_HEAD, vec![STATUS, STATUS])]),
            ("a capital", vec![(LAST_HEAD, head(&[field("X", "y")]))]),
            ("a field of the connection", vec![(LAST_HEAD, head(&[field("connection", "x")]))]),
            ("a transfer coding", vec![(LAST_HEAD, head(&[field("transfer-encoding", "chunked")]))]),
            ("a line in a value", vec![(LAST_HEAD, head(&[field("x", "a\r\nset-cookie: b")]))]),
            ("a line in a name", vec![(LAST_HEAD, head(&[field("x: y\r\nz", "a")]))]),
            ("NUL", vec![(LAST_HEAD, head(&[field("x", "\0")]))]),
            (
                "two lengths",
                vec![(LAST_HEAD, head(&[field("content-length", "0"), field("content-length", "1")]))],
            ),
            ("too little", vec![(HEAD, head(&[field("content-length", "3")])), (LAST_DATA, b"ok".to_vec())]),
            ("too much", vec![(HEAD, head(&[field("content-length", "1")])), (LAST_DATA, b"ok".to_vec())]),
            ("a body before its head", vec![(LAST_DATA, b"ok".to_vec())]),
            ("a promise", vec![((5, 4), [&[0, 0, 0, 2], &*head(&[])].concat()), (LAST_HEAD, head(&[]))]),
        ];
        for (name, case) in cases {
            assert_eq!(http2_answer(frames(&case)).await, None, "{name}");
        }
        let long = "y".repeat(100);
        let many: Vec<_> = (0..2000).map(|_| field("x", &long)).collect();
        let mut flood = frames(&[((1, 0), head(&many[..100]))]);
        for fields in many[100..].chunks(100) {
            flood.extend(frame(9, 0, 1, &fields.concat()));
        }
        assert_eq!(http2_answer(flood).await, None, "fields without end");
    });
}
