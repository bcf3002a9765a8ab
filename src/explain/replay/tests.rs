//! Lines of a log, and what can be known of them.

use super::*;
use crate::policy::moment::Moment;
use serde_json::{Value, json};

const BASE: &str = "[upstream]\nurl = \"http://127.0.0.1:9011\"\n";
const OFFICE: &str = r#"
[[ip_acl]]
name = "office"
default = "block"
allow = ["198.51.100.0/24"]
[[tenant]]
id = "acme"
default = true
ip_acl = "office"
"#;
const RESET: &str = "[[path]]\nprefix = \"/password/change/x\"\nip_acl = \"office\"\n";

fn line(changes: &Value) -> RecordedLine {
    let mut object = json!({
        "timestamp": "2026-11-22T03:00:00Z", "target": "aclgate::blocked", "decision": "allow",
        "client": "203.0.113.9", "peer": "127.0.0.1", "client_source": "x-forwarded-for", "method": "GET",
        "path": "/oauth2/authorize", "client_header": "x-forwarded-for: 203.0.113.9",
        "record": record(""),
    });
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

/// What a gateway with these settings writes of a plain request.
fn record(policy: &str) -> String {
    let loaded = load(policy);
    let request = crate::request::RequestHead::default();
    let facts = crate::request::facts::gather(&loaded.policy, &request, None).unwrap();
    Record::of(&loaded.policy, &request, &facts, crate::request::record::Body::None).to_string()
}

fn load(policy: &str) -> crate::config::Loaded {
    let outcome =
        crate::config::load(&format!("{BASE}{policy}"), "a", &crate::policy::NoFiles, Moment::FIRST);
    outcome.loaded.unwrap_or_else(|| panic!("{}", outcome.findings.render(false)))
}

fn decide(policy: &str, changes: &Value) -> Result<(Effect, Option<String>), Unreplayable> {
    let loaded = load(policy);
    let replayed = Candidate::new(&loaded.config, &loaded.policy).decide(&line(changes))?;
    Ok((replayed.after, replayed.client.map(|client| client.to_string())))
}

#[test]
fn the_client_is_found_again() {
    let blocked = |client: &str| Ok((Effect::Block, Some(client.to_owned())));
    let rightmost = "[client_ip]\nselect = \"rightmost-untrusted\"\n";
    let nobody = "[client_ip]\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
    let none = "[client_ip]\nheader = \"none\"\n";
    let other = "[client_ip]\nheader = \"CF-Connecting-IP\"\n";
    let forwarded = "[client_ip]\nheader = \"Forwarded\"\n";
    let two = json!({ "client_header": "x-forwarded-for: 203.0.113.9, 192.0.2.7" });
    let quoted = json!({ "client_header": "forwarded: for=\\\"[2001:db8::1]\\\"" });
    let cases = [
        ("", json!({}), blocked("203.0.113.9")),
        ("", two.clone(), blocked("203.0.113.9")),
        (rightmost, two.clone(), blocked("192.0.2.7")),
        (nobody, two, blocked("127.0.0.1")),
        (none, json!({}), blocked("127.0.0.1")),
        (other, json!({}), Err(Unreplayable::ClientHeader)),
        (forwarded, quoted, blocked("2001:db8::1")),
        ("", json!({ "client_header": "x-forwarded-for: " }), blocked("127.0.0.1")),
        ("", json!({ "client_header": "x-forwarded-for: garbage" }), Ok((Effect::Block, None))),
        ("", json!({ "client_header": null }), Err(Unreplayable::ClientHeader)),
        ("", json!({ "record": null }), Err(Unreplayable::NoRecord)),
        ("", json!({ "record": "9 x" }), Err(Unreplayable::NoRecord)),
    ];
    for (settings, changes, expected) in cases {
        assert_eq!(decide(&format!("{settings}{OFFICE}"), &changes), expected, "{settings} {changes}");
    }
}

#[test]
fn a_code_in_a_path_is_a_blank() {
    let reset = json!({ "path": "/password/change/-", "path_redacted": true });
    let beyond = json!({ "path": "/password/change/-/x?a=-", "path_redacted": true });
    let odd = json!({ "path": "/password/change/\\x01", "path_redacted": true });
    let encoded = json!({ "path": "/%6fauth2/x?a=-" });
    let api = json!({ "path": "/api/user?a=-" });
    let effect =
        |policy: &str, changes: &Value| decide(&format!("{OFFICE}{policy}"), changes).map(|found| found.0);
    assert_eq!(effect("", &reset), Ok(Effect::Block));
    assert_eq!(effect("", &beyond), Ok(Effect::Block));
    assert_eq!(effect(RESET, &reset), Err(Unreplayable::Path), "the code may be `x`");
    assert_eq!(effect("", &odd), Err(Unreplayable::Path));
    assert_eq!(effect("", &encoded), Err(Unreplayable::Path), "a query may be read as path");
    assert_eq!(effect("", &json!({ "path": "/%6fauth2/x" })), Ok(Effect::Block));
    assert_eq!(effect("", &json!({ "path": "/x", "path_redacted": true })), Err(Unreplayable::Path));
    assert_eq!(effect("", &api), Ok(Effect::Allow));
    for (prefix, known, expected) in [
        ("/a/", &["a"][..], false),
        ("/a/b", &["A"], true),
        ("/a/b", &["x"], false),
        ("/realms/{tenant}/", &["realms"], true),
        ("/realms/{tenant}/", &["realms", "acme"], false),
        ("/", &[], false),
        ("/a", &[], true),
    ] {
        assert_eq!(goes_beyond(prefix, known), expected, "{prefix} {known:?}");
    }
}

#[test]
fn lines_are_told_apart() {
    let decision =
        json!({ "target": "aclgate::blocked", "decision": "block", "peer": "::1", "held_back": 0 });
    let after = json!({ "target": "aclgate::blocked", "decision": "block", "peer": "::1", "held_back": 7 });
    let held_back =
        json!({ "target": "aclgate::blocked", "message": "more requests blocked", "held_back": 5 });
    let dropped =
        json!({ "level": "WARN", "message": "log lines dropped, the reader is too slow", "lines": 3 });
    let other = json!({ "level": "INFO", "message": "listening", "target": "aclgate::app" });
    let short = |line: &Value| match LogLine::read(&line.to_string()) {
        LogLine::Decision(_) => "decision".to_owned(),
        LogLine::Missing(missing) => format!("missing {missing}"),
        LogLine::After(missing, _) => format!("after {missing}"),
        LogLine::Other => "other".to_owned(),
    };
    let found = [&decision, &after, &held_back, &dropped, &other].map(short);
    assert_eq!(found, ["decision", "after 7", "missing 5", "missing 3", "other"]);
    assert!(matches!(LogLine::read("no json"), LogLine::Other));
}
