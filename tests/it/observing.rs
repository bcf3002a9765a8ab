//! What operators see of a running gateway: hits of entries, metrics, identifiers of requests.

use super::harness::{Answer, Client, Gateway, Upstream};
use serde_json::Value;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Only ever reached by a bug.
const PATIENCE: Duration = Duration::from_secs(20);

/// SHA-256 of `secret`.
const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn policy(allow: &str) -> String {
    format!(
        "[admin]\nlisten = \"127.0.0.1:0\"\napi_keys = [{{ name = \"viewer\", sha256 = \"{HASH}\", role = \"reader\" }}]\n\
         [[ip_acl]]\nname = \"office\"\ndefault = \"block\"\nallow = [{allow}]\n\
         [[path]]\nprefix = \"/private/\"\nip_acl = \"office\"\n"
    )
}

fn start(allow: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::start();
    (Gateway::start(&upstream, &policy(allow)), upstream)
}

/// Asks the management API.
fn ask(gateway: &Gateway, target: &str, headers: &str) -> Answer {
    let address = gateway.running().admin_address().unwrap();
    Client::connect(address).send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{headers}\r\n"))
}

fn stats(gateway: &Gateway, query: &str) -> Value {
    let answer = ask(gateway, &format!("/api/stats{query}"), "Authorization: secret\r\n");
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// The hits of each entry that is listed, in order.
fn listed(stats: &Value) -> Vec<(String, u64)> {
    let rows = stats["entries"].as_array().unwrap().iter();
    rows.map(|row| {
        let start = row["entry"]["startIPAddress"].as_str().unwrap();
        (format!("{start} {}", row["matched"].as_str().unwrap()), row["hits"].as_u64().unwrap())
    })
    .collect()
}

fn rows(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(entry, hits)| ((*entry).to_owned(), *hits)).collect()
}

/// Puts another policy in force.
fn change(gateway: &Gateway, upstream: &Upstream, allow: &str) {
    let head =
        format!("[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n", upstream.address);
    crate::reloading::change(gateway, &(head + &policy(allow)));
}

