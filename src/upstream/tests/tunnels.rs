//! WebSockets, and what is not one.

use super::bench::*;
use crate::upstream::UpstreamError;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\nsec-websocket-accept: x\r\nkeep-alive: 1\r\n\r\n";

fn websocket() -> http::request::Builder {
    Request::get("/ws")
        .header("host", "a.example")
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "WebSocket")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-version", "13")
}

#[test]
fn a_tunnel_carries_bytes_both_ways_until_it_is_closed() {
    run(async {
        let (ended, mut has_ended) = mpsc::unbounded_channel();
        let upstream = scripted(move |_, mut wire| {
            let ended = ended.clone();
            async move {
                let head = wire.head().await;
                assert!(
                    head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"),
                    "{head}"
                );
                wire.write(&format!("{SWITCH}early")).await;
                let ping = wire.until("ping").await;
                wire.write(&format!("{ping}-pong")).await;
                wire.until("never").await;
                ended.send(()).unwrap();
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let answer = worker.send(websocket().body(empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 101);
        assert_eq!(answer.headers()["upgrade"], "websocket");
        assert_eq!(answer.headers()["connection"], "upgrade");
        assert_eq!(answer.headers()["sec-websocket-accept"], "x");
        assert!(!answer.headers().contains_key("keep-alive"));

        let (mut client, gateway) = tokio::io::duplex(64);
        let tunnel = worker.connection.take_tunnel().unwrap();
        let running = tokio::task::spawn_local(tunnel(Box::new(gateway)));
        let mut buffer = [0; 5];
        client.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"early");
        client.write_all(b"ping").await.unwrap();
        let mut buffer = [0; 9];
        client.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"ping-pong");

        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        has_ended.recv().await.unwrap();
        assert_eq!(client.read(&mut buffer).await.unwrap(), 0);
    });
}

#[test]
fn a_tunnel_that_never_opens_is_cleared_away() {
    run(async {
        let (ended, mut has_ended) = mpsc::unbounded_channel();
        let upstream = scripted(move |_, mut wire| {
            let ended = ended.clone();
            async move {
                wire.head().await;
                wire.write(SWITCH).await;
                wire.until("never").await;
                ended.send(()).unwrap();
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let answer = worker.send(websocket().body(empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 101);
        drop(worker.connection.take_tunnel());
        has_ended.recv().await.unwrap();
    });
}

#[test]
fn upstream_may_decline() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            while !wire.head().await.is_empty() {
                wire.write("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        for _ in 0..2 {
            let answer = worker.send(websocket().body(empty()).unwrap()).await.unwrap();
            assert_eq!(whole(answer).await, (403, "no".to_owned()));
        }
        assert!(worker.connection.take_tunnel().is_none());
        assert_eq!(upstream.connections.get(), 1);
    });
}

#[test]
fn a_switch_to_something_else_is_refused() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            wire.head().await;
            wire.write(&SWITCH.replace("WebSocket", "h2c")).await;
            wire.until("never").await;
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let answer = worker.send(websocket().body(empty()).unwrap()).await;
        assert!(matches!(answer, Err(UpstreamError::BadResponse { .. })), "{answer:?}");
        assert!(worker.connection.take_tunnel().is_none());
    });
}

#[test]
fn other_upgrades_are_ordinary_requests() {
    run(async {
        let upstream = scripted(|_, mut wire| async move {
            loop {
                let head = wire.head().await;
                if head.is_empty() {
                    return;
                }
                let answer = if head.contains("upgrade") { "no" } else { "ok" };
                wire.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{answer}")).await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let plain = |method: &str| {
            Request::builder().method(method).uri("/").header("host", "a").header("connection", "upgrade")
        };
        let key = ("sec-websocket-key", "x");
        for request in [
            plain("GET").header("upgrade", "h2c").header("http2-settings", "x"),
            plain("GET").header("upgrade", "websocket"),
            plain("POST").header("upgrade", "websocket").header(key.0, key.1),
            plain("GET").header("upgrade", "websocket, h2c").header(key.0, key.1),
            plain("GET").header("upgrade", "websocket").header("upgrade", "h2c").header(key.0, key.1),
            plain("GET").header("upgrade", "websocket").header(key.0, key.1).version(http::Version::HTTP_10),
            Request::get("/").header("host", "a").header("upgrade", "websocket").header(key.0, key.1),
        ] {
            let answer = worker.send(request.body(empty()).unwrap()).await.unwrap();
            assert_eq!(whole(answer).await.1, "ok");
        }
        let with_body = worker.send(websocket().body(full("x")).unwrap()).await.unwrap();
        assert_eq!(whole(with_body).await.1, "ok");
    });
}
