//! Large bodies through small buffers.

use super::bench::*;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use std::cell::Cell;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TOTAL: usize = 96 << 20;
const PIECE: usize = 64 << 10;

async fn dawdle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_slow_client_slows_the_upstream() {
    run(async {
        let sent = Rc::new(Cell::new(0));
        let count = Rc::clone(&sent);
        let upstream = scripted(move |_, mut wire| {
            let count = Rc::clone(&count);
            async move {
                wire.head().await;
                wire.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {TOTAL}\r\n\r\n")).await;
                let piece = vec![7; PIECE];
                while count.get() < TOTAL && wire.stream.write_all(&piece).await.is_ok() {
                    count.set(count.get() + PIECE);
                }
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let mut body = worker.send(request("GET", "/", empty())).await.unwrap().into_body();
        let (mut received, mut most) = (0, 0);
        while let Some(frame) = body.frame().await {
            let length = frame.unwrap().into_data().unwrap().len();
            assert!(length <= 2 * PIECE, "no piece is much larger than the buffer: {length}");
            received += length;
            most = most.max(sent.get().saturating_sub(received));
            dawdle().await;
        }
        assert_eq!(received, TOTAL);
        assert!(most < IN_FLIGHT, "{most}");
    });
}

#[test]
fn a_slow_upstream_slows_the_client() {
    run(async {
        let taken = Rc::new(Cell::new(0));
        let count = Rc::clone(&taken);
        let upstream = scripted(move |_, mut wire| {
            let count = Rc::clone(&count);
            async move {
                wire.head().await;
                let mut buffer = vec![0; PIECE];
                let mut left = TOTAL;
                while left > 0 {
                    // Chunk heads count as bytes; they are few.
                    let length = wire.stream.read(&mut buffer).await.unwrap();
                    assert!(length > 0);
                    count.set(count.get() + length);
                    left = left.saturating_sub(length);
                    dawdle().await;
                }
                wire.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        })
        .await;
        let worker = Worker::new(&[upstream.port]);
        let (feed, body) = fed();
        let (answer, most) = tokio::join!(worker.send(request("POST", "/", body)), async {
            let (mut fed, mut most) = (0, 0);
            while fed < TOTAL && feed.send(Ok(Frame::data(Bytes::from(vec![7; PIECE])))).await.is_ok() {
                fed += PIECE;
                most = most.max(fed.saturating_sub(taken.get()));
            }
            drop(feed);
            most
        });
        assert_eq!(answer.unwrap().status(), 200);
        assert!(most < IN_FLIGHT, "{most}");
    });
}