#[test]
fn hits_are_counted_and_outlive_a_reload() {
    let (gateway, upstream) = start("\"192.0.2.1\", \"192.0.2.2\", \"2001:db8::/32\"");
    for (client, status) in [("192.0.2.2", 200), ("192.0.2.2", 200), ("203.0.113.9", 403), ("unknown", 403)] {
        assert_eq!(gateway.get(client, "/private/a").status, status);
    }
    // No ACL is asked.
    assert_eq!(gateway.get("192.0.2.1", "/public").status, 200);
    let all = stats(&gateway, "");
    let expected = [
        ("192.0.2.2 entry", 2),
        ("* default", 1),
        ("* undetermined", 1),
        ("192.0.2.1 entry", 0),
        ("2001:db8:: entry", 0),
    ];
    assert_eq!(listed(&all), rows(&expected));
    assert_eq!(all["total"], 5);
    let row = &all["entries"][0];
    assert!(row["place"].as_str().unwrap().contains("gateway.toml:"), "{row}");
    assert!(row["lastHitInstant"].as_i64().unwrap() >= all["sinceInstant"].as_i64().unwrap(), "{row}");
    assert_eq!(all["entries"][3]["lastHitInstant"], Value::Null);
    let acl = &all["ipAccessControlLists"][0];
    assert_eq!((&acl["allowed"], &acl["blocked"]), (&2.into(), &2.into()));
    assert_eq!((&acl["entries"], &acl["unusedEntries"]), (&4.into(), &2.into()));
    let unused = stats(&gateway, "?unused=true&ipAccessControlList=office&startRow=1&numberOfResults=5");
    assert_eq!((listed(&unused), &unused["total"]), (rows(&[("2001:db8:: entry", 0)]), &2.into()));
    change(&gateway, &upstream, "\"10.0.0.0/8\", \"192.0.2.2\"");
    assert_eq!(gateway.get("192.0.2.2", "/private/a").status, 200);
    // What entries had is brought over beside the requests, a moment later.
    let expected =
        rows(&[("192.0.2.2 entry", 3), ("* default", 1), ("* undetermined", 1), ("10.0.0.0 entry", 0)]);
    let begun = Instant::now();
    while listed(&stats(&gateway, "")) != expected {
        assert!(begun.elapsed() < PATIENCE, "{:?}", listed(&stats(&gateway, "")));
    }
    let metrics = ask(&gateway, "/metrics", "").text();
    for line in [
        "aclgate_acl_hits_total{acl=\"office\",action=\"allow\",matched=\"entry\"} 3",
        "aclgate_acl_hits_total{acl=\"office\",action=\"block\",matched=\"default\"} 1",
        "aclgate_acl_hits_total{acl=\"office\",action=\"block\",matched=\"undetermined\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[test]
fn what_is_wrong_with_a_question_is_said() {
    let (gateway, _upstream) = start("\"192.0.2.1\"");
    assert_eq!(ask(&gateway, "/api/stats", "").status, 401);
    for (query, field) in [
        ("unused=perhaps", "unused"),
        ("startRow=-1", "startRow"),
        ("numberOfResults=10001", "numberOfResults"),
        ("ipAccessControlList=garage", "ipAccessControlList"),
    ] {
        let answer = ask(&gateway, &format!("/api/stats?{query}"), "Authorization: secret\r\n");
        assert!(answer.status == 400 && answer.text().contains(field), "{query}: {}", answer.text());
    }
}

#[test]
fn metrics_come_in_the_format_that_is_accepted() {
    let (gateway, _upstream) = start("\"192.0.2.1\"");
    gateway.get("203.0.113.9", "/private/a");
    let sample = "aclgate_requests_total{decision=\"block\",subject=\"path\"} 1";
    let classic = ask(&gateway, "/metrics", "Accept: */*\r\n");
    assert_eq!(classic.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = classic.text();
    assert!(text.contains("# TYPE aclgate_requests_total counter\n") && text.contains(sample), "{text}");
    let new = ask(&gateway, "/metrics", "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n");
    let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(new.header("content-type"), Some(expected));
    let text = new.text();
    assert!(text.contains("# TYPE aclgate_requests counter\n") && text.contains(sample), "{text}");
    assert!(text.ends_with("# EOF\n"));
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
        line.parse::<u64>().unwrap()
    };
    assert!(bytes("aclgate_received_bytes_total") > 50 && bytes("aclgate_sent_bytes_total") > 50, "{text}");
}

/// Runs `aclgate stats` against a gateway.
fn command(gateway: &Gateway, arguments: &[&str]) -> Output {
    let url = format!("http://{}", gateway.running().admin_address().unwrap());
    Command::new(env!("CARGO_BIN_EXE_aclgate"))
        .args(["stats", "--url", &url])
        .args(arguments)
        .env("ACLGATE_ADMIN_KEY", "secret\n")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_command_line_shows_the_same() {
    let (gateway, _upstream) = start("\"192.0.2.0/24\", \"198.51.100.7\"");
    gateway.get("192.0.2.9", "/private/a");
    let json = command(&gateway, &["--json"]);
    assert!(json.status.success(), "{json:?}");
    assert_eq!(serde_json::from_slice::<Value>(&json.stdout).unwrap(), stats(&gateway, ""));
    let table = String::from_utf8(command(&gateway, &["--acl", "office"]).stdout).unwrap();
    assert!(table.lines().any(|line| line.starts_with("1  ") && line.contains("192.0.2.0/24")), "{table}");
    let unused = String::from_utf8(command(&gateway, &["--unused", "--limit", "1"]).stdout).unwrap();
    assert!(unused.contains("* (default)") && unused.contains("1 more"), "{unused}");
    let nobody = command(&gateway, &["--key-file", "/dev/null"]);
    assert_eq!(nobody.status.code(), Some(1), "{nobody:?}");
    assert!(!String::from_utf8_lossy(&nobody.stderr).contains("secret"));
}
