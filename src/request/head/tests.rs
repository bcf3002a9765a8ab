//! One line a head.

use super::*;
use crate::request::fixture::limits;
use http::{HeaderValue, Request};
use proptest::prelude::*;

fn head(version: Version, method: &str, target: &str, fields: &[(&str, &[u8])]) -> RequestHead {
    let mut request = Request::builder().version(version).method(method).uri(target).body(()).unwrap();
    for (name, value) in fields {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request.into_parts().0.into()
}

fn h1(target: &str, fields: &[(&str, &[u8])]) -> Result<(), RequestError> {
    let mut all: Vec<(&str, &[u8])> = vec![("host", b"a.example")];
    all.extend_from_slice(fields);
    check(&head(Version::HTTP_11, "GET", target, &all), &limits())
}

fn malformed(result: Result<(), RequestError>) -> bool {
    matches!(result, Err(RequestError::Malformed(_)))
}

#[test]
fn accepts_ordinary_targets() {
    for target in [
        "/",
        "/oauth2/authorize?client_id=a&x=%00",
        "//x/y",
        "/a/../b;c",
        "/%25",
        "/%20",
        "/%2e%2e/",
        "/%0",
        "/%",
        "/%u00e9",
        "/%2520",
        "http://a.example/x",
        "https://A.EXAMPLE/",
        "http://a.example",
        "/%250",
        "/%0b",
    ] {
        assert_eq!(h1(target, &[]), Ok(()), "{target}");
    }
}

#[test]
fn refuses_line_breaks_in_the_path() {
    for target in [
        "/a%00",
        "/%0a",
        "/%0A",
        "/%0d",
        "/%0D/x",
        "/%2500",
        "/%252500",
        "/%25252500x",
        "/%u0000",
        "/%U000a",
        "/%u000D",
        "/%25u000d",
        "/%2%35%300",
        "/%0%30",
        "/%%00",
        "/%2525250a?q",
        "http://a.example/%00",
    ] {
        assert!(malformed(h1(target, &[])), "{target}");
    }
}

#[test]
fn refuses_other_forms_and_schemes() {
    for target in ["*", "a.example:80", "ftp://a.example/", "ws://a.example/"] {
        assert!(malformed(h1(target, &[])), "{target}");
    }
    for (target, result) in [("*", true), ("/", true), ("http://a.example", true), ("a.example:80", false)] {
        let parts = head(Version::HTTP_11, "OPTIONS", target, &[("host", b"a.example")]);
        assert_eq!(check(&parts, &limits()).is_ok(), result, "{target}");
    }
    let connect = head(Version::HTTP_11, "CONNECT", "a.example:80", &[("host", b"a.example")]);
    assert_eq!(check(&connect, &limits()), Err(RequestError::MethodNotAllowed));
    for method in ["TRACE", "trace", "TRACK"] {
        let parts = head(Version::HTTP_11, method, "/", &[("host", b"a.example")]);
        assert_eq!(check(&parts, &limits()), Err(RequestError::MethodNotAllowed), "{method}");
    }
    let odd = head(Version::HTTP_11, "BREW!", "/", &[("host", b"a.example")]);
    assert_eq!(check(&odd, &limits()), Ok(()));
}

#[test]
fn hosts() {
    let host = |value: &[u8]| check(&head(Version::HTTP_11, "GET", "/", &[("host", value)]), &limits());
    for value in [
        "a",
        "A.Example",
        "a.example.",
        "a:80",
        "a:",
        "127.0.0.1:9011",
        "[::1]",
        "[2001:db8::1]:443",
        "a_b-c~d.e",
        "a:65535",
    ] {
        assert_eq!(host(value.as_bytes()), Ok(()), "{value}");
    }
    for value in [
        "",
        ".",
        "..",
        "a..b",
        "a..",
        ".a",
        "a b",
        "a,b",
        "u@a",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a%2eb",
        "a:b",
        "a:1:2",
        "a:65536",
        "a:4294967296000",
        "a:000080",
        "a:-1",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]:x",
        "[1.2.3.4]",
        "[fe80::1%251]",
        "[]",
        "a]:1",
        "ä.example",
        "a;b",
        "[v1.x]",
        "a\tb",
        ":80",
        "http://a",
    ] {
        assert!(malformed(host(value.as_bytes())), "{value}");
    }
    assert!(malformed(host(b"a\xff")));
}

