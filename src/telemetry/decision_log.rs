//! The decision log: one structured line for each request that an ACL blocked, or would have blocked in report mode; for
//! every decision where the configuration says so.
//!
//! In: a check and what is known of the request. Out: an event with the target [`BLOCKED`], which passes any log level.
//! A flood does not fill the disk, unless every decision is wanted: each worker writes [`BURST`] lines at once and [`PER_SECOND`] after that; what is
//! held back is counted, and the count stands on the next line and in the metrics.

use super::logging::BLOCKED;
use super::metrics::{RequestDecision, WorkerMetrics};
use super::{CheckReport, redaction};
use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Lines a worker writes at once.
pub const BURST: u32 = 50;
/// Lines a second that a worker writes under a flood.
pub const PER_SECOND: u32 = 20;

/// What is logged of a request beside the check. Texts are raw: the log redacts them.
#[derive(Clone, Copy, Debug)]
pub struct BlockedRequest<'a> {
    /// `X-Request-Id`.
    pub request_id: &'a str,
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The client's address; `None` where it cannot be determined.
    pub client: Option<IpAddr>,
    /// How the address was found: `peer`, or the header that named it.
    pub client_source: &'a str,
    /// The method.
    pub method: &'a str,
    /// The target as it came.
    pub target: &'a str,
    /// `Host` or `:authority`.
    pub host: Option<&'a str>,
    /// The revision of the policy that blocked it.
    pub revision: u64,
    /// The header that says who the client is, `name: value`, where the line is to be replayed.
    pub client_header: Option<&'a str>,
    /// What of the request another policy has to know, free of secrets.
    pub record: Option<&'a str>,
}

/// The decision log of one worker.
#[derive(Debug)]
pub struct DecisionLog {
    metrics: Arc<WorkerMetrics>,
    budget: Cell<Budget>,
    held_back: Cell<u64>,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// Lines that may be written at once; part of one counts.
    lines: f64,
    at: Instant,
}

impl DecisionLog {
    /// A log that counts in these metrics.
    pub fn new(metrics: Arc<WorkerMetrics>) -> Self {
        let budget = Cell::new(Budget { lines: f64::from(BURST), at: Instant::now() });
        Self { metrics, budget, held_back: Cell::new(0) }
    }

    /// Whether a line on a blocked request may be written now. If not, it is counted as held back.
    #[must_use]
    pub fn admits(&self) -> bool {
        let admitted = self.take(Instant::now());
        if !admitted {
            self.held_back.set(self.held_back.get() + 1);
            self.metrics.decisions_held_back.add(1);
        }
        admitted
    }

    /// Writes the line of a decision; `check` decided, if any was made.
    pub fn write(
        &self,
        request: &BlockedRequest<'_>,
        decision: RequestDecision,
        check: Option<&CheckReport>,
    ) {
        let held_back = self.held_back.replace(0);
        let path = redaction::target(request.target);
        let cut = redaction::path_of(&path) != redaction::path_of(request.target);
        tracing::info!(
            target: BLOCKED,
            decision = decision.label(),
            client = request.client.map(tracing::field::display),
            client_undetermined = request.client.is_none().then_some(true),
            peer = %request.peer,
            client_source = request.client_source,
            subject_kind = check.map(|check| check.kind.label()),
            subject = check.and_then(|check| check.name.as_deref()),
            subject_id = check.and_then(|check| check.id.as_deref()),
            acl = check.and_then(|check| check.acl.as_ref()).map(|(_, name)| &**name),
            entry = check.map(|check| tracing::field::display(&check.entry)),
            method = %redaction::text(request.method),
            path = %path,
            host = request.host.map(redaction::text).map(tracing::field::display),
            revision = request.revision,
            path_redacted = (cut && request.record.is_some()).then_some(true),
            request_id = %redaction::text(request.request_id),
            client_header = request.client_header.map(redaction::text),
            record = request.record,
            held_back = (held_back > 0).then_some(held_back),
            "{}", message(decision, check)
        );
    }

    fn take(&self, now: Instant) -> bool {
        let Budget { lines, at } = self.budget.get();
        let earned = now.saturating_duration_since(at).as_secs_f64() * f64::from(PER_SECOND);
        let lines = (lines + earned).min(f64::from(BURST));
        let taken = lines >= 1.0;
        self.budget.set(Budget { lines: if taken { lines - 1.0 } else { lines }, at: now.max(at) });
        taken
    }

    /// Says how many lines were held back, if any; for a timer, since no further line may come.
    pub fn flush(&self) {
        let held_back = self.held_back.get();
        if held_back > 0 && self.take(Instant::now()) {
            self.held_back.set(0);
            tracing::info!(target: BLOCKED, held_back, "more requests blocked, lines held back");
        }
    }
}

fn message(decision: RequestDecision, check: Option<&CheckReport>) -> &'static str {
    match decision {
        RequestDecision::Block => "request blocked",
        RequestDecision::Report => "request would be blocked, mode is report",
        RequestDecision::Allow if check.is_none() => "request allowed, no ACL applies",
        RequestDecision::Allow => "request allowed",
        RequestDecision::Refuse => "request refused",
    }
}

#[cfg(test)]
mod tests {
    use super::super::logging::tests::logged;
    use super::super::{EntryReport, SubjectKind};
    use super::*;
    use crate::config::LogFormat;
    use crate::policy::acl::{Action, Entry, Place};
    use crate::policy::subject::Mode;
    use serde_json::Value;
    use std::time::Duration;

