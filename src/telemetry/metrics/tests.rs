//! What a scrape shows.

use super::*;
use ::std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

fn value(text: &str, sample: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    line.parse().ok()
}

#[test]
fn workers_are_summed() {
    let metrics = Arc::new(Metrics::new(2));
    for index in 0..2 {
        let worker = metrics.worker(index).unwrap();
        worker.request(RequestDecision::Block, Some(SubjectKind::Tenant));
        worker.request(RequestDecision::Allow, None);
        worker.response(http::StatusCode::FORBIDDEN);
        worker.decision_time.observe(|| Duration::from_micros(3));
        worker.upstream_time.observe(Duration::from_secs(120));
    }
    assert!(metrics.worker(2).is_none());
    for (counter, count) in
        [(&metrics.server.open, 4), (&metrics.server.accepted, 6), (&metrics.server.tls_failures, 2)]
    {
        counter.store(count, Ordering::Relaxed);
    }
    let text = metrics.render(Format::OpenMetrics);
    let expected = [
        ("aclgate_requests_total{decision=\"block\",subject=\"tenant\"}", 2.0),
        ("aclgate_requests_total{decision=\"allow\",subject=\"none\"}", 2.0),
        ("aclgate_requests_total{decision=\"block\",subject=\"apiKey\"}", 0.0),
        ("aclgate_responses_total{class=\"4xx\"}", 2.0),
        ("aclgate_connections_open", 4.0),
        ("aclgate_connections_accepted_total", 6.0),
        ("aclgate_tls_handshakes_total{result=\"failed\"}", 2.0),
        ("aclgate_decision_duration_seconds_count", 2.0),
        ("aclgate_decision_duration_seconds_bucket{le=\"0.0000025\"}", 0.0),
        ("aclgate_decision_duration_seconds_bucket{le=\"0.000005\"}", 2.0),
        ("aclgate_upstream_duration_seconds_bucket{le=\"60.0\"}", 0.0),
        ("aclgate_upstream_duration_seconds_bucket{le=\"+Inf\"}", 2.0),
        ("aclgate_upstream_duration_seconds_sum", 240.0),
    ];
    for (sample, expected) in expected {
        assert_eq!(value(&text, sample), Some(expected), "{sample}\n{text}");
    }
}

