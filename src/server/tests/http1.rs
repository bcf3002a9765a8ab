//! HTTP/1: framing, refusals, time-outs, upgrades.

use super::{Setup, rest, statuses, until};
use crate::config::Timeouts;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CLOSE: &str = "Connection: close\r\n\r\n";

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Setup::default().start();
    let requests = format!(
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
         POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n\
         HEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n{CLOSE}"
    );
    let expected = ["GET /a", "POST /echo", "POST /echo", "HEAD /b", "GET /c"];
    let transcript = server.talk(&requests).await;
    assert_eq!(statuses(&transcript), [200; 5], "{transcript}");
    assert_eq!(server.seen(), expected);
    let bodies: Vec<_> =
        transcript.split("\r\n\r\n").map(|part| part.split("HTTP/1.1").next().unwrap()).collect();
    assert_eq!(bodies, ["", "hello /a", "abc", "def", "", "hello /c"]);

    // The same, byte by byte: heads are held back until they are complete.
    let mut stream = server.connect().await;
    stream.set_nodelay(true).unwrap();
    for byte in requests.as_bytes() {
        stream.write_u8(*byte).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(statuses(&rest(&mut stream).await), [200; 5]);
    assert_eq!(server.seen(), expected.repeat(2));
}

#[tokio::test]
async fn a_response_may_stream_the_body_of_its_request() {
    let server = Setup::default().start();
    for body in ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"] {
        let requests = format!("POST /mirror HTTP/1.1\r\n{body}GET /a HTTP/1.1\r\n{CLOSE}");
        let transcript = server.talk(requests).await;
        assert_eq!(statuses(&transcript), [200, 200], "{transcript}");
        assert!(transcript.contains("abc"), "{transcript}");
    }
}

#[tokio::test]
async fn heads_as_large_as_allowed_pass() {
    let server = Setup::default().start();
    let field = format!("A: {}\r\n", "b".repeat(4000 - 40));
    let transcript = server.talk(format!("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n{field}{CLOSE}")).await;
    assert_eq!(statuses(&transcript), [200, 200]);
}

#[tokio::test]
async fn a_body_is_asked_for_with_100_continue() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    let head =
        "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").await.unwrap();
    assert!(rest(&mut stream).await.ends_with("\r\n\r\nok"));
}

#[tokio::test]
async fn a_client_is_told_if_its_body_is_not_waited_for() {
    let server = Setup::default().start();
    let after = "GET /after HTTP/1.1\r\n\r\n";
    let expects = "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let cases = [
        ("asked for", expects.to_owned(), true),
        ("on its way", "Content-Length: 2\r\n\r\n".to_owned(), true),
        ("half here", "Content-Length: 2\r\n\r\no".to_owned(), true),
        ("chunks half here", "Transfer-Encoding: chunked\r\n\r\n2\r\no".to_owned(), true),
        ("broken", "Transfer-Encoding: chunked\r\n\r\nx\r\n".to_owned(), true),
        ("long", format!("Content-Length: 300000\r\n\r\n{}", "x".repeat(300_000)), true),
        ("here", format!("Content-Length: 2\r\n\r\nok{after}"), false),
        ("here in chunks", format!("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n{after}"), false),
        ("here, asked for", format!("{expects}ok{after}"), false),
    ];
    for (name, request, closes) in cases {
        let mut stream = server.connect().await;
        stream.write_all(format!("POST /ignore HTTP/1.1\r\n{request}").as_bytes()).await.unwrap();
        let head = until(&mut stream, "\r\n\r\n").await;
        assert_eq!(
            (statuses(&head), head.contains("connection: close\r\n")),
            (vec![200], closes),
            "{name}: {head}"
        );
        assert_eq!(until(&mut stream, "hello /ignore").await, "hello /ignore", "{name}");
        if closes {
            assert_eq!(rest(&mut stream).await, "", "{name}");
        } else {
            assert_eq!(statuses(&until(&mut stream, "hello /after").await), [200], "{name}");
        }
    }
    assert_eq!(server.seen().iter().filter(|seen| *seen == "GET /after").count(), 3);
}

#[tokio::test]
async fn refused_heads_are_answered_behind_earlier_responses_and_close() {
    let server = Setup::default().start();
    let long_target = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1000));
    let long_head = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(5000));
    let many_fields = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(21));
    let cases = [
        (long_target.as_str(), 414),
        (&long_head, 431),
        (&many_fields, 431),
        ("GET / HTTP/1.1\nHost: h\n\n", 400),
        ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00", 400),
        ("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n\r\n", 400),
    ];
    for (head, status) in cases {
        let transcript = server.talk(head).await;
        assert_eq!(statuses(&transcript), [status], "{head:?}: {transcript}");
        assert!(transcript.contains("connection: close"), "{transcript}");
        let behind =
            format!("GET /a HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx{head}");
        let transcript = server.talk(format!("{behind}GET /smuggled HTTP/1.1\r\n\r\n")).await;
        assert_eq!(statuses(&transcript), [200, 200, status], "{head:?}: {transcript}");
    }
    assert!(!server.seen().iter().any(|seen| seen.contains("smuggled")));
}

