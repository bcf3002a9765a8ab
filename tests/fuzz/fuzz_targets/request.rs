//! A whole request from raw bytes to its decision: scanner, head, client address, facts, body, decision.
//!
//! Whatever the scanner lets through is framed alike by `httparse` and has the same fields, however it is cut; whoever is outside of every list is never let in
//! where the target lies plainly under a protected prefix.
#![no_main]

use aclgate::config::{Limits, Loaded, load};
use aclgate::policy::NoFiles;
use aclgate::policy::decide::{Effect, decide};
use aclgate::policy::moment::Moment;
use aclgate::request::{Fields, RequestHead, client_address, facts, head};
use aclgate::server::scanner::{Head, Piece, Scanner};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

const POLICY: &str = r#"
[server]
listen = ["127.0.0.1:1"]
[upstream]
url = "http://127.0.0.1:2"
[client_ip]
trusted_proxies = ["loopback"]
[[ip_acl]]
name = "nobody"
default = "block"
[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "nobody"
[[resource_server]]
identifier = "https://acme.example/api/v2/"
ip_acl = "nobody"
[[path]]
prefix = "/api/v2/"
ip_acl = "nobody"
"#;

fn policy() -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(|| load(POLICY, "fuzz.toml", &NoFiles, Moment::FIRST).loaded.expect("a policy"))
}

const LIMITS: Limits =
    Limits { head: 8192, fields: 32, target: 2048, connections: 1, h2_streams: 1, h2_header_list: 8192 };

fuzz_target!(|bytes: &[u8]| {
    let mut scanner = Scanner::new(LIMITS);
    let Ok(Head::Whole(head)) = scanner.head(bytes) else { return };
    let places = scanner.take_places();
    // Byte by byte, where nothing is taken by the line.
    let mut slow = Scanner::new(LIMITS);
    let ends = bytes[..head].iter().map(|byte| slow.head(std::slice::from_ref(byte))).last();
    assert_eq!(ends, Some(Ok(Head::Whole(1))), "a cut changes nothing");
    assert_eq!(slow.take_places(), places, "a cut changes nothing");
    let mut body = Vec::new();
    let mut rest = &bytes[head..];
    while !rest.is_empty() && scanner.framing().is_some() {
        let Ok(piece) = scanner.body(rest) else { break };
        let (Piece::Data(taken) | Piece::Framing(taken) | Piece::Trailers(taken)) = piece;
        assert!(taken > 0, "every step takes something");
        if let Piece::Data(_) = piece {
            body.extend_from_slice(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Request::new(&mut fields);
    let status = parsed.parse(bytes).expect("what the scanner passes, the parser takes");
    let httparse::Status::Complete(length) = status else {
        panic!("the scanner saw a head, the parser none")
    };
    assert_eq!(length, head, "both see one end");
    let mut request = http::Request::builder().method(parsed.method.unwrap()).uri(parsed.path.unwrap());
    if parsed.version == Some(0) {
        request = request.version(http::Version::HTTP_10);
    }
    let request = request.body(()).expect("what the scanner passes is a request");
    let mut request = RequestHead::from(request.into_parts().0);
    let text = bytes[..head].strip_prefix(b"\r\n").unwrap_or(&bytes[..head]);
    request.fields = Fields::of_lines(BytesMut::from(text), places).expect("fields stand in their head");
    let ours = request.fields.iter().map(|field| (field.name.to_vec(), field.value));
    let theirs =
        parsed.headers.iter().map(|field| (field.name.to_ascii_lowercase().into_bytes(), field.value));
    assert!(ours.eq(theirs), "both see the same fields");
    if head::check(&request, &LIMITS).is_err() {
        return;
    }
    let Loaded { config, policy } = policy();
    let peer = "203.0.113.9".parse().unwrap();
    let client = client_address::resolve(&config.client_ip, peer, &request.fields);
    assert_eq!(client.address, Some(peer), "an untrusted peer is the client");
    let Ok(mut facts) = facts::gather(policy, &request, client.address) else { return };
    if facts::add_body(policy, &mut facts, &request, &body).is_err() {
        return;
    }
    let decision = decide(policy, &facts, |_| {});
    let path = request.target.path();
    if path.starts_with("/oauth2/") && !path.contains(['%', ';', '\\']) && !path.contains("/.") {
        assert_eq!(decision.effect, Effect::Block, "{path}");
    }
});
