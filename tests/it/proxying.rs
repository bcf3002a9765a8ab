//! What passes through unchanged, and what is refused before any policy is asked.

use crate::harness::{Gateway, Upstream};

fn start() -> (Gateway, Upstream) {
    let upstream = Upstream::start();
    (Gateway::start(&upstream, ""), upstream)
}

#[test]
fn targets_are_forwarded_to_the_byte() {
    let (gateway, upstream) = start();
    for target in [
        "/",
        "/a%2Fb",
        "/a//b/../c",
        "/a;b=c?d=%20e+f&g",
        "/%7euser",
        "/a|b",
        "/x?y=/oauth2/",
        "/A%aA",
        "/?a=b?c=d",
    ] {
        assert_eq!(gateway.get("192.0.2.1", target).status, 200, "{target}");
        assert_eq!(upstream.last().line, format!("GET {target} HTTP/1.1"));
    }
    let absolute = gateway.send("GET http://idp.example/a?b HTTP/1.1\r\nHost: other\r\n\r\n");
    assert_eq!(absolute.status, 200);
    assert_eq!(upstream.last().target(), "/a?b");
    assert_eq!(upstream.last().header("host"), Some("idp.example"));
}

#[test]
fn connections_are_kept_on_both_sides() {
    let (gateway, upstream) = start();
    let mut client = gateway.connect();
    for _ in 0..20 {
        assert_eq!(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").text(), "upstream");
    }
    assert!(upstream.received().iter().all(|request| request.connection == 0));
}

#[test]
fn bodies_of_both_framings_go_through_unchanged() {
    let (gateway, upstream) = start();
    let sized = gateway.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(sized.status, 200);
    assert_eq!(upstream.last().body, b"hello");
    assert_eq!(upstream.last().header("content-length"), Some("5"));
    let chunked = gateway
        .send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(chunked.status, 200);
    assert_eq!(upstream.last().body, b"hello");
    assert_eq!(upstream.last().header("content-length"), None);
}

#[test]
fn what_is_malformed_or_too_much_gets_its_own_status() {
    let (gateway, upstream) = start();
    let long = "a".repeat(9000);
    let many = "a: b\r\n".repeat(101);
    let large = format!("a: {}\r\n", "b".repeat(33 * 1024));
    for (request, expected) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET /%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\nHost: a\n\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n".to_owned(), 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: k\r\nAuthorization: k\r\n\r\n".to_owned(), 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                .to_owned(),
            400,
        ),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n".to_owned(), 405),
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{large}\r\n"), 431),
    ] {
        let answer = gateway.send(&request);
        assert_eq!(answer.status, expected, "{}", request.chars().take(80).collect::<String>());
        assert_eq!(answer.header("server"), None);
    }
    assert!(upstream.received().is_empty());
}

#[test]
fn an_upstream_that_is_not_there_is_a_502() {
    let gateway = Gateway::start_with(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://127.0.0.1:1\"\n",
    );
    let answer = gateway.get("192.0.2.1", "/");
    assert_eq!((answer.status, answer.body.len()), (502, 0));
}
