//! HTTP/2 with prior knowledge, as a good client speaks it.

use super::super::Drained;
use super::{Running, Setup, rest};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

pub(super) type Client = (SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>);

pub(super) async fn client(server: &Running) -> Client {
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

#[tokio::test]
async fn bodies_flow_both_ways_through_small_windows() {
    static BODY: [u8; 100_000] = [b'x'; 100_000];
    let server = Setup::default().start();
    let stream = TokioIo::new(server.connect().await);
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1000)
        .initial_connection_window_size(4000)
        .handshake(stream)
        .await
        .unwrap();
    let _connection = tokio::spawn(connection);
    let echo = || {
        let mut sender = sender.clone();
        async move {
            let response = sender.send_request(request("/echo", &BODY)).await.unwrap();
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), BODY[..]);
        }
    };
    tokio::join!(echo(), echo(), echo(), echo(), echo(), echo(), echo(), echo());
}
