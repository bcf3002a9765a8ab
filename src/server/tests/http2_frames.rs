//! HTTP/2 frame by frame, as a client may write it.

use super::super::Drained;
use super::http2::client;
use super::{Running, Setup, rest};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PREFACE_AND_SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [.., a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[a, b, c, kind, flags, 0, 0, 0, stream][..], payload].concat()
}

/// A request's head in HPACK's plainest form.
fn block(method: u8, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let mut block = [&[method, 0x86, 0x01], &text("h")[..], &[0x04], &text(path)].concat();
    for (name, value) in fields {
        block.push(0);
        block.extend(text(name));
        block.extend(text(value));
    }
    block
}

/// A client's preface and settings, and a request's head.
fn opening(method: u8, path: &str, end: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    let head = frame(1, 4 | u8::from(end), 1, &block(method, path, fields));
    [PREFACE_AND_SETTINGS, &head].concat()
}

const GET: u8 = 0x82;
const POST: u8 = 0x83;

/// All that came until it said so.
async fn until_it_says(stream: &mut TcpStream, text: &str) -> Vec<u8> {
    let mut heard = Vec::new();
    let search = async {
        while !heard.windows(text.len()).any(|window| window == text.as_bytes()) {
            assert!(stream.read_buf(&mut heard).await.unwrap() > 0, "{:?}", heard.escape_ascii().to_string());
        }
    };
    tokio::time::timeout(Duration::from_secs(20), search).await.expect("in time");
    heard
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

#[tokio::test]
async fn a_head_is_read_however_it_comes() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    stream.set_nodelay(true).unwrap();
    let block = block(GET, "/pieces", &[("a", "b")]);
    let (first, rest) = block.split_at(3);
    let padded = [&[2, 0, 0, 0, 0, 0][..], first, &[0, 0]].concat();
    let pieces = [frame(1, 1 | 8 | 32, 1, &padded), frame(9, 0, 1, b""), frame(9, 4, 1, rest)].concat();
    for byte in [PREFACE_AND_SETTINGS, &pieces].concat() {
        stream.write_u8(byte).await.unwrap();
        tokio::task::yield_now().await;
    }
    until_it_says(&mut stream, "hello /pieces").await;
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_and_reset_ones_make_room() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    let slow = |id| frame(1, 5, id, &block(GET, "/slow", &[]));
    let mut bytes = PREFACE_AND_SETTINGS.to_vec();
    (0..10).for_each(|at| bytes.extend(slow(2 * at + 1)));
    stream.write_all(&bytes).await.unwrap();
    server.world.begun.acquire_many(10).await.unwrap().forget();
    stream.write_all(&slow(21)).await.unwrap();
    until_it_says(&mut stream, "\0\0\x04\x03\0\0\0\0\x15\0\0\0\x07").await;
    // The PING comes back behind what the reset did.
    stream.write_all(&[frame(3, 0, 1, &[0, 0, 0, 8]), frame(6, 0, 0, b"12345678")].concat()).await.unwrap();
    until_it_says(&mut stream, "12345678").await;
    stream.write_all(&slow(23)).await.unwrap();
    server.world.begun.acquire().await.unwrap().forget();
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on_once_its_body_is_wanted() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    stream.write_all(&opening(POST, "/echo", false, &[("expect", "100-continue")])).await.unwrap();
    until_it_says(&mut stream, "\x08\x03100").await;
    stream.write_all(&frame(0, 1, 1, b"a body")).await.unwrap();
    until_it_says(&mut stream, "a body").await;
    let mut answered = server.connect().await;
    answered.write_all(&opening(POST, "/other", false, &[("expect", "100-continue")])).await.unwrap();
    until_it_says(&mut answered, "hello /other").await;
}

/// The code of the GOAWAY that ends a connection.
async fn goaway(server: &Running, bytes: &[u8]) -> Option<u8> {
    let mut stream = server.connect().await;
    stream.write_all(bytes).await.unwrap();
    let mut heard = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut heard));
    drop(read.await.expect("the server should have closed"));
    let place = heard.windows(5).position(|window| window == [0, 0, 8, 7, 0])?;
    heard.get(place + 16).copied()
}

