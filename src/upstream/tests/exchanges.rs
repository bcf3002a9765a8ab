//! Exchanges that go well: framing, reuse, targets, several addresses.

use super::bench::*;
use http::{HeaderMap, Request};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn connections_are_used_again() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            for turn in 0.. {
                if wire.head().await.is_empty() {
                    return;
                }
                let chunked =
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n";
                wire.write(if turn % 2 == 0 { OK } else { chunked }).await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        for _ in 0..6 {
            assert_eq!(worker.get("/").await, (200, "ok".to_owned()));
        }
        assert_eq!(upstream.connections.get(), 1);

        let (one, two) = tokio::join!(worker.get("/"), worker.get("/"));
        assert_eq!((one.0, two.0), (200, 200));
        assert_eq!(upstream.connections.get(), 2);
        tokio::join!(worker.get("/"), worker.get("/"));
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn a_body_that_is_not_read_to_its_end_costs_the_connection() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            while !wire.head().await.is_empty() {
                wire.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nab").await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        drop(worker.send(request("GET", "/", empty())).await.unwrap());
        drop(worker.send(request("GET", "/", empty())).await.unwrap());
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn responses_without_a_body_keep_their_fields_and_their_connection_unless_they_tell_of_a_body() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            loop {
                let head = wire.head().await;
                let answer = match head.split(' ').next().unwrap() {
                    "" => return,
                    "HEAD" => "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
                    "DELETE" => "HTTP/1.1 304 Not Modified\r\netag: \"d\"\r\n\r\n",
                    "OPTIONS" => "HTTP/1.1 204 No Content\r\nallow: GET\r\n\r\n",
                    _ => "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\netag: \"e\"\r\n\r\n",
                };
                wire.write(answer).await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        for (method, status, name, value, connections) in [
            ("OPTIONS", 204, "allow", "GET", 1),
            ("DELETE", 304, "etag", "\"d\"", 1),
            ("HEAD", 200, "content-length", "10", 1),
            ("GET", 304, "content-length", "7", 2),
            ("GET", 304, "etag", "\"e\"", 3),
        ] {
            let response = worker.send(request(method, "/", empty())).await.unwrap();
            assert_eq!(response.headers()[name], value, "{method}");
            assert_eq!(whole(response).await, (status, String::new()));
            assert_eq!(upstream.connections.get(), connections, "{method}");
        }
    });
}

/// An upstream that shows the heads and the body of each request: `content-length`, or chunks until the last.
async fn showing() -> (Scripted, mpsc::UnboundedReceiver<String>) {
    let (show, shown) = mpsc::unbounded_channel();
    let upstream = scripted(move |_, mut wire| {
        let show = show.clone();
        async move {
            loop {
                let mut text = wire.head().await;
                if text.is_empty() {
                    return;
                }
                if text.contains("chunked") {
                    text += &wire.until("0\r\n\r\n").await;
                } else if text.contains("content-length: 5") {
                    text += &wire.until("hello").await;
                }
                show.send(text).unwrap();
                wire.write(OK).await;
            }
        }
    })
    .await;
    (upstream, shown)
}

#[test]
fn what_was_asked_for_is_what_is_sent() {
    run(async {
        let (upstream, mut shown) = showing().await;
        let worker = Worker::new(&[upstream.port]);
        for (method, uri, line) in [
            ("GET", "/a//b/../%2e%2E/c;x=1?q=%zz&&r", "GET /a//b/../%2e%2E/c;x=1?q=%zz&&r HTTP/1.1\r\n"),
            ("GET", "http://b.example/x?y", "GET /x?y HTTP/1.1\r\n"),
            ("OPTIONS", "*", "OPTIONS * HTTP/1.1\r\n"),
            ("PURGE", "/", "PURGE / HTTP/1.1\r\n"),
        ] {
            worker.send(request(method, uri, empty())).await.unwrap();
            let text = shown.recv().await.unwrap();
            assert!(text.starts_with(line), "{text}");
            assert!(!text.contains("content-length") && !text.contains("transfer-encoding"), "{text}");
        }
    });
}

