//! SPEC §3 as an upstream sees it: who the client is believed to be, and what of the forwarding fields gets through.

use crate::harness::{Client, Gateway, Upstream};

const POLICY: &str = r#"
[[ip_acl]]
name = "office-only"
default = "block"
allow = ["198.51.100.0/24", "127.0.0.2"]

[[tenant]]
id = "t"
name = "t"
default = true
ip_acl = "office-only"
"#;

fn start(client_ip: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&upstream, &format!("{POLICY}\n[client_ip]\n{client_ip}"));
    (gateway, upstream)
}

fn status(gateway: &Gateway, source: &str, fields: &str) -> u16 {
    let mut client = Client::connect_from(source.parse().unwrap(), gateway.address());
    client.send(format!("GET /oauth2/x HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).status
}

#[test]
fn the_header_counts_from_trusted_peers_alone() {
    let (gateway, upstream) = start("trusted_proxies = [\"127.0.0.1\"]");
    for (source, fields, expected) in [
        ("127.0.0.1", "X-Forwarded-For: 198.51.100.7\r\n", 200),
        ("127.0.0.1", "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n", 200),
        ("127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.7\r\n", 403),
        ("127.0.0.1", "X-Forwarded-For: 198.51.100.7:4711\r\n", 200),
        ("127.0.0.1", "X-Forwarded-For: [::ffff:198.51.100.7]:4711\r\n", 200),
        ("127.0.0.1", "X-Forwarded-For: , ,198.51.100.7\r\n", 200),
        ("127.0.0.1", "X-Forwarded-For: \"198.51.100.7\"\r\n", 403),
        ("127.0.0.1", "X-Forwarded-For: 198.51.100.07\r\n", 403),
        ("127.0.0.1", "X-Forwarded-For: 0xc6.51.100.7\r\n", 403),
        ("127.0.0.1", "", 403),
        ("127.0.0.3", "X-Forwarded-For: 198.51.100.7\r\n", 403),
        ("127.0.0.2", "", 200),
        ("127.0.0.2", "X-Forwarded-For: 203.0.113.9\r\n", 200),
    ] {
        assert_eq!(status(&gateway, source, fields), expected, "{source} {fields}");
    }
    let seen = upstream.received();
    assert!(seen.iter().all(|request| request.count("x-forwarded-for") == 1), "{seen:?}");
    assert_eq!(seen[0].header("x-forwarded-for"), Some("198.51.100.7, 127.0.0.1"));
    assert_eq!(upstream.last().header("x-forwarded-for"), Some("127.0.0.2"));
}

#[test]
fn the_other_headers_and_selections() {
    for (settings, fields, expected) in [
        ("header = \"none\"", "X-Forwarded-For: 198.51.100.7\r\n", 403),
        ("header = \"CF-Connecting-IP\"", "CF-Connecting-IP: 198.51.100.7\r\n", 200),
        ("header = \"CF-Connecting-IP\"", "CF-Connecting-IP: 198.51.100.7, 1.2.3.4\r\n", 403),
        (
            "header = \"CF-Connecting-IP\"",
            "CF-Connecting-IP: 198.51.100.7\r\nCF-Connecting-IP: 198.51.100.7\r\n",
            403,
        ),
        ("header = \"Forwarded\"", "Forwarded: for=198.51.100.7;proto=https\r\n", 200),
        ("header = \"Forwarded\"", "Forwarded: for=\"[::ffff:198.51.100.7]:80\"\r\n", 200),
        ("header = \"Forwarded\"", "Forwarded: for=_hidden\r\n", 403),
        ("header = \"Forwarded\"", "Forwarded: for=198.51.100.7;for=198.51.100.7\r\n", 403),
        (
            "select = \"rightmost-untrusted\"\ntrusted_proxies = [\"loopback\", \"10.0.0.0/8\"]",
            "X-Forwarded-For: 203.0.113.9, 198.51.100.7, 10.0.0.1\r\n",
            200,
        ),
        ("select = \"rightmost-untrusted\"", "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n", 403),
    ] {
        let (gateway, _upstream) = start(settings);
        assert_eq!(status(&gateway, "127.0.0.1", fields), expected, "{settings} {fields}");
    }
}

#[test]
fn what_an_untrusted_peer_says_of_addresses_hosts_and_paths_never_gets_through() {
    let (gateway, upstream) = start("trusted_proxies = [\"127.0.0.9\"]");
    let sent = [
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "Forwarded",
        "X-Real-IP",
        "True-Client-IP",
        "X-Client-IP",
        "CF-Connecting-IP",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Remote-Addr",
        "X-Custom_Name",
        "X-ProxyUser-Client-Ip",
    ];
    let fields: String = sent.iter().map(|name| format!("{name}: 6.6.6.6\r\n")).collect();
    assert_eq!(status(&gateway, "127.0.0.2", &format!("{fields}X-Harmless: 1\r\n")), 200);
    let seen = upstream.last();
    assert!(seen.headers.iter().all(|(_, value)| !value.contains("6.6.6.6")), "{seen:?}");
    assert_eq!(seen.header("x-harmless"), Some("1"));
    assert_eq!(seen.header("x-real-ip"), Some("127.0.0.2"));
    assert_eq!(seen.header("x-forwarded-host"), Some("a"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    let hiding = "Connection: close, x-forwarded-for, x-real-ip, authorization\r\nAuthorization: k\r\n";
    assert_eq!(status(&gateway, "127.0.0.2", hiding), 200);
    let seen = upstream.last();
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.2"));
    assert_eq!(seen.header("authorization"), Some("k"));
}