#[tokio::test]
async fn a_stream_that_takes_more_than_its_window_is_reset() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    let data = frame(0, 0, 1, &[0; 16_384]).repeat(9);
    stream.write_all(&[opening(POST, "/slow", false, &[]), data].concat()).await.unwrap();
    until_it_says(&mut stream, "\0\0\x04\x03\0\0\0\0\x01\0\0\0\x03").await;
    stream.write_all(&frame(1, 5, 3, &block(GET, "/next", &[]))).await.unwrap();
    until_it_says(&mut stream, "hello /next").await;
}

#[tokio::test]
async fn who_breaks_the_rules_of_a_connection_is_told_which() {
    let server = Setup::default().start();
    // A stream that nobody reads, and as much as its window takes.
    let full = |id| {
        let head = if id == 1 { Vec::new() } else { frame(1, 4, id, &block(POST, "/slow", &[])) };
        [head, frame(0, 0, id, &[0; 16_384]).repeat(4)].concat()
    };
    let open = |bytes: Vec<u8>| [opening(POST, "/slow", false, &[]), bytes].concat();
    let cases = [
        ("no settings", [&PREFACE_AND_SETTINGS[..24], &frame(6, 0, 0, b"12345678")].concat(), 1),
        ("an idle stream", open(frame(0, 0, 9, b"a")), 1),
        ("an even stream", open(frame(1, 5, 2, &block(GET, "/", &[]))), 1),
        ("more than the window of all streams", open([1, 3, 5].map(full).concat()), 3),
        ("a frame that is too large", open(frame(0, 0, 1, &[0; 16_385])), 6),
        ("a block that is none", open(frame(1, 5, 3, &[0x80])), 9),
        ("a flood", open(frame(4, 0, 0, b"").repeat(3000)), 11),
        (
            "a head without end",
            open([frame(1, 0, 3, b""), frame(9, 0, 3, &[0; 16_384]).repeat(9)].concat()),
            11,
        ),
    ];
    for (name, bytes, code) in cases {
        assert_eq!(goaway(&server, &bytes).await, Some(code), "{name}");
    }
}

#[tokio::test]
async fn what_a_stream_did_wrong_is_said_once() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    stream.write_all(&opening(POST, "/slow", false, &[("content-length", "0")])).await.unwrap();
    let data = frame(0, 0, 1, &[0; 1000]);
    for piece in data.chunks(100) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.write_all(&[frame(0, 0, 1, b"more"), frame(6, 0, 0, b"12345678")].concat()).await.unwrap();
    let heard = until_it_says(&mut stream, "12345678").await;
    assert_eq!(heard.windows(4).filter(|window| *window == [0, 4, 3, 0]).count(), 1, "RST_STREAM");
}

#[tokio::test]
async fn heads_of_all_streams_together_have_a_bound() {
    let mut setup = Setup::default();
    setup.limits.h2_header_list = 1024 * 1024;
    setup.limits.head = 1024 * 1024;
    setup.limits.h2_streams = 100;
    let server = setup.start();
    let mut stream = server.connect().await;
    // A field of 4,000 bytes goes into the table, and is named by a byte from then on.
    let planted =
        [block(GET, "/slow", &[]), vec![0x40, 1, b'x', 0x7f, 0xa1, 0x1e], vec![b'y'; 4000]].concat();
    let named = [block(GET, "/slow", &[]), vec![0xbe; 50]].concat();
    let mut bytes = [PREFACE_AND_SETTINGS, &frame(1, 5, 1, &planted)].concat();
    (1..4).for_each(|at| bytes.extend(frame(1, 5, 2 * at + 1, &named)));
    stream.write_all(&bytes).await.unwrap();
    // Two of 200 KiB beside the first, and not the third.
    server.world.begun.acquire_many(3).await.unwrap().forget();
    until_it_says(&mut stream, "\0\0\x04\x03\0\0\0\0\x07\0\0\0\x07").await;
    server.world.gate.add_permits(3);
    until_it_says(&mut stream, "at last").await;
}

