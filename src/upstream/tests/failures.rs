//! Exchanges that fail: what is sent again, what is not, what the error says.

use super::bench::*;
use crate::request::RequestError;
use crate::upstream::{BodyError, UpstreamError};
use http::StatusCode;
use http_body_util::BodyExt;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Answers the first request of its first connection, then reads the second and hangs up; serves all others.
async fn hanging_up() -> (Scripted, Rc<Cell<usize>>) {
    let requests = Rc::new(Cell::new(0));
    let count = Rc::clone(&requests);
    let upstream = scripted(move |number, mut wire| {
        let count = Rc::clone(&count);
        async move {
            for turn in 0.. {
                if wire.head().await.is_empty() {
                    return;
                }
                count.set(count.get() + 1);
                if number == 1 && turn == 1 {
                    return;
                }
                wire.write(OK).await;
            }
        }
    })
    .await;
    (upstream, requests)
}

#[test]
fn idempotent_requests_survive_a_connection_that_dies() {
    run(async {
        let (upstream, requests) = hanging_up().await;
        let worker = Worker::new(&[upstream.port]);
        worker.get("/").await;
        assert_eq!(worker.get("/").await, (200, "ok".to_owned()));
        assert_eq!((upstream.connections.get(), requests.get()), (2, 3));
    });
}

#[test]
fn a_post_that_may_have_arrived_is_never_repeated() {
    run(async {
        for with_body in [true, false] {
            let (upstream, requests) = hanging_up().await;
            let worker = Worker::new(&[upstream.port]);
            worker.get("/").await;
            let answer = if with_body {
                worker.send(request("POST", "/", full("hello"))).await
            } else {
                worker.send(request("POST", "/", empty())).await
            };
            assert!(matches!(answer, Err(UpstreamError::BrokeOff { .. })), "{answer:?}");
            assert_eq!((upstream.connections.get(), requests.get()), (1, 2));
        }
    });
}