    fn request() -> BlockedRequest<'static> {
        BlockedRequest {
            request_id: "r-1",
            peer: [127, 0, 0, 1].into(),
            client: Some([198, 51, 100, 66].into()),
            client_source: "x-forwarded-for",
            method: "GET",
            target: "/oauth2/authorize?client_id=a&state=SECRET",
            host: Some("acme.example"),
            revision: 7,
            client_header: None,
            record: None,
        }
    }

    fn report() -> CheckReport {
        let range = "198.51.100.66".parse().unwrap();
        CheckReport {
            kind: SubjectKind::Tenant,
            id: Some("t-1".to_owned()),
            name: Some("acme".to_owned()),
            acl: Some((::uuid::Uuid::nil(), "office".into())),
            action: Action::Block,
            entry: EntryReport::Range {
                entry: Entry {
                    range,
                    action: Action::Block,
                    place: Place { file: 0, line: 12 },
                    origin: None,
                },
                details: None,
                file: "gateway.toml".into(),
            },
            mode: Mode::Enforce,
        }
    }

    fn lines(request: &BlockedRequest<'_>, report: &CheckReport, times: u32) -> Vec<Value> {
        let text = logged("error", LogFormat::Json, |_| {
            let log = DecisionLog::new(Arc::default());
            for _ in 0..times {
                if log.admits() {
                    let decision = match report.mode {
                        Mode::Enforce => RequestDecision::Block,
                        Mode::Report => RequestDecision::Report,
                    };
                    log.write(request, decision, Some(report));
                }
            }
        });
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_has_everything_and_no_secret() {
        let lines = lines(&request(), &report(), 1);
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let fields = [
            ("message", "request blocked"),
            ("decision", "block"),
            ("client", "198.51.100.66"),
            ("peer", "127.0.0.1"),
            ("client_source", "x-forwarded-for"),
            ("subject_kind", "tenant"),
            ("subject", "acme"),
            ("acl", "office"),
            ("entry", "198.51.100.66 (gateway.toml:12)"),
            ("path", "/oauth2/authorize?client_id=-&state=-"),
            ("host", "acme.example"),
            ("request_id", "r-1"),
        ];
        assert_eq!(line["revision"], 7);
        for (name, value) in fields {
            assert_eq!(line[name], value, "{line}");
        }
        assert!(line.get("held_back").is_none() && !line.to_string().contains("SECRET"), "{line}");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let unknown = BlockedRequest { client: None, ..request() };
        let reported = CheckReport { mode: Mode::Report, entry: EntryReport::Undetermined, ..report() };
        let lines = lines(&unknown, &reported, 1);
        assert_eq!(lines[0]["client_undetermined"], true);
        assert!(lines[0].get("client").is_none());
        assert_eq!(lines[0]["entry"], "client address undetermined");
        assert!(lines[0]["message"].as_str().unwrap().contains("report"));
    }

    #[test]
    fn a_recorded_line_says_whether_its_path_is_whole() {
        let lines = |target| {
            let recorded = BlockedRequest {
                target,
                client_header: Some("x-forwarded-for: 198.51.100.66"),
                record: Some("1 GET"),
                ..request()
            };
            let text = logged("off", LogFormat::Json, |_| {
                DecisionLog::new(Arc::default()).write(&recorded, RequestDecision::Allow, None);
            });
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let whole = lines("https://idp.example/oauth2/authorize?code=SECRET");
        assert_eq!((&whole["decision"], &whole["record"]), (&"allow".into(), &"1 GET".into()));
        assert_eq!(whole["client_header"], "x-forwarded-for: 198.51.100.66");
        assert!(whole.get("path_redacted").is_none() && whole.get("acl").is_none(), "{whole}");
        assert_eq!(lines("/password/change/YkVZ6i0_S3cret-0123456789abcdef")["path_redacted"], true);
    }

    #[test]
    fn a_flood_is_held_back_and_counted() {
        let metrics = Arc::<WorkerMetrics>::default();
        let log = DecisionLog::new(Arc::clone(&metrics));
        let start = log.budget.get().at;
        let written = (0..1000).filter(|_| log.take(start)).count();
        assert_eq!(written, BURST as usize);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..1000).filter(|_| log.take(later)).count(), PER_SECOND as usize);
        let much_later = start + Duration::from_secs(3600);
        assert_eq!((0..1000).filter(|_| log.take(much_later)).count(), BURST as usize);
        // Time never runs backwards for the bucket.
        assert!(!log.take(start));
        // It is empty now, and an hour ahead: lines are held back.
        assert!(!log.admits());
        assert_eq!((log.held_back.get(), metrics.decisions_held_back.get()), (1, 1));
    }

    #[test]
    fn what_was_held_back_is_said() {
        let text = logged("off", LogFormat::Json, |_| {
            let log = DecisionLog::new(Arc::default());
            log.flush();
            log.held_back.set(3);
            log.write(&request(), RequestDecision::Block, Some(&report()));
            log.held_back.set(5);
            log.flush();
            log.flush();
        });
        let held_back: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["held_back"].as_u64().unwrap())
            .collect();
        assert_eq!(held_back, [3, 5]);
    }
}