#[test]
fn framing_follows_the_body() {
    run(async {
        let (upstream, mut shown) = showing().await;
        let worker = Worker::new(&[upstream.port]);
        let request = |method| {
            Request::builder().method(method).uri("/").header("host", "a").header("expect", "100-continue")
        };
        whole(worker.send(request("POST").body(full("hello")).unwrap()).await.unwrap()).await;
        let text = shown.recv().await.unwrap();
        assert!(
            text.contains("content-length: 5\r\n") && text.ends_with("hello") && !text.contains("expect"),
            "{text}"
        );

        whole(worker.send(request("POST").body(empty()).unwrap()).await.unwrap()).await;
        let text = shown.recv().await.unwrap();
        assert!(text.contains("content-length: 0\r\n") && !text.contains("transfer-encoding"), "{text}");

        for method in ["POST", "GET"] {
            let (feed, body) = fed();
            let sent = worker.send(request(method).header("content-length", "99").body(body).unwrap());
            let (answer, ()) = tokio::join!(sent, async {
                feed.send(data("hel")).await.unwrap();
                feed.send(data("lo")).await.unwrap();
                drop(feed);
            });
            assert_eq!(whole(answer.unwrap()).await.0, 200);
            let text = shown.recv().await.unwrap();
            assert!(
                text.contains("transfer-encoding: chunked\r\n") && !text.contains("content-length"),
                "{text}"
            );
            assert!(text.ends_with("\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), "{text}");
        }
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn trailers_pass_both_ways_without_what_must_not_be_there() {
    run(async {
        let seen = Rc::new(RefCell::new(String::new()));
        let see = Rc::clone(&seen);
        let upstream = scripted(move |_, mut wire| {
            let see = Rc::clone(&see);
            async move {
                let head = wire.head().await;
                let body = wire.until("0\r\n").await + &wire.until("\r\n\r\n").await;
                see.replace(head + &body);
                wire.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 2\r\nset-cookie: a=b\r\n\r\n").await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let (feed, body) = fed();
        let request = Request::post("/")
            .header("host", "a")
            .header("te", "trailers")
            .header("trailer", "x-sum, x-forwarded-for, authorization")
            .body(body)
            .unwrap();
        let (response, ()) = tokio::join!(worker.send(request), async {
            feed.send(data("hi")).await.unwrap();
            let mut trailers = HeaderMap::new();
            for name in ["x-sum", "x-forwarded-for", "authorization"] {
                trailers.insert(name, "1".parse().unwrap());
            }
            feed.send(Ok(http_body::Frame::trailers(trailers))).await.unwrap();
            drop(feed);
        });
        let body = http_body_util::BodyExt::collect(response.unwrap().into_body()).await.unwrap();
        let trailers = body.trailers().unwrap();
        assert_eq!(trailers["x-sum"], "2");
        assert_eq!(trailers.len(), 1);
        let seen = seen.borrow();
        assert!(seen.ends_with("2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n"), "{seen}");
        assert!(seen.contains("te: trailers\r\n"), "{seen}");
    });
}

#[test]
fn addresses_take_turns_and_dead_ones_are_left_out() {
    run(async {
        let serve = |_, mut wire: Wire| async move {
            while !wire.head().await.is_empty() {
                wire.write(OK).await;
            }
        };
        let (one, two) = (scripted(serve).await, scripted(serve).await);
        let worker = Worker::new(&[one.port, dead_port().await, two.port]);
        for _ in 0..9 {
            assert_eq!(worker.get("/").await.0, 200);
        }
        assert_eq!((one.connections.get(), two.connections.get()), (1, 1));
    });
}

#[test]
fn names_are_resolved() {
    run(async {
        let (upstream, mut shown) = showing().await;
        let mut worker = Worker::new(&[]);
        worker.settings.urls = vec![url(false, "localhost", upstream.port)];
        assert_eq!(worker.get("/").await.0, 200);
        assert!(shown.recv().await.unwrap().contains("host: a.example\r\n"));
    });
}

#[test]
fn idle_connections_grow_old_and_go() {
    run(async {
        let (gone, mut went) = mpsc::unbounded_channel();
        let upstream = scripted(move |number, mut wire| {
            let gone = gone.clone();
            async move {
                while !wire.head().await.is_empty() {
                    wire.write(OK).await;
                }
                gone.send(number).unwrap();
            }
        })
        .await;
        let mut worker = Worker::new(&[upstream.port]);
        worker.settings.idle_timeout = Duration::from_millis(60);
        worker.get("/").await;
        assert_eq!(went.recv().await, Some(1), "by age");

        worker.settings.idle_timeout = Duration::from_secs(60);
        worker.get("/").await;
        worker.settings.urls = vec![url(false, "127.0.0.1", dead_port().await)];
        assert!(worker.send(request("GET", "/", empty())).await.is_err());
        assert_eq!(went.recv().await, Some(2), "because its URL is gone");

        worker.settings.urls = vec![url(false, "127.0.0.1", upstream.port)];
        worker.settings.idle_connections = 0;
        worker.get("/").await;
        assert_eq!(went.recv().await, Some(3), "because none are kept");
    });
}
