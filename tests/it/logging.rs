//! What a running process says of its requests, and how that is changed while it runs.

use super::harness::{Answer, Client, Gateway, Upstream};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Only ever reached by a bug.
const PATIENCE: Duration = Duration::from_secs(20);
/// SHA-256 of `secret`.
const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

/// `aclgate run`, killed when dropped.
struct Process {
    child: Child,
    log: Receiver<Value>,
    access: Receiver<Value>,
    address: SocketAddr,
    admin: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// JSON lines as they come.
fn lines(stream: impl Read + Send + 'static) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ =
                sender.send(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}")));
        }
    });
    receiver
}

/// The next line that has this value in this field.
fn next(lines: &Receiver<Value>, field: &str, value: &str) -> Value {
    loop {
        let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{field} = {value}: {error}"));
        if line[field] == value {
            return line;
        }
    }
}

/// A page of the reference says what each field of a line is.
fn names_every_field(page: &str, line: &Value) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/reference");
    let page = std::fs::read_to_string(std::path::Path::new(folder).join(page)).unwrap();
    for field in line.as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{field}`")), "{field}");
    }
}

impl Process {
    fn start(upstream: &Upstream) -> Self {
        Self::start_with(upstream, "OTEL_SERVICE_NAME", "").1
    }

    /// With a variable of the environment. Also what the log says before it says where it listens.
    fn start_with(upstream: &Upstream, name: &str, value: &str) -> (Vec<Value>, Self) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        let text = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n\
             api_keys = [{{ name = \"ops\", sha256 = \"{HASH}\" }}]\naudit_log = \"audit.jsonl\"\n\
             [log]\nlevel = \"info\"\nformat = \"json\"\naccess = \"json\"\n\
             [[ip_acl]]\nname = \"office\"\ndefault = \"allow\"\nblock = [\"203.0.113.0/24\"]\n\
             [[path]]\nprefix = \"/private/\"\nip_acl = \"office\"\n",
            upstream.address
        );
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_aclgate"))
            .args(["run", "-c"])
            .arg(&file)
            .env(name, value)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (log, access) = (lines(child.stderr.take().unwrap()), lines(child.stdout.take().unwrap()));
        let mut before = Vec::new();
        let listening = loop {
            match log.recv_timeout(PATIENCE).unwrap() {
                line if line["message"] == "listening" => break line,
                line => before.push(line),
            }
        };
        let address = |line: &Value| line["address"].as_str().unwrap().parse().unwrap();
        let admin = address(&next(&log, "message", "the management API listens"));
        (before, Self { child, log, access, address: address(&listening), admin, _folder: folder })
    }

    fn send(&self, request: &str) -> Answer {
        Client::connect(self.address).send(request)
    }

    fn admin(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = Client::connect(self.admin).send(format!(
            "{method} {target} HTTP/1.1\r\nHost: a\r\nAuthorization: secret\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }
}

#[test]
fn a_blocked_request_is_explained_and_found_in_both_logs() {
    let upstream = Upstream::start();
    let process = Process::start(&upstream);
    let answer = process.send(&format!(
        "GET /private/a?token=SECRET HTTP/1.1\r\nHost: acme.example\r\nX-Forwarded-For: 203.0.113.9\r\n\
         X-Request-Id: r-1\r\ntraceparent: {TRACE}\r\n\r\n"
    ));
    assert_eq!(answer.status, 403);
    let line = next(&process.log, "message", "request blocked");
    names_every_field("decision-lines.md", &line);
    for (field, value) in [
        ("client", "203.0.113.9"),
        ("peer", "127.0.0.1"),
        ("client_source", "x-forwarded-for"),
        ("subject_kind", "path"),
        ("subject", "/private/"),
        ("acl", "office"),
        ("method", "GET"),
        ("path", "/private/a?token=-"),
        ("host", "acme.example"),
        ("request_id", "r-1"),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    let entry = line["entry"].as_str().unwrap();
    assert!(entry.starts_with("203.0.113.0/24 (") && entry.ends_with("gateway.toml:16)"), "{entry}");
    let line = next(&process.access, "request_id", "r-1");
    names_every_field("access-log.md", &line);
    assert_eq!((&line["status"], &line["blocked_by"]), (&403.into(), &"path".into()));
    assert_eq!((&line["scheme"], &line["upstream_seconds"]), (&"http".into(), &Value::Null));
    assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert!(!line.to_string().contains("SECRET"), "{line}");
    process.send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-2\r\n\r\n");
    let line = next(&process.access, "request_id", "r-2");
    assert!(line["upstream_seconds"].as_f64() > Some(0.0) && line["bytes"] == 8, "{line}");
    // Not even a head.
    assert_eq!(process.send("GET / nonsense\r\n\r\n").status, 400);
    let line = process.access.recv_timeout(PATIENCE).unwrap();
    assert_eq!(
        (&line["status"], &line["method"], &line["client"]),
        (&400.into(), &Value::Null, &"127.0.0.1".into())
    );
}

#[test]
fn the_level_of_the_log_changes_while_it_runs() {
    let upstream = Upstream::start();
    let process = Process::start(&upstream);
    let refused = || {
        assert_eq!(process.send("GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
    };
    refused();
    let info = json!({ "log": { "level": "info", "configuredLevel": "info", "revertsInstant": null } });
    assert_eq!(process.admin("GET", "/api/log", &Value::Null), (200, info.clone()));
    let (status, set) =
        process.admin("PUT", "/api/log", &json!({ "log": { "level": "debug", "seconds": 600 } }));
    assert_eq!(
        (status, &set["log"]["level"], set["log"]["revertsInstant"].is_i64()),
        (200, &json!("debug"), true)
    );
    // The refusal was not logged: it would have come before the record of the change.
    let audit = process.log.recv_timeout(PATIENCE).unwrap();
    assert_eq!(audit["operation"], "update", "{audit}");
    assert!(audit["new"].as_str().unwrap().contains("\"level\":\"debug\""), "{audit}");
    refused();
    next(&process.log, "message", "request refused");
    assert_eq!(process.send("GET / nonsense\r\n\r\n").status, 400);
    assert_eq!(next(&process.log, "message", "request refused unread")["peer"], "127.0.0.1");
    assert_eq!(process.admin("PUT", "/api/log", &json!({})), (200, info));
    for (level, seconds) in
        [(json!("loud"), json!(1)), (json!("debug"), json!(0)), (json!("debug"), json!("x"))]
    {
        let wrong = json!({ "log": { "level": level, "seconds": seconds } });
        assert_eq!(process.admin("PUT", "/api/log", &wrong).0, 400, "{wrong}");
    }
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_collector_that_is_not_sent_anything_is_said() {
    let upstream = Upstream::start();
    let (said, _process) =
        Process::start_with(&upstream, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let built_without =
        |line: &&Value| line["message"].as_str().unwrap().contains("without the feature `otlp`");
    assert_eq!(said.iter().filter(built_without).count(), 1, "{said:?}");
}

#[test]
fn upstream_gets_the_id_and_the_trace() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&upstream, "");
    let sent = |fields: &str| {
        assert_eq!(gateway.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).status, 200);
        let received = upstream.last();
        assert_eq!(received.count("x-request-id"), 1);
        received
    };
    assert_eq!(sent("X-Request-Id: abc-1\r\n").header("x-request-id"), Some("abc-1"));
    assert_eq!(
        sent("X-Request-Id: abc-1\r\nConnection: x-request-id\r\n").header("x-request-id"),
        Some("abc-1")
    );
    let ids = ["", "X-Request-Id: <b>\r\n", "X-Request-Id: a\r\nX-Request-Id: b\r\n"]
        .map(|fields| sent(fields).header("x-request-id").unwrap().to_owned());
    assert!(ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    for trace in [TRACE, "anything"] {
        assert_eq!(
            sent(&format!("traceparent: {trace}\r\ntracestate: a=b\r\n")).header("traceparent"),
            Some(trace)
        );
        assert_eq!(upstream.last().header("tracestate"), Some("a=b"));
    }
}
