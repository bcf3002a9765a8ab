//! The access log: a request and its answer → one line, as JSON or in Apache's combined format.
//!
//! Goes to standard output, apart from the log proper, through a queue of its own. Everything that a client sent
//! passes [`redaction`]: no query values, no fragment, no userinfo, no one-time codes, no line of its own.
//! Deliberately absent: `Authorization`, cookies, bodies.

use super::SubjectKind;
use super::line_queue::LineQueue;
use super::redaction;
use crate::config::AccessLog;
use serde_json::{Value, json};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// The time of the combined format: `10/Oct/2000:13:55:36 +0000`.
const COMBINED_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

/// A request and its answer, as they are known when the answer is over. Texts are raw: the log redacts them.
#[derive(Clone, Debug)]
pub struct RequestRecord<'a> {
    /// When the request began.
    pub at: SystemTime,
    /// `X-Request-Id`, ours or the client's.
    pub request_id: &'a str,
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The client's address; `None` where it cannot be determined.
    pub client: Option<IpAddr>,
    /// Whether it came by TLS.
    pub tls: bool,
    /// Method and target as they came, and the version; `None` where the head could not be read.
    pub line: Option<(&'a str, &'a str, http::Version)>,
    /// `Host` or `:authority`.
    pub host: Option<&'a str>,
    /// `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// `Referer`.
    pub referer: Option<&'a str>,
    /// The answer's status.
    pub status: u16,
    /// Bytes of the answer's body.
    pub response_bytes: u64,
    /// From the request's first byte to the answer's last.
    pub duration: Duration,
    /// Until the head of the upstream's response; `None` where there was none.
    pub upstream: Option<Duration>,
    /// The trace that the request belongs to, by its `traceparent`.
    pub trace_id: Option<&'a str>,
    /// The kind of the subject that blocked it, if it was blocked.
    pub blocked_by: Option<SubjectKind>,
}

/// Writes the access log in one format.
#[derive(Clone, Debug)]
pub struct AccessWriter {
    queue: LineQueue,
}

impl AccessWriter {
    /// Writes to a stream, standard output as a rule.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(stream: impl io::Write + Send + 'static) -> io::Result<Self> {
        Ok(Self { queue: LineQueue::start(stream, |_| String::new())? })
    }

    /// Writes a line in the configured format; nothing where it is off.
    pub fn write(&self, format: AccessLog, record: &RequestRecord<'_>) {
        let mut line = match format {
            AccessLog::Off => return,
            AccessLog::Json => json_line(record),
            AccessLog::Combined => combined_line(record),
        };
        line.push('\n');
        self.queue.push(line.into_bytes());
    }

    /// Lines that were dropped because nobody took them off the queue.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Waits for the last lines; for the end of the process. Blocks.
    pub fn flush(&self) {
        self.queue.flush();
    }
}

/// One JSON object, without a newline.
pub fn json_line(record: &RequestRecord<'_>) -> String {
    let text = |text: Option<&str>| text.map_or(Value::Null, |text| redaction::text(text).into());
    let (method, target, version) = record.line.map_or((None, None, None), |(method, target, version)| {
        (Some(method), Some(redaction::target(target)), Some(self::version(version)))
    });
    json!({
        "time": OffsetDateTime::from(record.at).format(&Rfc3339).unwrap_or_default(),
        "request_id": redaction::text(record.request_id),
        "client": record.client.map(|client| client.to_string()),
        "peer": record.peer.to_string(),
        "scheme": if record.tls { "https" } else { "http" },
        "method": text(method),
        "target": target,
        "version": version,
        "host": text(record.host),
        "status": record.status,
        "bytes": record.response_bytes,
        "duration_seconds": record.duration.as_secs_f64(),
        "upstream_seconds": record.upstream.map(|time| time.as_secs_f64()),
        "trace_id": record.trace_id,
        "user_agent": text(record.user_agent),
        "referer": record.referer.map(redaction::target),
        "blocked_by": record.blocked_by.map(SubjectKind::label),
    })
    .to_string()
}

