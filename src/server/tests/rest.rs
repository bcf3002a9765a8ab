//! Idle connections hold no buffers, on a clock of our own.

use super::super::connection::Client;
use super::super::deadline::{Registry, Slot};
use super::super::{Settings, http1, scratch};
use super::{Setup, Toy, World};
use crate::request::{Connection, Scheme};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::Semaphore;

/// A stream that remembers how large a buffer it was last asked to fill.
struct Spied(DuplexStream, Rc<Cell<usize>>);

impl AsyncRead for Spied {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.1.set(buffer.remaining());
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Spied {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Serves one connection; the test is its client.
async fn with_connection<F: Future<Output = ()>>(test: impl FnOnce(DuplexStream, Rc<Cell<usize>>) -> F) {
    let Setup { limits, timeouts, .. } = Setup::default();
    let semaphore = || Arc::new(Semaphore::new(0));
    let world = World {
        seen: Arc::default(),
        gate: semaphore(),
        begun: semaphore(),
        dropped: semaphore(),
        counters: Arc::default(),
    };
    let registry = Registry::new(timeouts);
    let peer = "127.0.0.1:1".parse().unwrap();
    let client = Client {
        handler: Rc::new(Toy(world.clone())),
        connection: Rc::new(Connection::new(peer, peer, Scheme::Http)),
        slot: Slot::new(&registry),
        settings: Rc::new(Settings { limits, timeouts }),
        surplus: None,
        counters: world.counters,
    };
    let (near, far) = tokio::io::duplex(64 * 1024);
    let asked = Rc::new(Cell::new(0));
    let test = test(near, Rc::clone(&asked));
    let served = http1::serve(Spied(far, asked), Rc::new(client));
    tokio::task::spawn_local(async move { registry.run(|| ()).await });
    tokio::task::spawn_local(served);
    test.await;
}

async fn answer(stream: &mut DuplexStream, end: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        let byte = stream.read_u8().await;
        heard.push(
            byte.unwrap_or_else(|error| panic!("{error} after {:?}", heard.escape_ascii().to_string())),
        );
    }
    String::from_utf8(heard).unwrap()
}

/// Reads go through the worker's buffer, whatever the exchange before had needed.
const SCRATCH: usize = scratch::SCRATCH_BYTES;

#[tokio::test(flavor = "local", start_paused = true)]
async fn an_idle_connection_holds_no_buffer_and_goes_on_where_it_was() {
    with_connection(|mut stream, asked| async move {
        let cases: [(&[&str], &str); 4] = [
            (&["GET /1 HTTP/1.1\r\n\r\n"], "hello /1"),
            (&["GET /2 HT", "TP/1.1\r\n\r", "\n"], "hello /2"),
            (&["\r\nGET /3 HTTP/1.1\r\n\r\n"], "hello /3"),
            (&["POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\na", "bc"], "\r\n\r\nabc"),
        ];
        for (pieces, end) in cases {
            for (at, piece) in pieces.iter().enumerate() {
                tokio::time::sleep(Duration::from_secs(if at == 0 { 0 } else { 3 })).await;
                stream.write_all(piece.as_bytes()).await.unwrap();
            }
            assert!(answer(&mut stream, end).await.starts_with("HTTP/1.1 200"), "{end}");
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert_eq!(asked.get(), SCRATCH);
        }
        stream.write_all(b"GET /5 HTTP/1.1\r\n\r\nGET / HTTP/9\r\n\r\n").await.unwrap();
        let both = answer(&mut stream, "refused").await;
        assert!(both.contains("hello /5") && both.contains("HTTP/1.1 400"), "{both}");
    })
    .await;
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_resting_connection_ends_with_its_time() {
    with_connection(|mut stream, _| async move {
        stream.write_all(b"GET /1 HTTP/1.1\r\n\r\n").await.unwrap();
        answer(&mut stream, "hello /1").await;
        let begun = tokio::time::Instant::now();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        let idle = Setup::default().timeouts.idle;
        assert!(
            begun.elapsed() >= idle && begun.elapsed() < idle + Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    })
    .await;
}