#[test]
fn the_process_is_shown() {
    let metrics = Arc::new(Metrics::new(2));
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let expiry =
        CertificateExpiry { file: "a\"b.crt".to_owned(), used_for: CertificateUse::Admin, at: at + DAY };
    let files = AgeingFiles { certificates: vec![expiry], lists: vec![("a.netset".to_owned(), at)] };
    let hits = no_hits(&metrics, "");
    let policy = PolicyInForce {
        revision: 7,
        digest: "0af",
        loaded_at: at,
        acls: 2,
        ranges: 30,
        files: &files,
        hits: &hits,
    };
    metrics.process.policy_in_force(&policy);
    let [one, other] = [metrics.server.new_traffic(), metrics.server.new_traffic()];
    one.received.add(100);
    other.received.add(20);
    other.sent.add(3);
    metrics.process.reload_attempted(at, false);
    metrics.process.reloads.add(ReloadResult::Failed);
    let text = metrics.render(Format::OpenMetrics);
    for (sample, expected) in [
        ("aclgate_policy_revision", 7.0),
        ("aclgate_policy_ranges", 30.0),
        ("aclgate_policy_loaded_timestamp_seconds", 1e6),
        ("aclgate_last_reload_success", 0.0),
        ("aclgate_reloads_total{result=\"failed\"}", 1.0),
        ("aclgate_policy_info{digest=\"0af\"}", 1.0),
        ("aclgate_list_modified_timestamp_seconds{file=\"a.netset\"}", 1e6),
        (
            "aclgate_certificate_expiry_timestamp_seconds{certificate=\"a\\\"b.crt\",use=\"admin\"}",
            1_086_400.0,
        ),
        ("aclgate_received_bytes_total", 120.0),
        ("aclgate_sent_bytes_total", 3.0),
    ] {
        assert_eq!(value(&text, sample), Some(expected), "{sample}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

fn no_hits(metrics: &Metrics, acls: &str) -> Arc<Hits> {
    let text = format!("[upstream]\nurl = \"http://127.0.0.1:1\"\n{acls}");
    let loaded = crate::config::load(
        &text,
        "gateway.toml",
        &crate::policy::NoFiles,
        crate::policy::moment::Moment::FIRST,
    )
    .loaded;
    metrics.hits_of(&loaded.unwrap().policy)
}

#[test]
fn many_acls_share_a_series() {
    let metrics = Arc::new(Metrics::new(1));
    let acl = |number| format!("[[ip_acl]]\nname = \"a{number}\"\ndefault = \"block\"\n");
    let acls: String = (0..300).map(acl).collect();
    let (hits, files) = (no_hits(&metrics, &acls), AgeingFiles::default());
    let at = SystemTime::UNIX_EPOCH;
    metrics.process.policy_in_force(&PolicyInForce {
        revision: 1,
        digest: "a",
        loaded_at: at,
        acls: 300,
        ranges: 0,
        files: &files,
        hits: &hits,
    });
    let text = metrics.render(Format::Classic);
    let rows = text.lines().filter(|line| line.starts_with("aclgate_acl_hits_total{"));
    assert_eq!(rows.count(), 251 * 4);
    assert!(text.contains("{acl=\"a249\"") && !text.contains("{acl=\"a250\""));
    assert_eq!(
        value(&text, "aclgate_acl_hits_total{acl=\"(others)\",action=\"block\",matched=\"default\"}"),
        Some(0.0)
    );
}

/// As a scrape of a process that has everything shows it.
fn everything() -> String {
    let metrics = Arc::new(Metrics::new(1));
    let at = SystemTime::UNIX_EPOCH;
    let expiry = CertificateExpiry { file: "a".to_owned(), used_for: CertificateUse::Server, at };
    let files = AgeingFiles { certificates: vec![expiry], lists: vec![("a".to_owned(), at)] };
    let hits = no_hits(&metrics, "[[ip_acl]]\nname = \"a\"\ndefault = \"allow\"\n");
    let policy = PolicyInForce {
        revision: 1,
        digest: "a",
        loaded_at: at,
        acls: 0,
        ranges: 0,
        files: &files,
        hits: &hits,
    };
    metrics.process.policy_in_force(&policy);
    metrics.render(Format::OpenMetrics)
}

#[cfg(target_os = "linux")]
#[test]
fn every_family_is_in_the_table_and_every_row_is_shown() {
    let text = everything();
    let shown: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let mut expected: Vec<_> = families::ALL.iter().map(|family| family.name).collect();
    let mut sorted = shown.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    for family in families::ALL {
        let ours = family.name.starts_with("aclgate_") || family.name.starts_with("process_");
        assert!(ours && !family.name.ends_with("_total"), "{}", family.name);
        assert!(!family.help.contains(['\\', '"', '\n']), "both formats show it alike: {}", family.help);
        for label in family.labels {
            let found = text
                .lines()
                .any(|line| line.starts_with(family.name) && line.contains(&format!("{label}=\"")));
            assert!(found, "{} has no {label}\n{text}", family.name);
        }
    }
}

#[test]
fn both_formats_have_the_same_samples() {
    let metrics = Arc::new(Metrics::new(1));
    let samples = |format| {
        let text = metrics.render(format);
        // These are read anew each time.
        let ours = text.lines().filter(|line| line.starts_with("aclgate_"));
        ours.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(samples(Format::Classic), samples(Format::OpenMetrics));
    assert!(!metrics.render(Format::Classic).contains("EOF"));
}

#[test]
fn an_odd_status_is_not_counted_and_does_no_harm() {
    let worker = WorkerMetrics::default();
    worker.response(http::StatusCode::from_u16(999).unwrap());
    assert!(worker.responses.iter().all(|counter| counter.get() == 0));
}
