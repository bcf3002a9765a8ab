//! Tables of fields: what is sent, what arrives upstream.

use super::*;
use crate::request::Scheme;
use http::Request;
use std::sync::Arc;
use std::time::Duration;

fn settings() -> config::Upstream {
    config::Upstream {
        urls: vec![config::UpstreamUrl { tls: false, host: "127.0.0.1".into(), port: 1 }],
        connect_timeout: Duration::from_secs(5),
        response_timeout: Duration::from_secs(60),
        ca: None,
        h2c: false,
        idle_connections: 4,
        idle_timeout: Duration::from_secs(60),
        forwarded: false,
        strip_headers: vec![Arc::from("x-mine")],
    }
}

struct Sender {
    client: Option<&'static str>,
    trusted: bool,
    scheme: Scheme,
    forwarded: bool,
}

const UNTRUSTED: Sender =
    Sender { client: Some("192.0.2.1"), trusted: false, scheme: Scheme::Http, forwarded: false };
const TRUSTED: Sender = Sender { client: Some("198.51.100.7"), trusted: true, ..UNTRUSTED };

/// The fields that go upstream, one a line, for a request with these fields.
fn sent(sender: &Sender, uri: &str, fields: &[(&str, &str)]) -> Vec<String> {
    let mut builder = Request::builder().uri(uri);
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    lines(sender, &parts.into(), Wish::Response)
}

fn lines(sender: &Sender, request: &RequestHead, wish: Wish) -> Vec<String> {
    let connection =
        Connection::new("192.0.2.1:5000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap(), sender.scheme);
    let forwarding = Forwarding {
        permit: Permit::for_tests(),
        connection: &connection,
        client: sender.client.map(|client| client.parse().unwrap()),
        peer_trusted: sender.trusted,
        decisive: &["x-decisive".into()],
    };
    let settings = config::Upstream { forwarded: sender.forwarded, ..settings() };
    let host = host(request).unwrap_or(b"upstream:9011");
    let mut fields = HeaderMap::new();
    let hop = HopFields::of(&request.fields).unwrap();
    write_request(&mut fields, (request, &hop), &forwarding, &settings, (host, wish));
    let mut head = Vec::new();
    write_request(&mut head, (request, &hop), &forwarding, &settings, (host, wish));
    assert_eq!(sorted(&String::from_utf8(head).unwrap()), sorted(&text(&fields)), "HTTP/1.1 and HTTP/2");
    fields.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
}

fn text(fields: &HeaderMap) -> String {
    fields.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split("\r\n").collect();
    lines.sort_unstable();
    lines
}

fn without_forwarding(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| !line.starts_with("x-forwarded-") && !line.starts_with("x-real-ip"))
        .collect()
}

