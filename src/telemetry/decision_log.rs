//! The decision log: one structured line for each request that an ACL blocked, or would have blocked in report mode.
//!
//! In: a check and what is known of the request. Out: an event with the target [`BLOCKED`], which passes any log level.
//! A flood does not fill the disk: each worker writes [`BURST`] lines at once and [`PER_SECOND`] after that; what is
//! held back is counted, and the count stands on the next line and in the metrics.

use super::logging::BLOCKED;
use super::metrics::WorkerMetrics;
use super::{CheckReport, redaction};
use crate::policy::acl::Action;
use crate::policy::subject::Mode;
use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Lines a worker writes at once.
pub const BURST: u32 = 50;
/// Lines a second that a worker writes under a flood.
pub const PER_SECOND: u32 = 20;

/// What is logged of a blocked request beside the check. Texts are raw: the log redacts them.
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

    /// Logs a request that a check blocked or would have blocked. The report is only made if the line is written.
    pub fn blocked(&self, request: &BlockedRequest<'_>, report: impl FnOnce() -> CheckReport) {
        if self.take(Instant::now()) {
            write(request, &report(), self.held_back.replace(0));
        } else {
            self.held_back.set(self.held_back.get() + 1);
            self.metrics.decisions_held_back.add(1);
        }
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

fn write(request: &BlockedRequest<'_>, check: &CheckReport, held_back: u64) {
    let message = match (check.action, check.mode) {
        (Action::Block, Mode::Enforce) => "request blocked",
        (Action::Block, Mode::Report) => "request would be blocked, mode is report",
        (Action::Allow, _) => "request allowed",
    };
    tracing::info!(
        target: BLOCKED,
        client = request.client.map(tracing::field::display),
        client_undetermined = request.client.is_none().then_some(true),
        peer = %request.peer,
        client_source = request.client_source,
        subject_kind = check.kind.label(),
        subject = check.name.as_deref(),
        subject_id = check.id.as_deref(),
        acl = check.acl.as_ref().map(|(_, name)| &**name),
        entry = %check.entry,
        method = %redaction::text(request.method),
        path = %redaction::target(request.target),
        host = request.host.map(redaction::text).map(tracing::field::display),
        revision = request.revision,
        request_id = %redaction::text(request.request_id),
        held_back = (held_back > 0).then_some(held_back),
        "{message}"
    );
}

#[cfg(test)]
mod tests {
    use super::super::logging::tests::logged;
    use super::super::{EntryReport, SubjectKind};
    use super::*;
    use crate::config::LogFormat;
    use crate::policy::acl::{Details, Entry, Place};
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
                entry: Entry { range, action: Action::Block, place: Place { file: 0, line: 12 } },
                details: Details::default(),
                file: "gateway.toml".into(),
            },
            mode: Mode::Enforce,
        }
    }

    fn lines(request: &BlockedRequest<'_>, report: &CheckReport, times: u32) -> Vec<Value> {
        let text = logged("error", LogFormat::Json, |_| {
            let log = DecisionLog::new(Arc::default());
            for _ in 0..times {
                log.blocked(request, || report.clone());
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
        log.blocked(&request(), || panic!("no report is made of what is held back"));
        assert_eq!((log.held_back.get(), metrics.decisions_held_back.get()), (1, 1));
    }

    #[test]
    fn what_was_held_back_is_said() {
        let text = logged("off", LogFormat::Json, |_| {
            let log = DecisionLog::new(Arc::default());
            log.flush();
            log.held_back.set(3);
            log.blocked(&request(), report);
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
