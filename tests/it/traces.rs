//! Spans, as a small OTLP receiver gets them from a running process.

use super::harness::{Client, Upstream};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Only ever reached by a bug.
const PATIENCE: Duration = Duration::from_secs(20);
const TRACE: [u8; 16] = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
const PARENT: [u8; 8] = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();

/// Takes what is exported; gives the heads and bodies.
fn receiver() -> (SocketAddr, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, exports) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            let _ = sender.send((head, body));
        }
    });
    (address, exports)
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process that exports to this collector at once, where it listens, and its access log.
fn start(
    upstream: &Upstream,
    collector: SocketAddr,
    folder: &std::path::Path,
) -> (Process, SocketAddr, Receiver<String>) {
    let file = folder.join("gateway.toml");
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n[log]\nformat = \"json\"\naccess = \"json\"\n\
         [[ip_acl]]\nname = \"office\"\ndefault = \"allow\"\nblock = [\"203.0.113.0/24\"]\n\
         [[path]]\nprefix = \"/private/\"\nip_acl = \"office\"\n",
        upstream.address
    );
    std::fs::write(&file, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_aclgate"))
        .args(["run", "-c"])
        .arg(&file)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
        .env("OTEL_BSP_SCHEDULE_DELAY", "20")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let access = crate::process::lines_of(child.stdout.take().unwrap());
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let line = lines.find(|line| line.contains("\"listening\"")).unwrap();
    // Nobody reads on, and nobody may be kept from writing.
    std::thread::spawn(move || lines.for_each(drop));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    (Process(child), line["address"].as_str().unwrap().parse().unwrap(), access)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn each_request_is_a_span_under_its_parent_and_upstream_is_under_the_span() {
    let (upstream, folder) = (Upstream::start(), tempfile::tempdir().unwrap());
    let (collector, exports) = receiver();
    let (_process, address, access) = start(&upstream, collector, folder.path());
    let send = |target: &str, client: &str| {
        Client::connect(address).send(format!(
            "GET {target} HTTP/1.1\r\nHost: acme.example\r\nX-Forwarded-For: {client}\r\nX-Request-Id: r-1\r\n\
             traceparent: 00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01\r\ntracestate: a=b\r\n\r\n"
        ))
    };
    assert_eq!(send("/public?token=SECRET", "192.0.2.1").status, 200);
    let received = upstream.last();
    let place: Vec<_> = received.header("traceparent").unwrap().split('-').collect();
    assert_eq!((place[1], place[3]), ("0af7651916cd43dd8448eb211c80319c", "01"));
    assert_eq!((received.count("traceparent"), received.header("tracestate")), (1, Some("a=b")));
    let span = u64::from_str_radix(place[2], 16).unwrap().to_be_bytes();
    assert_ne!(span, PARENT);
    let (head, body) = exports.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/x-protobuf"), "{head}");
    let texts =
        ["aclgate", "GET", "/public", "192.0.2.1", "acme.example", "r-1", "http.response.status_code"];
    for part in texts.map(str::as_bytes).into_iter().chain([&TRACE[..], &PARENT, &span]) {
        assert!(holds(&body, part), "{part:?} is not in {}", String::from_utf8_lossy(&body));
    }
    assert!(!holds(&body, b"SECRET"));
    assert_eq!(send("/private/", "203.0.113.9").status, 403);
    let (_, body) = exports.recv_timeout(PATIENCE).unwrap();
    assert!(holds(&body, b"aclgate.blocked_by") && holds(&body, b"203.0.113.9") && holds(&body, &PARENT));
    // A request without a trace begins one, and the access log says which.
    Client::connect(address).send("GET /new HTTP/1.1\r\nHost: a\r\n\r\n");
    let line =
        std::iter::from_fn(|| access.recv_timeout(PATIENCE).ok()).find(|line| line.contains("/new")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let received = upstream.last();
    let trace = received.header("traceparent").unwrap().split('-').nth(1).unwrap();
    assert_eq!(line["trace_id"], trace);
}