#[test]
fn hop_by_hop_fields_end_here() {
    let lines = sent(
        &UNTRUSTED,
        "/",
        &[
            ("host", "a.example"),
            ("connection", "keep-alive, X-Hop, close"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic eA=="),
            ("te", "gzip"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("expect", "100-continue"),
            ("proxy", "http://evil/"),
            ("accept", "*/*"),
            ("trailer", "x-sum"),
        ],
    );
    assert_eq!(without_forwarding(lines), ["host: a.example", "accept: */*", "trailer: x-sum"]);
}

#[test]
fn doubles_of_decisive_fields_are_not_sent() {
    for name in ["x.decisive", "content.type", "x~decisive"] {
        for forwarding in [&UNTRUSTED, &TRUSTED] {
            let lines = sent(forwarding, "/", &[("host", "a"), (name, "other")]);
            assert!(!lines.iter().any(|line| line.starts_with(name)), "{name}: {lines:?}");
        }
    }
    let lines =
        sent(&UNTRUSTED, "/", &[("host", "a"), ("x.custom", "other"), ("x.remote.ip", "198.51.100.7")]);
    assert!(lines.contains(&"x.custom: other".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("x.remote.ip")), "{lines:?}");
}

#[test]
fn connection_removes_nothing_that_matters() {
    let kept = [
        ("authorization", "key"),
        ("cookie", "a=b"),
        ("content-type", "text/plain"),
        ("x-fusionauth-tenantid", "t"),
        ("x-api-key", "k"),
        ("x-decisive", "d"),
    ];
    for (name, value) in kept {
        let lines = sent(&UNTRUSTED, "/", &[("host", "a"), ("connection", name), (name, value)]);
        assert!(lines.contains(&format!("{name}: {value}")), "{name}: {lines:?}");
    }
    let lines = sent(
        &UNTRUSTED,
        "/",
        &[("host", "a"), ("connection", "host, x-forwarded-for, X-Real-IP, x-forwarded-proto")],
    );
    assert_eq!(
        lines,
        [
            "host: a",
            "x-forwarded-for: 192.0.2.1",
            "x-real-ip: 192.0.2.1",
            "x-forwarded-proto: http",
            "x-forwarded-port: 80",
            "x-forwarded-host: a",
        ]
    );
}

#[test]
fn connection_with_too_many_options_is_refused() {
    let options: Vec<String> = (0..17).map(|n| format!("x-{n}")).collect();
    let mut fields = crate::request::Fields::default();
    fields.set("connection", options.join(",").as_bytes());
    assert!(HopFields::of(&fields).is_err());
    fields.set("connection", options[..16].join(",").as_bytes());
    assert!(HopFields::of(&fields).is_ok());
}

#[test]
fn untrusted_peers_say_nothing_of_the_client() {
    let lines = sent(
        &UNTRUSTED,
        "/",
        &[
            ("host", "a.example:8443"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-port", "1"),
            ("x-forwarded-prefix", "/admin"),
            ("forwarded", "for=127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("true-client-ip", "127.0.0.1"),
            ("cf-connecting-ip", "127.0.0.1"),
            ("x-original-url", "/admin"),
            ("x_forwarded_for", "127.0.0.1"),
            ("x-custom_name", "1"),
            ("x-mine", "1"),
            ("x-azure-socketip", "127.0.0.1"),
            ("x-http-method-override", "PUT"),
        ],
    );
    assert_eq!(
        lines,
        [
            "host: a.example:8443",
            "x-http-method-override: PUT",
            "x-forwarded-for: 192.0.2.1",
            "x-real-ip: 192.0.2.1",
            "x-forwarded-proto: http",
            "x-forwarded-port: 8443",
            "x-forwarded-host: a.example:8443",
        ]
    );
}

#[test]
fn trusted_peers_are_believed_once() {
    let lines = sent(
        &TRUSTED,
        "/",
        &[
            ("host", "inner:8080"),
            ("x-forwarded-for", "1.1.1.1, 198.51.100.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "auth.example"),
            ("x-real-ip", "1.1.1.1"),
            ("forwarded", "for=1.1.1.1"),
            ("cf-connecting-ip", "198.51.100.7"),
            ("x-forwarded-prefix", "/p"),
            ("x-mine", "1"),
            ("x_real_ip", "1.1.1.1"),
            ("x.real.ip", "1.1.1.1"),
            ("x-forwarded.for", "1.1.1.1"),
            ("x-original-url", "/admin"),
            ("x-rewrite-url", "/admin"),
        ],
    );
    assert_eq!(
        lines,
        [
            "host: inner:8080",
            "cf-connecting-ip: 198.51.100.7",
            "x-forwarded-prefix: /p",
            "x-mine: 1",
            "x-forwarded-for: 198.51.100.7, 192.0.2.1",
            "x-real-ip: 198.51.100.7",
            "x-forwarded-proto: https",
            "x-forwarded-port: 443",
            "x-forwarded-host: auth.example",
        ]
    );
    for (name, insane) in [
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-proto", "https, http"),
        ("x-forwarded-port", "0"),
        ("x-forwarded-port", "65536"),
        ("x-forwarded-port", "+80"),
        ("x-forwarded-host", "a\"b"),
        ("x-forwarded-host", "a, b"),
        ("x-forwarded-host", ""),
    ] {
        let lines = sent(&TRUSTED, "/", &[("host", "inner"), (name, insane)]);
        let value = match name {
            "x-forwarded-proto" => "http",
            "x-forwarded-port" => "80",
            _ => "inner",
        };
        assert!(lines.contains(&format!("{name}: {value}")), "{name} {insane}: {lines:?}");
    }
    let twice =
        sent(&TRUSTED, "/", &[("host", "h"), ("x-forwarded-proto", "https"), ("x-forwarded-proto", "https")]);
    assert!(twice.contains(&"x-forwarded-proto: http".to_owned()));
}

#[test]
fn undetermined_clients_leave_the_peer_alone() {
    let lines =
        sent(&Sender { client: None, ..TRUSTED }, "/", &[("host", "a"), ("x-forwarded-for", "unknown")]);
    assert!(lines.contains(&"x-forwarded-for: 192.0.2.1".to_owned()), "{lines:?}");
    assert!(lines.contains(&"x-real-ip: 192.0.2.1".to_owned()), "{lines:?}");
}

#[test]
fn forwarded_is_written_where_wanted() {
    let sender = Sender { client: Some("2001:db8::1"), forwarded: true, scheme: Scheme::Https, ..TRUSTED };
    let lines = sent(&sender, "/", &[("host", "a.example:8443")]);
    let wanted = "forwarded: for=\"[2001:db8::1]\";host=\"a.example:8443\";proto=https, for=192.0.2.1";
    assert!(lines.contains(&wanted.to_owned()), "{lines:?}");
    assert!(lines.contains(&"x-forwarded-for: 2001:db8::1, 192.0.2.1".to_owned()), "{lines:?}");
    let mapped =
        sent(&Sender { client: Some("::ffff:192.0.2.1"), forwarded: true, ..TRUSTED }, "/", &[("host", "a")]);
    assert!(mapped.contains(&"forwarded: for=192.0.2.1;host=\"a\";proto=http".to_owned()), "{mapped:?}");
}

#[test]
fn host_is_what_the_client_asked_for() {
    let first = |lines: Vec<String>| lines.into_iter().next().unwrap();
    assert_eq!(first(sent(&UNTRUSTED, "/", &[("host", "A.Example:80")])), "host: A.Example:80");
    assert_eq!(first(sent(&UNTRUSTED, "http://b.example/x", &[("host", "a")])), "host: b.example");
    assert_eq!(first(sent(&UNTRUSTED, "https://u:p@b.example:1/x", &[])), "host: b.example:1");
    assert_eq!(first(sent(&UNTRUSTED, "/", &[])), "host: upstream:9011");
    let v6 = sent(&UNTRUSTED, "/", &[("host", "[::1]")]);
    assert!(v6.contains(&"x-forwarded-port: 80".to_owned()), "{v6:?}");
}

#[test]
fn trailers_cookies_and_upgrades() {
    let te = sent(&UNTRUSTED, "/", &[("host", "a"), ("te", "gzip, Trailers")]);
    assert!(te.contains(&"te: trailers".to_owned()) && te.contains(&"connection: te".to_owned()), "{te:?}");

    let request = Request::builder()
        .uri("https://a/")
        .version(Version::HTTP_2)
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("cookie", "c=3");
    let request = request.body(()).unwrap().into_parts().0.into();
    let joined = lines(&UNTRUSTED, &request, Wish::Response);
    assert!(joined.contains(&"cookie: a=1; b=2; c=3".to_owned()), "{joined:?}");
    assert_eq!(joined.iter().filter(|line| line.starts_with("cookie")).count(), 1);

    let tunnel = lines(&UNTRUSTED, &request, Wish::Tunnel);
    assert!(
        tunnel.contains(&"upgrade: websocket".to_owned())
            && tunnel.contains(&"connection: upgrade".to_owned())
    );
}
