//! A blocked API key beside an invalid one, as bytes on the wire: SPEC §5.

use crate::harness::{Gateway, Received, Upstream};
use std::io::Read;

const KEY: &str = "bf69486b-4733-4470-a592-f1bfce7af580";
const INVALID: &str = "0d4b9a7e-1f6c-4a58-9d0e-5c1f2b3a4d5e";

const POLICY: &str = r#"
[[ip_acl]]
name = "nobody"
default = "block"
[[api_key]]
name = "ci"
sha256 = "HASH"
ip_acl = "nobody"
[policy.blocked_api_key]
"#;

/// What upstreams say to an invalid key, and the configuration that says the same. `@` is a body, cut off for HEAD.
const REFUSALS: &[(&str, &str)] = &[
    ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n@", ""),
    ("HTTP/1.1 401 \r\nContent-Length: 0\r\n\r\n@", "reason = ''"),
    (
        "HTTP/1.1 401 Not You\r\nContent-Length: 0\r\nServer: x\r\n\r\n@",
        "reason = 'Not You'\nheaders = { Content-Length = '', Server = 'x' }",
    ),
    (
        "HTTP/1.1 401 Unauthorized\r\nX-Powered-By: Express\r\nContent-Length: 0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n@",
        "headers = { X-Powered-By = 'Express', Content-Length = '', Date = '' }",
    ),
    (
        "HTTP/1.1 403 Forbidden\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nSET-Cookie: a=b\r\nX-Odd: 1\r\nSet-Cookie: c=d\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nVary: Origin\r\n\r\n@no",
        "status = 403\nbody = 'no'\nheaders = { date = '', set-cookie = ['a=b', 'c=d'], x-odd = '1', Content-Type = 'text/plain', Content-Length = '', Vary = 'Origin' }",
    ),
    (
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n@2\r\n{}\r\n0\r\n\r\n",
        "body = '{}'\nheaders = { Content-Type = 'application/json', Transfer-Encoding = 'chunked', Date = '' }",
    ),
    (
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Key\r\nTransfer-Encoding: chunked\r\n\r\n@0\r\n\r\n",
        "headers = { WWW-Authenticate = 'Key', Transfer-Encoding = 'chunked' }",
    ),
];

/// Everything that comes back, with the time taken out.
fn answer(gateway: &Gateway, method: &str, key: &str) -> String {
    let mut client = gateway.connect();
    client.write(format!(
        "{method} /api/user HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nAuthorization: {key}\r\n\
         Connection: close\r\nContent-Length: 2\r\n\r\nhi"
    ));
    let mut bytes = Vec::new();
    client.stream().read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines = text.split("\r\n").map(|line| if line.starts_with("date: ") { "date: now" } else { line });
    lines.collect::<Vec<_>>().join("\r\n")
}

#[test]
fn a_blocked_key_gets_the_bytes_of_an_invalid_one() {
    use sha2::Digest;
    let hash: String = sha2::Sha256::digest(KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    for (refusal, settings) in REFUSALS {
        let upstream = Upstream::answering(|request: &Received| {
            let (head, body) = refusal.split_once('@').unwrap();
            let body = if request.line.starts_with("HEAD ") { "" } else { body };
            format!("{head}{body}").into_bytes()
        });
        for settings in [settings, "on_block = 'decoy'"] {
            let policy = POLICY.replace("HASH", &hash);
            let gateway = Gateway::start(&upstream, &format!("{policy}{settings}\n"));
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                let invalid = answer(&gateway, method, INVALID);
                assert!(invalid.starts_with("HTTP/1.1 40"), "{invalid}");
                let reached = upstream.received().len();
                assert_eq!(answer(&gateway, method, KEY), invalid, "{method} {settings}");
                let decoy = usize::from(settings.contains("decoy"));
                assert_eq!(upstream.received().len(), reached + decoy, "{settings}");
                assert!(
                    upstream.received().iter().all(|request| request.header("authorization") != Some(KEY))
                );
            }
        }
    }
}
