//! Limits of connections, PROXY headers, draining.

use super::super::{BoundListener, Drained};
use super::{Setup, rest, statuses, until};
use std::net::TcpListener;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn beyond_the_limit_connections_wait_and_then_get_503() {
    let mut setup = Setup::default();
    setup.limits.connections = 1;
    let server = setup.start();
    let mut first = server.connect().await;
    first.write_all(b"GET /a HTTP/1.1\r\n\r\n").await.unwrap();
    until(&mut first, "hello /a").await;
    assert_eq!(statuses(&server.talk("GET /b HTTP/1.1\r\n\r\n").await), [503]);
    let mut second = server.connect().await;
    second.write_all(b"GET /c HTTP/1.1\r\n\r\n").await.unwrap();
    drop(first);
    until(&mut second, "hello /c").await;
    assert_eq!(server.seen(), ["GET /a", "GET /c"]);
}

#[tokio::test]
async fn the_proxy_header_names_the_peer() {
    let server = Setup { proxy_protocol: true, ..Setup::default() }.start();
    let request = "GET /peer HTTP/1.1\r\nConnection: close\r\n\r\n";
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\0\x09\0\x50";
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let cases: [(&[u8], &str); 5] = [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n", "192.0.2.1:4711 Http"),
        (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 80\r\n", "192.0.2.1:4711 Http"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1:"),
        (v2, "192.0.2.7:9 Http"),
        (local, "127.0.0.1:"),
    ];
    for (header, peer) in cases {
        let transcript = server.talk([header, request.as_bytes()].concat()).await;
        assert!(transcript.contains(&format!("\r\n\r\n{peer}")), "{}: {transcript}", header.escape_ascii());
    }
    let seen = server.seen().len();
    let v1 = &b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"[..];
    let bad: [&[u8]; 5] =
        [b"", b"PROXY TCP4 nonsense\r\n", &v1.repeat(2), &[v1, v2].concat(), &[v2, v1].concat()];
    for header in bad {
        let transcript = server.talk([header, request.as_bytes()].concat()).await;
        assert_eq!(transcript, "", "{}", header.escape_ascii());
    }
    assert_eq!(server.seen().len(), seen);
}

#[tokio::test]
async fn the_proxy_header_counts_from_trusted_peers_alone() {
    let server = Setup { proxy_protocol: true, trust: false, ..Setup::default() }.start();
    let transcript = server.talk("PROXY UNKNOWN\r\nGET /peer HTTP/1.1\r\n\r\n").await;
    assert_eq!(transcript, "");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn draining_finishes_what_runs_and_closes_the_rest() {
    let server = Setup::default().start();
    let (address, world) = (server.address, server.world.clone());
    let mut slow = server.connect().await;
    slow.write_all(b"GET /slow HTTP/1.1\r\n\r\nGET /never HTTP/1.1\r\n\r\n").await.unwrap();
    let mut idle = server.connect().await;
    idle.write_all(b"GET /a HTTP/1.1\r\n\r\n").await.unwrap();
    until(&mut idle, "hello /a").await;
    world.begun.acquire().await.unwrap().forget();
    let stopper = server.server.stopper();
    let drained = tokio::spawn(server.server.drain(LONG));
    stopper.drain();
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    world.gate.add_permits(1);
    let transcript = rest(&mut slow).await;
    assert_eq!(statuses(&transcript), [200], "{transcript}");
    assert!(transcript.contains("connection: close"), "{transcript}");
    assert_eq!(drained.await.unwrap(), Drained::Whole);
    assert!(!world.seen.lock().unwrap().contains(&"GET /never".to_owned()));
}

#[tokio::test]
async fn draining_answers_the_next_request_of_idle_connections_and_closes_behind_it() {
    let mut setup = Setup::default();
    setup.timeouts.drain_idle = LONG;
    let server = setup.start();
    let (mut silent, mut idle) = (server.connect().await, server.connect().await);
    idle.write_all(b"GET /a HTTP/1.1\r\n\r\n").await.unwrap();
    until(&mut idle, "hello /a").await;
    // Behind it in the queue, and answered: the silent one has been accepted.
    let address = server.address;
    let drained = tokio::spawn(server.server.drain(LONG));
    while TcpStream::connect(address).await.is_ok() {}
    for stream in [&mut silent, &mut idle] {
        stream.write_all(b"GET /b HTTP/1.1\r\n\r\nGET /never HTTP/1.1\r\n\r\n").await.unwrap();
        let transcript = rest(stream).await;
        assert_eq!(statuses(&transcript), [200], "{transcript}");
        assert!(transcript.contains("connection: close"), "{transcript}");
    }
    assert_eq!(drained.await.unwrap(), Drained::Whole);
}

#[tokio::test]
async fn idle_connections_are_closed_when_their_grace_is_over() {
    let mut setup = Setup::default();
    setup.timeouts.drain_idle = Duration::from_millis(50);
    let server = setup.start();
    let mut idle = server.connect().await;
    idle.write_all(b"GET /a HTTP/1.1\r\n\r\n").await.unwrap();
    until(&mut idle, "hello /a").await;
    let silent = server.connect().await;
    assert_eq!(server.server.drain(LONG).await, Drained::Whole);
    for mut stream in [silent, idle] {
        assert_eq!(rest(&mut stream).await, "");
    }
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off() {
    for by_deadline in [true, false] {
        let server = Setup::default().start();
        let mut slow = server.connect().await;
        slow.write_all(b"GET /slow HTTP/1.1\r\n\r\n").await.unwrap();
        server.world.begun.acquire().await.unwrap().forget();
        let stopper = server.server.stopper();
        let deadline = if by_deadline { Duration::from_millis(50) } else { LONG };
        let drained = tokio::spawn(server.server.drain(deadline));
        if !by_deadline {
            stopper.abort();
        }
        assert_eq!(rest(&mut slow).await, "");
        assert_eq!(drained.await.unwrap(), Drained::Cut);
    }
}

#[tokio::test]
async fn a_socket_bound_by_somebody_else_can_be_served() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let listener =
        crate::config::Listener { address: "activated".to_owned(), tls: None, proxy_protocol: false };
    assert_eq!(BoundListener::from_socket(socket, &listener).unwrap().address(), address);
}
