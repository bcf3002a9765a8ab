//! Temporary entries over sockets: they expire by themselves, under a clock that the test sets.

use crate::harness::{Gateway, Upstream};
use aclgate::policy::moment::Moment;
use aclgate::store::Clock;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const ACL: &str = "fba75c7b-8c27-4cdd-840e-694d808d0aab";

/// 2026-11-30T23:59:59Z
const BEFORE: i64 = 1_796_083_199_000;
const EXPIRY: i64 = BEFORE + 1000;

/// A gateway whose clock stands still until its hands are set.
fn gateway(upstream: &Upstream) -> (Gateway, Arc<AtomicI64>) {
    let hands = Arc::new(AtomicI64::new(BEFORE));
    let clock = Clock::of({
        let hands = Arc::clone(&hands);
        move || Moment::from_millis(hands.load(Ordering::SeqCst))
    });
    // SHA-256 of `admin`.
    let key = "8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918";
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n\
         [admin]\nlisten = \"127.0.0.1:0\"\napi_keys = [{{ name = \"ops\", sha256 = \"{key}\" }}]\n\
         [[ip_acl]]\nname = \"a\"\nid = \"{ACL}\"\ndefault = \"block\"\nallow = [\n    \"203.0.113.1\", # always\n    \
         {{ range = \"203.0.113.2\", expires = 2026-12-01T00:00:00Z, note = \"a visitor\" }}, # until he leaves\n]\n\
         [[tenant]]\nid = \"t\"\nname = \"t\"\ndefault = true\nip_acl = \"a\"\n",
        upstream.address
    );
    (Gateway::start_by(clock, |_| text), hands)
}

fn statuses(gateway: &Gateway) -> [u16; 2] {
    ["203.0.113.1", "203.0.113.2"].map(|client| gateway.get(client, "/oauth2/authorize").status)
}

#[test]
fn an_entry_expires_without_a_request_or_an_edit_and_comes_back_with_the_clock() {
    let upstream = Upstream::start();
    let (gateway, hands) = gateway(&upstream);
    let before = std::fs::read(gateway.file()).unwrap();
    assert_eq!(statuses(&gateway), [200, 200]);
    gateway.and_then_in_force(|| hands.store(EXPIRY, Ordering::SeqCst));
    assert_eq!(statuses(&gateway), [200, 403]);
    gateway.and_then_in_force(|| hands.store(BEFORE, Ordering::SeqCst));
    assert_eq!(statuses(&gateway), [200, 200]);
    assert_eq!(std::fs::read(gateway.file()).unwrap(), before);
}

#[test]
fn a_tunnel_is_closed_when_the_entry_that_let_it_in_expires() {
    let upstream = Upstream::answering(|_| {
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: x\r\n\r\nhello"
            .to_vec()
    });
    let (gateway, hands) = gateway(&upstream);
    let mut client = gateway.connect();
    let answer = client.send(
        "GET /oauth2/ws HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.2\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    assert_eq!(answer.status, 101);
    let mut hello = [0; 5];
    client.stream().read_exact(&mut hello).unwrap();
    gateway.and_then_in_force(|| hands.store(EXPIRY, Ordering::SeqCst));
    let begun = Instant::now();
    assert!(client.is_closed());
    assert!(begun.elapsed() < Duration::from_secs(15), "closed by the gateway, not by the time-out");
}

fn ask(gateway: &Gateway, method: &str, media_type: &str, body: &Value) -> (u16, Value) {
    let address = gateway.running().admin_address().unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = crate::harness::Client::connect(address).send(format!(
        "{method} /api/ip-acl/{ACL} HTTP/1.1\r\nHost: admin\r\nAuthorization: admin\r\nContent-Type: {media_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    (answer.status, serde_json::from_str(&answer.text()).unwrap_or_default())
}

#[test]
fn a_client_that_knows_nothing_of_expiry_does_not_make_an_entry_last() {
    let upstream = Upstream::start();
    let (gateway, hands) = gateway(&upstream);
    let (_, shown) = ask(&gateway, "GET", "application/json", &Value::Null);
    let visitor = json!({
        "action": "Allow", "startIPAddress": "203.0.113.2", "endIPAddress": "203.0.113.2",
        "expirationInstant": EXPIRY, "note": "a visitor",
    });
    assert_eq!(shown["ipAccessControlList"]["entries"][2], visitor);
    let mut typed = shown.clone();
    for entry in typed["ipAccessControlList"]["entries"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().retain(|key, _| key == "action" || key.ends_with("IPAddress"));
    }
    typed["ipAccessControlList"]["name"] = "renamed".into();
    // While the form was open, the entry expired.
    gateway.and_then_in_force(|| hands.store(EXPIRY, Ordering::SeqCst));
    let (status, shown) = ask(&gateway, "PUT", "application/json", &typed);
    assert_eq!((status, &shown["ipAccessControlList"]["entries"][2]), (200, &visitor), "{shown}");
    assert_eq!(statuses(&gateway), [200, 403]);
    let text = std::fs::read_to_string(gateway.file()).unwrap();
    let line = "{ range = \"203.0.113.2\", expires = 2026-12-01T00:00:00Z, note = \"a visitor\" }, # until he leaves\n";
    assert!(text.contains(line) && text.contains("name = \"renamed\""), "{text}");
}

#[test]
fn an_entry_is_given_more_time_by_the_api_and_taken_out_by_it() {
    let upstream = Upstream::start();
    let (gateway, hands) = gateway(&upstream);
    gateway.and_then_in_force(|| hands.store(EXPIRY, Ordering::SeqCst));
    let path = "/ipAccessControlList/entries/2/expirationInstant";
    // By the wall clock of the management API this is far ahead.
    let longer = json!([{ "op": "replace", "path": path, "value": 4_000_000_000_000_i64 }]);
    let (status, shown) = ask(&gateway, "PATCH", "application/json-patch+json", &longer);
    assert_eq!(status, 200, "{shown}");
    assert_eq!(statuses(&gateway), [200, 200]);
    let text = std::fs::read_to_string(gateway.file()).unwrap();
    assert!(
        text.contains("expires = 2096-10-02T07:06:40Z, note = \"a visitor\" }, # until he leaves"),
        "{text}"
    );
    let forever = json!([{ "op": "remove", "path": path }]);
    let (status, shown) = ask(&gateway, "PATCH", "application/json-patch+json", &forever);
    assert_eq!((status, shown["ipAccessControlList"]["entries"][2].get("expirationInstant")), (200, None));
    let past = json!({ "ipAccessControlList": { "entries": [
        { "action": "Allow", "startIPAddress": "203.0.113.9/32", "expirationInstant": 5 },
    ] } });
    let (status, errors) = ask(&gateway, "PATCH", "application/json", &past);
    let code = &errors["fieldErrors"]["ipAccessControlList.entries[3].expirationInstant"][0]["code"];
    assert_eq!(
        (status, code.as_str()),
        (400, Some("[invalid]ipAccessControlList.entries[3].expirationInstant"))
    );
    let none = json!([{ "op": "remove", "path": "/ipAccessControlList/entries/2" }]);
    assert_eq!(ask(&gateway, "PATCH", "application/json-patch+json", &none).0, 200);
    assert_eq!(statuses(&gateway), [200, 403]);
}