#[tokio::test]
async fn a_window_of_nothing_is_no_progress_however_often_it_is_said() {
    let mut setup = Setup::default();
    setup.timeouts.body = Duration::from_millis(200);
    let server = setup.start();
    let mut stream = server.connect().await;
    let no_window = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let head = frame(1, 5, 1, &block(GET, "/big", &[]));
    let opening = [PREFACE_AND_SETTINGS, &no_window, &head].concat();
    stream.write_all(&opening).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let say = async {
        let mut now_and_then = tokio::time::interval(Duration::from_millis(20));
        loop {
            now_and_then.tick().await;
            writer.write_all(&no_window).await.unwrap();
        }
    };
    let hear = async {
        let mut heard = Vec::new();
        while !heard.windows(9).any(|window| window == [0, 0, 4, 3, 0, 0, 0, 0, 1]) {
            assert!(reader.read_buf(&mut heard).await.unwrap() > 0);
        }
    };
    tokio::select! {
        () = say => {}
        heard = tokio::time::timeout(Duration::from_secs(20), hear) => heard.expect("reset"),
    }
}

#[tokio::test]
async fn a_client_that_does_not_hear_of_the_end_is_answered_no_more() {
    let mut setup = Setup::default();
    setup.timeouts.head = Duration::from_millis(100);
    setup.timeouts.idle = Duration::from_millis(100);
    let server = setup.start();
    let mut stream = server.connect().await;
    stream.write_all(&opening(GET, "/slow", true, &[])).await.unwrap();
    server.world.begun.acquire().await.unwrap().forget();
    let running = server.server.stopper();
    running.drain();
    // The first GOAWAY has no last stream, the second has one.
    until_it_says(&mut stream, "\0\0\x08\x07\0\0\0\0\0\x7f").await;
    // It looks at the clock when something comes.
    let mut late = Vec::new();
    let mut now_and_then = tokio::time::interval(Duration::from_millis(20));
    while !late.windows(9).any(|window| window == [0, 0, 8, 7, 0, 0, 0, 0, 0]) {
        now_and_then.tick().await;
        stream.write_all(&frame(6, 0, 0, b"12345678")).await.unwrap();
        assert!(stream.read_buf(&mut late).await.unwrap() > 0);
    }
    stream.write_all(&frame(1, 5, 3, &block(GET, "/never", &[]))).await.unwrap();
    server.world.gate.add_permits(1);
    until_it_says(&mut stream, "at last").await;
    assert!(!server.seen().contains(&"GET /never".to_owned()));
}

#[tokio::test]
async fn the_last_response_arrives_though_the_client_still_speaks() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    let window = frame(8, 0, 0, &[0, 0xff, 0, 0]);
    let wide = frame(4, 0, 0, &[0, 4, 0x7f, 0, 0, 0]);
    let head = frame(1, 5, 1, &block(GET, "/big", &[]));
    stream.write_all(&[PREFACE_AND_SETTINGS, &wide, &window, &head].concat()).await.unwrap();
    let begun = until_it_says(&mut stream, "xxx").await.len();
    let drained = tokio::spawn(server.server.drain(Duration::from_secs(20)));
    let mut whole = begun + until_it_says(&mut stream, "lastcall").await.len();
    // What is on its way is not all in our hands yet, and we say something that nobody waits for.
    stream.write_all(&frame(6, 1, 0, b"lastcall")).await.unwrap();
    let mut piece = vec![0; 1 << 20];
    loop {
        match stream.read(&mut piece).await.unwrap() {
            0 => break,
            bytes => whole += bytes,
        }
        drop(stream.write_all(&frame(8, 0, 0, &[0, 0, 0, 1])).await);
    }
    assert!(whole > 16 * 1024 * 1024, "{whole}");
    drop(stream);
    assert_eq!(drained.await.unwrap(), Drained::Whole);
}
