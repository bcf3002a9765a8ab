//! Request smuggling: whatever a client sends, upstream receives the requests that the gateway judged, and no other.

use crate::harness::{Gateway, Upstream};

/// What stands for the request that somebody tries to smuggle.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends these bytes on one connection; the statuses of all answers until the gateway closes, or as many as expected.
fn statuses(gateway: &Gateway, bytes: &[u8], expected: usize) -> Vec<u16> {
    let mut client = gateway.connect();
    client.write(bytes);
    let mut statuses = Vec::new();
    while statuses.len() < expected {
        let Some(answer) = client.read_answer(false) else { break };
        statuses.push(answer.status);
    }
    if statuses.last() == Some(&400) {
        assert!(client.is_closed(), "a connection whose framing is in doubt goes on");
    }
    statuses
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /form HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one line a case")]
fn what_is_ambiguous_is_refused_and_nothing_of_it_goes_upstream() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&upstream, "");
    let chunked = "Transfer-Encoding: chunked\r\n";
    let zero = format!("0\r\n\r\n{HIDDEN}");
    let cases = [
        ("CL.TE", post(&format!("Content-Length: {}\r\n{chunked}", zero.len()), &zero)),
        ("TE.CL", post(&format!("{chunked}Content-Length: 4\r\n"), &format!("24\r\n{HIDDEN}\r\n0\r\n\r\n"))),
        ("TE.TE", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", &zero)),
        ("TE twice", post(&chunked.repeat(2), &zero)),
        ("TE unknown", post("Transfer-Encoding: xchunked\r\n", &zero)),
        ("TE list", post("Transfer-Encoding: identity, chunked\r\n", &zero)),
        ("TE behind chunked", post("Transfer-Encoding: chunked, identity\r\n", &zero)),
        ("TE quoted", post("Transfer-Encoding: \"chunked\"\r\n", &zero)),
        ("TE parameter", post("Transfer-Encoding: chunked;a=b\r\n", &zero)),
        ("TE blank before colon", post("Transfer-Encoding : chunked\r\n", &zero)),
        ("TE vertical tab", post("Transfer-Encoding:\u{b}chunked\r\n", &zero)),
        ("TE form feed behind", post("Transfer-Encoding: chunked\u{c}\r\n", &zero)),
        ("TE NUL", post("Transfer-Encoding: chunked\0\r\n", &zero)),
        ("TE folded", post("Transfer-Encoding:\r\n chunked\r\n", &zero)),
        ("TE folded into another", post("A: b\r\n Transfer-Encoding: chunked\r\n", &zero)),
        ("TE behind bare LF", post("A: b\nTransfer-Encoding: chunked\r\n", &zero)),
        ("TE behind bare CR", post("A: b\rTransfer-Encoding: chunked\r\n", &zero)),
        ("TE long s", post("Tran\u{17f}fer-Encoding: chunked\r\n", &zero)),
        ("TE in HTTP/1.0", format!("POST / HTTP/1.0\r\nHost: a\r\n{chunked}\r\n{zero}")),
        ("CL twice alike", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")),
        ("CL twice", post("Content-Length: 0\r\nContent-Length: 36\r\n", HIDDEN)),
        ("CL list", post("Content-Length: 5, 5\r\n", "hello")),
        ("CL plus", post("Content-Length: +5\r\n", "hello")),
        ("CL minus", post("Content-Length: -0\r\n", HIDDEN)),
        ("CL hex", post("Content-Length: 0x5\r\n", "hello")),
        ("CL octal", post("Content-Length: 010\r\n", "hello678")),
        ("CL empty", post("Content-Length:\r\n", HIDDEN)),
        ("CL blank inside", post("Content-Length: 5 6\r\n", "hello")),
        ("CL huge", post("Content-Length: 18446744073709551617\r\n", "h")),
        ("CL underscore", post("Content-Length: 1_0\r\n", "hello12345")),
        ("chunk extension", post(chunked, &format!("5;a=b\r\nhello\r\n{zero}"))),
        ("chunk extension with LF", post(chunked, &format!("5;\nxx\r\nhello\r\n{zero}"))),
        ("chunk size blank", post(chunked, &format!("5 \r\nhello\r\n{zero}"))),
        ("chunk size plus", post(chunked, &format!("+5\r\nhello\r\n{zero}"))),
        ("chunk size hex prefix", post(chunked, &format!("0x5\r\nhello\r\n{zero}"))),
        ("chunk size overflow", post(chunked, &format!("100000000000000005\r\nhello\r\n{zero}"))),
        ("chunk size bare LF", post(chunked, &format!("5\nhello\r\n{zero}"))),
        ("chunk end missing", post(chunked, &format!("5\r\nhello{zero}"))),
        ("chunk end wrong", post(chunked, &format!("5\r\nhelloXX{zero}"))),
        ("trailer content-length", post(chunked, &format!("0\r\nContent-Length: 36\r\n\r\n{HIDDEN}"))),
        ("trailer authorization", post(chunked, "0\r\nAuthorization: a\r\n\r\n")),
        ("trailer client address", post(chunked, "0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n")),
        ("bare LF", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n".to_owned()),
        ("no host", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        ("host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned()),
        ("two targets", "GET /a /b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        ("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        ("HTTP/0.9", "GET /\r\n\r\n".to_owned()),
        ("what http::Uri refuses", "GET /<> HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        ("a user in the authority", "GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
    ];
    for (name, bytes) in &cases {
        assert_eq!(statuses(&gateway, bytes.as_bytes(), 2), [400], "{name}");
    }
    let whole: Vec<_> = upstream.received().into_iter().map(|request| request.line).collect();
    assert!(whole.is_empty(), "{whole:?}");
}

#[test]
fn what_has_one_reading_goes_upstream_with_one_framing() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&upstream, "");
    let length = HIDDEN.len();
    let counted = format!("Content-Length: {length}\r\n");
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{HIDDEN}\r\n0\r\nSum: 1\r\n\r\n");
    let cases = [
        ("CL.0", post(&counted, HIDDEN), 1),
        ("CL.0 of GET", format!("GET /form HTTP/1.1\r\nHost: a\r\n{counted}\r\n{HIDDEN}"), 1),
        ("CL of HTTP/1.0", format!("POST /form HTTP/1.0\r\nHost: a\r\n{counted}\r\n{HIDDEN}"), 1),
        ("chunked", format!("POST /form HTTP/1.1\r\nHost: a\r\n{chunked}"), 1),
        ("chunked GET", format!("GET /form HTTP/1.1\r\nHost: a\r\n{chunked}"), 1),
        ("expect", post(&format!("Expect: 100-continue\r\n{counted}"), HIDDEN), 1),
        ("pipelined", post(&counted, HIDDEN).repeat(3), 3),
        (
            "declined upgrade",
            post(&format!("Connection: upgrade\r\nUpgrade: h2c\r\n{counted}"), HIDDEN).repeat(2),
            2,
        ),
        (
            "connection names framing",
            post(&format!("Connection: content-length, host\r\n{counted}"), HIDDEN),
            1,
        ),
        (
            "underscores",
            post(&format!("{counted}Content_Length: 0\r\nTransfer_Encoding: chunked\r\n"), HIDDEN),
            1,
        ),
    ];
    for (name, bytes, requests) in &cases {
        let before = upstream.received().len();
        assert_eq!(statuses(&gateway, bytes.as_bytes(), *requests), vec![200; *requests], "{name}");
        let received = upstream.received().split_off(before);
        assert_eq!(received.len(), *requests, "{name}");
        for request in received {
            assert_eq!(request.target(), "/form", "{name}");
            assert_eq!(request.body, HIDDEN.as_bytes(), "{name}");
            let framings = request.count("content-length") + request.count("transfer-encoding");
            assert_eq!(framings, 1, "{name}: {:?}", request.headers);
            assert_eq!(request.count("host"), 1, "{name}");
            assert!(!request.headers.iter().any(|(name, _)| name.contains('_')), "{name}");
        }
    }
}

#[test]
fn answers_never_reach_another_request() {
    let upstream = Upstream::answering(|_| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            .to_vec()
    });
    let gateway = Gateway::start(&upstream, "");
    for _ in 0..20 {
        assert_eq!(gateway.get("127.0.0.1", "/").text(), "a");
    }
}

#[test]
fn answers_of_ambiguous_length_are_not_passed_on() {
    for (name, fields) in [
        ("both", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        ("two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n"),
        ("a list of lengths", "Content-Length: 1, 2\r\n"),
        ("no number", "Content-Length: +1\r\n"),
        ("another coding", "Transfer-Encoding: gzip, chunked\r\n"),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n1\r\na\r\n0\r\n\r\n");
        let upstream = Upstream::answering(move |_| head.clone().into_bytes());
        let gateway = Gateway::start(&upstream, "");
        assert_eq!(gateway.get("127.0.0.1", "/").status, 502, "{name}");
    }
}