#[test]
fn a_post_that_was_not_written_goes_by_a_new_connection() {
    run(async {
        let (closed, mut was_closed) = mpsc::unbounded_channel();
        let upstream = scripted(move |_, mut wire| {
            let closed = closed.clone();
            async move {
                let head = wire.head().await;
                if head.starts_with("POST") {
                    wire.until("hello").await;
                }
                wire.write(OK).await;
                drop(wire);
                closed.send(()).unwrap();
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        worker.get("/").await;
        was_closed.recv().await.unwrap();
        let answer = worker.send(request("POST", "/", full("hello"))).await.unwrap();
        assert_eq!(whole(answer).await.0, 200);
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn an_upstream_that_always_hangs_up_is_not_asked_for_ever() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            wire.head().await;
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let answer = worker.send(request("GET", "/", empty())).await;
        assert!(matches!(answer, Err(UpstreamError::BrokeOff { .. })), "{answer:?}");
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn nobody_listens() {
    run(async {
        let worker = Worker::new(&[dead_port().await, dead_port().await]);
        for _ in 0..3 {
            let answer = worker.send(request("GET", "/", empty())).await;
            assert!(
                matches!(answer, Err(UpstreamError::Connect { .. })),
                "tried although set aside: {answer:?}"
            );
        }
    });
}

#[test]
fn silence_is_a_timeout_and_the_connection_is_closed() {
    run(async {
        let (ended, mut has_ended) = mpsc::unbounded_channel();
        let upstream = scripted(move |_, mut wire| {
            let ended = ended.clone();
            async move {
                if wire.head().await.contains("/stalls") {
                    wire.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab").await;
                }
                assert_eq!(wire.until("never").await, "");
                ended.send(()).unwrap();
            }
        })
        .await;
        let mut worker = Worker::new(&[upstream.port]);
        worker.settings.response_timeout = Duration::from_millis(50);
        let answer = worker.send(request("GET", "/", empty())).await;
        assert!(matches!(answer, Err(UpstreamError::ResponseTimeout { .. })), "{answer:?}");
        has_ended.recv().await.unwrap();

        let mut body = worker.send(request("GET", "/stalls", empty())).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ab");
        assert!(matches!(body.frame().await, Some(Err(BodyError::Stalled { .. }))));
        assert!(body.frame().await.is_none());
        has_ended.recv().await.unwrap();
    });
}

#[test]
fn half_a_body_is_an_error() {
    run(async {
        for head in ["content-length: 9\r\n\r\nab", "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n"] {
            let upstream = scripted(move |_, mut wire| async move {
                wire.head().await;
                wire.write(&format!("HTTP/1.1 200 OK\r\n{head}")).await;
            })
            .await;
            let worker = Worker::new(&[upstream.port]);
            let body = worker.send(request("GET", "/", empty())).await.unwrap().into_body();
            assert!(matches!(body.collect().await, Err(BodyError::BrokeOff { .. })), "{head}");
        }
    });
}

#[test]
fn responses_that_cannot_be_trusted_are_refused() {
    run(async {
        for answer in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nxx",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        ] {
            let upstream = scripted(move |_, mut wire| async move {
                wire.head().await;
                wire.write(answer).await;
                wire.head().await;
            })
            .await;
            let result = Worker::new(&[upstream.port]).send(request("GET", "/", empty())).await;
            assert!(matches!(result, Err(UpstreamError::BadResponse { .. })), "{answer}: {result:?}");
        }
        for answer in [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: 1\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: 1\rset-cookie: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: \0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx : 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx\r\n\r\n",
            "HTTP/1.1 200 O\rK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 99 Too Low\r\n\r\n",
            "HTTP/1.1 000 Nothing\r\n\r\n",
            "HTTP/1.1 1000 Too High\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "http/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 100 Continue\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
        ] {
            let upstream = scripted(move |_, mut wire| async move {
                wire.head().await;
                wire.write(answer).await;
                wire.head().await;
            })
            .await;
            let result = Worker::new(&[upstream.port]).send(request("GET", "/", empty())).await;
            assert!(matches!(result, Err(UpstreamError::BrokeOff { .. })), "{answer}: {result:?}");
        }
    });
}

#[test]
fn bytes_that_nobody_asked_for_are_never_an_answer() {
    run(async {
        let (sent, mut was_sent) = mpsc::unbounded_channel();
        let upstream = scripted(move |number, mut wire| {
            let sent = sent.clone();
            async move {
                wire.head().await;
                wire.write(OK).await;
                if number == 1 {
                    wire.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil").await;
                    sent.send(()).unwrap();
                }
                wire.head().await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        worker.get("/").await;
        was_sent.recv().await.unwrap();
        assert_eq!(worker.get("/").await, (200, "ok".to_owned()));
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn a_body_that_the_upstream_does_not_read_is_no_request_of_its_own() {
    run(async {
        let (show, mut shown) = mpsc::unbounded_channel();
        // Reads no bodies but those of POST, and keeps to `Connection`.
        let upstream = scripted(move |_, mut wire| {
            let show = show.clone();
            async move {
                loop {
                    let head = wire.head().await;
                    if head.is_empty() {
                        return;
                    }
                    if head.starts_with("POST") {
                        wire.until("\r\n\r\n").await;
                    }
                    wire.write(OK).await;
                    let ends = head.contains("connection: close\r\n");
                    show.send(head).unwrap();
                    if ends {
                        return;
                    }
                }
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let hidden = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
        let mut connections = 0;
        for method in ["GET", "OPTIONS", "DELETE", "get", "POST"] {
            assert_eq!(whole(worker.send(request(method, "/", full(hidden))).await.unwrap()).await.0, 200);
            assert_eq!(worker.get("/after").await.0, 200);
            for line in [format!("{method} / HTTP/1.1\r\n"), "GET /after HTTP/1.1\r\n".to_owned()] {
                let head = shown.recv().await.unwrap();
                assert!(head.starts_with(&line), "{method}: {head}");
            }
            // `/after` has one that the next method uses.
            connections += usize::from(method != "POST");
            assert_eq!(upstream.connections.get(), connections + 1, "{method}");
        }
    });
}

#[test]
fn the_clients_faults_are_told_apart() {
    run(async {
        let (ended, mut has_ended) = mpsc::unbounded_channel();
        let upstream = scripted(move |_, mut wire| {
            let ended = ended.clone();
            async move {
                wire.head().await;
                ended.send(wire.until("never").await).unwrap();
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let (feed, body) = fed();
        let (answer, ()) = tokio::join!(worker.send(request("POST", "/", body)), async {
            feed.send(data("hello")).await.unwrap();
            feed.send(Err(RequestError::BodyTimeout)).await.unwrap();
        });
        assert!(matches!(answer, Err(UpstreamError::Request(RequestError::BodyTimeout))), "{answer:?}");
        let arrived = has_ended.recv().await.unwrap();
        assert!(!arrived.contains("0\r\n\r\n"), "upstream must not take it for complete: {arrived}");
    });
}

#[test]
fn an_early_answer_ends_the_upload() {
    run(async {
        let upstream = scripted(|number, mut wire| async move {
            wire.head().await;
            if number > 1 {
                return wire.write(OK).await;
            }
            wire.write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig").await;
            wire.until("never").await;
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let (feed, body) = fed();
        let (answer, ()) = tokio::join!(worker.send(request("POST", "/", body)), async {
            feed.send(data("hello")).await.unwrap();
        });
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(whole(answer).await, (413, "big".to_owned()));
        feed.closed().await;
        assert_eq!(worker.get("/").await.0, 200);
        assert_eq!(upstream.connections.get(), 2, "the first is not used again");
    });
}

#[test]
fn an_answer_before_hanging_up_is_heard() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            wire.head().await;
            wire.write("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno").await;
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let (feed, body) = fed();
        let (answer, ()) = tokio::join!(worker.send(request("POST", "/", body)), async {
            while feed.send(data("hello")).await.is_ok() {}
        });
        assert_eq!(whole(answer.unwrap()).await, (403, "no".to_owned()));
    });
}

#[test]
fn a_client_that_goes_takes_its_exchange_along() {
    run(async {
        let (ended, mut has_ended) = mpsc::unbounded_channel();
        let (begun, mut has_begun) = mpsc::unbounded_channel();
        let upstream = scripted(move |_, mut wire| {
            let (ended, begun) = (ended.clone(), begun.clone());
            async move {
                wire.head().await;
                begun.send(()).unwrap();
                wire.until("never").await;
                ended.send(()).unwrap();
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        tokio::select! {
            answer = worker.send(request("GET", "/", empty())) => panic!("{answer:?}"),
            _ = has_begun.recv() => {}
        }
        has_ended.recv().await.unwrap();
    });
}