/// One line in Apache's combined format, without a newline; `-` stands for what is not known.
pub fn combined_line(record: &RequestRecord<'_>) -> String {
    let client = record.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
    let time = OffsetDateTime::from(record.at).format(COMBINED_TIME).unwrap_or_default();
    let line = record.line.map_or_else(
        || "-".to_owned(),
        |(method, target, version)| {
            let (method, target) = (redaction::text(method), redaction::target(target));
            format!("{method} {target} {}", self::version(version))
        },
    );
    format!(
        "{client} - - [{time}] \"{line}\" {} {} \"{}\" \"{}\"",
        record.status,
        record.response_bytes,
        record.referer.map_or_else(|| "-".to_owned(), redaction::target),
        record.user_agent.map_or_else(|| "-".to_owned(), redaction::text),
    )
}

fn version(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_11 => "HTTP/1.1",
        http::Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/?",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::logging::tests::Sink;
    use super::*;

    pub(in crate::telemetry) fn record() -> RequestRecord<'static> {
        RequestRecord {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(971_186_136),
            request_id: "r-1",
            peer: [127, 0, 0, 1].into(),
            client: Some([203, 0, 113, 9].into()),
            tls: true,
            line: Some(("GET", "/oauth2/authorize?client_id=a&code=SECRET", http::Version::HTTP_11)),
            host: Some("acme.example"),
            user_agent: Some("curl/8 \"x\"\n"),
            referer: Some("https://u:SECRET@acme.example/a?t=SECRET#SECRET"),
            status: 403,
            response_bytes: 512,
            duration: Duration::from_millis(1500),
            upstream: Some(Duration::from_millis(250)),
            trace_id: Some("0af7651916cd43dd8448eb211c80319c"),
            blocked_by: Some(SubjectKind::Tenant),
        }
    }

    #[test]
    fn combined() {
        let expected = "203.0.113.9 - - [10/Oct/2000:13:55:36 +0000] \"GET /oauth2/authorize?client_id=-&code=- \
                        HTTP/1.1\" 403 512 \"https://acme.example/a?t=-\" \"curl/8 \\\"x\\\"\\x0a\"";
        assert_eq!(combined_line(&record()), expected);
        let unknown = RequestRecord { client: None, referer: None, user_agent: None, ..record() };
        let line = combined_line(&unknown);
        assert!(line.starts_with("- - - [") && line.ends_with("\"-\" \"-\""), "{line}");
    }

    #[test]
    fn json() {
        let object: Value = serde_json::from_str(&json_line(&record())).unwrap();
        let expected = json!({
            "time": "2000-10-10T13:55:36Z", "request_id": "r-1", "client": "203.0.113.9", "peer": "127.0.0.1",
            "scheme": "https", "method": "GET", "target": "/oauth2/authorize?client_id=-&code=-",
            "version": "HTTP/1.1", "host": "acme.example", "status": 403, "bytes": 512,
            "duration_seconds": 1.5, "upstream_seconds": 0.25, "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "user_agent": "curl/8 \\\"x\\\"\\x0a", "referer": "https://acme.example/a?t=-", "blocked_by": "tenant",
        });
        assert_eq!(object, expected);
        let unread = RequestRecord { line: None, host: None, upstream: None, trace_id: None, ..record() };
        let object: Value = serde_json::from_str(&json_line(&unread)).unwrap();
        for name in ["method", "target", "version", "host", "upstream_seconds", "trace_id"] {
            assert_eq!(object[name], Value::Null, "{name}");
        }
        assert!(combined_line(&unread).contains("] \"-\" 403 512 "), "{}", combined_line(&unread));
    }

    #[test]
    fn off_is_off() {
        let sink = Sink::default();
        let writer = AccessWriter::start(sink.clone()).unwrap();
        writer.write(AccessLog::Off, &record());
        writer.write(AccessLog::Json, &record());
        writer.write(AccessLog::Combined, &record());
        writer.flush();
        assert_eq!(sink.text().lines().count(), 2);
        assert!(!sink.text().contains("SECRET"));
    }
}