#[test]
fn hosts_and_authorities() {
    let cases: [(Version, &str, &[&str], bool); 15] = [
        (Version::HTTP_11, "/", &[], false),
        (Version::HTTP_10, "/", &[], true),
        (Version::HTTP_10, "/", &["a b"], false),
        (Version::HTTP_11, "/", &["a", "a"], false),
        (Version::HTTP_11, "http://a/", &[], false),
        (Version::HTTP_11, "http://a/", &["b"], true),
        (Version::HTTP_11, "http://a/", &["b c"], false),
        (Version::HTTP_11, "http://a:80/", &["a"], true),
        (Version::HTTP_11, "http://u@a/", &["a"], false),
        (Version::HTTP_11, "http://u@a/", &["u@a"], false),
        (Version::HTTP_2, "http://a/", &[], true),
        (Version::HTTP_2, "http://a/", &["A"], true),
        (Version::HTTP_2, "http://a/", &["b"], false),
        (Version::HTTP_2, "/", &[], false),
        (Version::HTTP_2, "http://u@a/", &[], false),
    ];
    for (version, target, hosts, accepted) in cases {
        let fields: Vec<(&str, &[u8])> = hosts.iter().map(|host| ("host", host.as_bytes())).collect();
        let parts = head(version, "GET", target, &fields);
        assert_eq!(check(&parts, &limits()).is_ok(), accepted, "{version:?} {target} {hosts:?}");
    }
}

#[test]
fn fields() {
    type Fields = &'static [(&'static str, &'static [u8])];
    let cases: [(Fields, bool); 17] = [
        (&[("authorization", b"Basic YTpi")], true),
        (&[("authorization", b"a"), ("authorization", b"a")], false),
        (&[("authorization", b"a\tb")], false),
        (&[("authorization", b"a\xc3\xa4")], false),
        (&[("content-type", b"a/b"), ("content-type", b"a/b")], false),
        (&[("content-length", b"1"), ("content-length", b"1")], false),
        (&[("content-length", b"1, 1")], false),
        (&[("content-length", b"+1")], false),
        (&[("content-length", b"")], false),
        (&[("content-length", b"12")], true),
        (&[("transfer-encoding", b"chunked")], true),
        (&[("transfer-encoding", b"Chunked")], true),
        (&[("transfer-encoding", b"gzip, chunked")], false),
        (&[("transfer-encoding", b"chunked"), ("transfer-encoding", b"chunked")], false),
        (&[("transfer-encoding", b"chunked"), ("content-length", b"1")], false),
        (&[("x-any", b"a\tb\xff")], true),
        (&[("x-any", b"a"), ("x-any", b"b")], true),
    ];
    for (fields, accepted) in cases {
        assert_eq!(h1("/", fields).is_ok(), accepted, "{fields:?}");
    }
    let old = head(Version::HTTP_10, "POST", "/", &[("transfer-encoding", b"chunked")]);
    assert!(malformed(check(&old, &limits())));
}

#[test]
fn sizes() {
    let limits = Limits { target: 10, fields: 2, head: 60, ..limits() };
    let answer = |target: &str, fields: &[(&str, &[u8])]| {
        let mut all: Vec<(&str, &[u8])> = vec![("host", b"a")];
        all.extend_from_slice(fields);
        check(&head(Version::HTTP_11, "GET", target, &all), &limits)
    };
    assert_eq!(answer("/123456789", &[]), Ok(()));
    assert_eq!(answer("/1234567890", &[]), Err(RequestError::TargetTooLong));
    assert_eq!(answer("http://a/12", &[]), Err(RequestError::TargetTooLong));
    assert_eq!(answer("/", &[("a", b"b")]), Ok(()));
    assert_eq!(answer("/", &[("a", b"b"), ("a", b"b")]), Err(RequestError::HeadTooLarge));
    assert_eq!(answer("/", &[("a", &[b'x'; 45])]), Ok(()));
    assert_eq!(answer("/", &[("a", &[b'x'; 46])]), Err(RequestError::HeadTooLarge));
}

fn decoded_once(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let (mut at, mut out) = (0, Vec::new());
    while at < bytes.len() {
        let code = path.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) if bytes[at] == b'%' && bytes[at + 1] != b'+' => {
                out.push(code);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn no_line_break_however_often_decoded(path in "/(%|25|%25|2|5|%32|%35|%30|0|a|D|x){0,12}") {
        let mut text = path.clone();
        let mut found = false;
        for _ in 0..ROUNDS {
            let bytes = decoded_once(&text);
            found |= bytes.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
            text = String::from_utf8_lossy(&bytes).into_owned();
        }
        if found {
            prop_assert!(encodes_line_break(path.as_bytes()), "{path}");
        }
    }
}

#[test]
fn the_authority_of_the_target_is_the_one_that_counts() {
    let parts = head(Version::HTTP_11, "GET", "http://a/", &[("host", b"b")]);
    assert_eq!(authority(&parts), Some("a"));
}