#[tokio::test]
async fn nothing_is_smuggled() {
    let server = Setup::default().start();
    let inner = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    let heads = [
        // CL.TE and TE.CL
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
        // TE.TE
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding\r\n : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        // CL.CL, CL.0 in disguise
        "Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
        "Content-Length: 0, 40\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Content-Length:\r\n\r\n",
        "Content-Length: 0x0\r\n\r\n",
        "Content-Length\0: 0\r\n\r\n",
        // chunks
        "Transfer-Encoding: chunked\r\n\r\n0\n\n",
        "Transfer-Encoding: chunked\r\n\r\n0;a\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\r\nZZ\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n100000000000000000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n",
    ];
    for head in heads {
        for path in ["/echo", "/ignore"] {
            let transcript = server.talk(format!("POST {path} HTTP/1.1\r\n{head}{inner}")).await;
            assert!(statuses(&transcript).len() <= 1, "{head:?} got more than one answer: {transcript}");
        }
    }
    assert!(!server.seen().iter().any(|seen| seen.contains("smuggled")), "{:?}", server.seen());
}

fn short(which: fn(&mut Timeouts)) -> Setup {
    let mut setup = Setup::default();
    which(&mut setup.timeouts);
    setup
}

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_head_that_takes_too_long_gets_408() {
    let server = short(|timeouts| timeouts.head = SHORT).start();
    assert_eq!(statuses(&server.talk("GET / HTTP/1.1\r\n").await), [408]);
    let behind = server.talk("GET /a HTTP/1.1\r\n\r\nGET /b HT").await;
    assert_eq!(statuses(&behind), [200, 408]);
    // Bytes now and then do not help.
    let mut stream = server.connect().await;
    let (mut reader, mut writer) = stream.split();
    let dribble = async {
        loop {
            tokio::time::sleep(SHORT / 5).await;
            drop(writer.write_all(b"A").await);
        }
    };
    let mut start = [0; 12];
    tokio::select! {
        () = dribble => {}
        read = reader.read_exact(&mut start) => drop(read.unwrap()),
    }
    assert_eq!(&start, b"HTTP/1.1 408");
}

#[tokio::test]
async fn idle_connections_are_closed_without_a_word() {
    let server = short(|timeouts| timeouts.idle = SHORT).start();
    assert_eq!(server.talk("").await, "");
    assert_eq!(statuses(&server.talk("GET /a HTTP/1.1\r\n\r\n").await), [200]);
    let mut slow = server.connect().await;
    slow.write_all(b"GET /slow HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(server.talk("").await, "", "longer than the time-out");
    server.world.gate.add_permits(1);
    assert_eq!(statuses(&rest(&mut slow).await), [200], "a request is no idleness");
}

#[tokio::test]
async fn a_body_that_stays_away_gets_408() {
    let server = short(|timeouts| timeouts.body = SHORT).start();
    for framing in ["Content-Length: 5\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"] {
        let transcript = server.talk(format!("POST /echo HTTP/1.1\r\n{framing}")).await;
        assert_eq!(statuses(&transcript), [408], "{transcript}");
        assert!(transcript.contains("connection: close"), "{transcript}");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let server = short(|timeouts| timeouts.body = SHORT).start();
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\n\r\n").await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_secs(20), server.world.dropped.acquire()).await;
    dropped.expect("the response should have been given up").unwrap().forget();
    assert!(rest(&mut stream).await.len() < 16 * 1024 * 1024);
}

#[tokio::test]
async fn a_tunnel_begins_with_what_the_client_sent_early() {
    let server = Setup::default().start();
    let mut stream = server.connect().await;
    let head = "GET /a HTTP/1.1\r\n\r\nGET /upgrade HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(format!("{head}\0early\n").as_bytes()).await.unwrap();
    let read = until(&mut stream, "\0early\n").await;
    assert_eq!(statuses(&read), [200, 101], "{read}");
    stream.write_all(b"GET /smuggled HTTP/1.1\r\n\r\n").await.unwrap();
    until(&mut stream, "GET /smuggled HTTP/1.1\r\n\r\n").await;
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    assert_eq!(server.seen(), ["GET /a", "GET /upgrade"]);
}

#[tokio::test]
async fn a_declined_upgrade_goes_on_as_http() {
    let server = Setup::default().start();
    let head = "POST /echo HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab";
    let transcript = server.talk(format!("{head}{head}GET /b HTTP/1.1\r\n{CLOSE}")).await;
    assert_eq!(statuses(&transcript), [200; 3], "{transcript}");
    // And with what follows sent only after the answer.
    let mut stream = server.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    until(&mut stream, "ab").await;
    stream.write_all(format!("GET /b HTTP/1.1\r\n{CLOSE}").as_bytes()).await.unwrap();
    assert_eq!(statuses(&rest(&mut stream).await), [200]);
}

#[tokio::test]
async fn nothing_follows_a_connect() {
    let server = Setup::default().start();
    let transcript =
        server.talk("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n").await;
    assert!(transcript.contains("connection: close"), "{transcript}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_panic_hurts_its_own_connection_alone() {
    let server = Setup::default().start();
    let mut other = server.connect().await;
    other.write_all(b"GET /slow HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
    for _ in 0..4 {
        assert_eq!(server.talk("GET /panic HTTP/1.1\r\n\r\n").await, "");
    }
    server.world.gate.add_permits(1);
    assert_eq!(statuses(&rest(&mut other).await), [200]);
}
