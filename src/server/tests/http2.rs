//! HTTP/2 with prior knowledge.

use super::super::Drained;
use super::{Running, Setup, rest};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

type Client = (SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>);

async fn client(server: &Running) -> Client {
    let stream = TokioIo::new(server.connect().await);
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .handshake(stream)
        .await
        .unwrap();
    (sender, tokio::spawn(connection))
}

fn request(path: &str, body: &'static [u8]) -> Request<Full<Bytes>> {
    Request::builder().uri(format!("http://h{path}")).method("POST").body(Full::from(body)).unwrap()
}

#[tokio::test]
async fn prior_knowledge_is_recognised_however_the_preface_is_split() {
    let server = Setup::default().start();
    let (mut sender, _connection) = client(&server).await;
    for _ in 0..3 {
        let response = sender.send_request(request("/echo", b"abc")).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "abc");
    }
    let mut stream = server.connect().await;
    stream.set_nodelay(true).unwrap();
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        stream.write_u8(*byte).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut settings = [0; 9];
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    stream.read_exact(&mut settings).await.unwrap();
    assert_eq!(settings[3], 4, "the server's SETTINGS");
    // Something that only begins like it is HTTP/1, and not allowed there.
    assert!(server.talk("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert!(server.talk("PRI / HTTP/1.1\r\nConnection: close\r\n\r\n").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_idle_connection_is_shut_down() {
    let mut setup = Setup::default();
    setup.timeouts.idle = Duration::from_millis(100);
    let server = setup.start();
    let (mut sender, connection) = client(&server).await;
    sender.send_request(request("/echo", b"abc")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), connection).await.expect("closed").unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_that_takes_nothing_is_reset_and_no_other() {
    let mut setup = Setup::default();
    setup.timeouts.body = Duration::from_millis(100);
    let server = setup.start();
    let (mut sender, _connection) = client(&server).await;
    let stalled = sender.send_request(request("/big", b"")).await.unwrap();
    let slow = tokio::spawn(sender.send_request(request("/slow", b"")));
    server.world.begun.acquire().await.unwrap().forget();
    server.world.dropped.acquire().await.unwrap().forget();
    server.world.gate.add_permits(1);
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK, "waiting for us is no stall");
    assert!(stalled.into_body().collect().await.is_err(), "reset");
    let whole = sender.send_request(request("/big", b"")).await.unwrap();
    assert_eq!(whole.into_body().collect().await.unwrap().to_bytes().len(), 16 * 1024 * 1024);
}

#[tokio::test]
async fn a_panic_hurts_its_own_stream_alone() {
    let server = Setup::default().start();
    let (mut sender, _connection) = client(&server).await;
    let slow = sender.send_request(request("/slow", b""));
    assert!(sender.send_request(request("/panic", b"")).await.is_err());
    server.world.gate.add_permits(1);
    assert_eq!(slow.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn draining_says_goaway_and_finishes_streams() {
    let server = Setup::default().start();
    let world = server.world.clone();
    let (mut sender, connection) = client(&server).await;
    let slow = tokio::spawn(sender.send_request(request("/slow", b"")));
    world.begun.acquire().await.unwrap().forget();
    let drained = tokio::spawn(server.server.drain(Duration::from_secs(20)));
    while !sender.is_closed() {
        drop(sender.send_request(request("/a", b"")).await);
    }
    world.gate.add_permits(1);
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(drained.await.unwrap(), Drained::Whole);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_flood_of_pings_ends_the_connection() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend(b"\0\0\x08\x06\0\0\0\0\x0012345678".repeat(5000));
    drop(stream.write_all(&bytes).await);
    rest(&mut stream).await;
}

/// A client's preface and settings, and a request's head in HPACK's plainest form.
fn opening(method: u8, path: &str, end: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let mut block = vec![method, 0x86, 0x01];
    block.extend(text("h"));
    block.push(0x04);
    block.extend(text(path));
    for (name, value) in fields {
        block.push(0);
        block.extend(text(name));
        block.extend(text(value));
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend([0, 0, u8::try_from(block.len()).unwrap(), 1, 4 | u8::from(end), 0, 0, 0, 1]);
    bytes.extend(block);
    bytes
}

const GET: u8 = 0x82;
const POST: u8 = 0x83;

async fn until_it_says(stream: &mut TcpStream, text: &str) {
    let mut heard = Vec::new();
    let search = async {
        while !heard.windows(text.len()).any(|window| window == text.as_bytes()) {
            assert!(stream.read_buf(&mut heard).await.unwrap() > 0, "{:?}", heard.escape_ascii().to_string());
        }
    };
    tokio::time::timeout(Duration::from_secs(20), search).await.expect("in time");
}

#[tokio::test]
async fn a_body_that_stays_away_ends_its_own_stream_alone() {
    let mut setup = Setup::default();
    setup.timeouts.body = Duration::from_millis(100);
    let server = setup.start();
    let mut stream = server.connect().await;
    stream.write_all(&opening(POST, "/echo", false, &[])).await.unwrap();
    until_it_says(&mut stream, "slow").await;
    let mut again = opening(GET, "/again", true, &[]).split_off(33);
    again[8] = 3;
    stream.write_all(&again).await.unwrap();
    until_it_says(&mut stream, "hello /again").await;
}

#[tokio::test]
async fn heads_that_http1_would_read_in_another_way_are_refused() {
    let server = Setup::default().start();
    for (fields, word) in [
        (&[("authorization", "key")][..], "hello"),
        (&[("authorization", " key")], "refused"),
        (&[("authorization", "key ")], "refused"),
        (&[("authorization", "\tkey")], "refused"),
    ] {
        let mut stream = server.connect().await;
        stream.write_all(&opening(GET, "/a", true, fields)).await.unwrap();
        until_it_says(&mut stream, word).await;
    }
    assert_eq!(server.seen(), ["GET /a"]);
}

#[tokio::test]
async fn beyond_the_limit_of_connections_a_client_is_told_so_and_nobody_stays() {
    let mut setup = Setup::default();
    setup.limits.connections = 1;
    setup.timeouts.head = Duration::from_millis(100);
    let server = setup.start();
    let _within = client(&server).await;
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    let mut http2 = server.connect().await;
    http2.write_all(&opening(GET, "/a", true, &[])).await.unwrap();
    assert!(rest(&mut http2).await.contains("refused"));
    assert!(server.seen().is_empty());
}
