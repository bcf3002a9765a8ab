//! What a scrape shows.

use super::*;
use ::std::time::{Duration, SystemTime};

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
        worker.decision_time.observe(Duration::from_micros(3));
        worker.upstream_time.observe(Duration::from_secs(120));
    }
    assert!(metrics.worker(2).is_none());
    for (counter, count) in
        [(&metrics.server.open, 4), (&metrics.server.accepted, 6), (&metrics.server.tls_failures, 2)]
    {
        counter.store(count, Ordering::Relaxed);
    }
    let text = metrics.render();
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
    let metrics = Arc::new(Metrics::new(1));
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    metrics.process.policy_in_force(7, at, (2, 30));
    metrics.process.reload_attempted(at, false);
    metrics.process.reloads.add(ReloadResult::Failed);
    metrics.process.certificates_expire([("a\"b.crt".to_owned(), at)]);
    let text = metrics.render();
    for (sample, expected) in [
        ("aclgate_policy_revision", 7.0),
        ("aclgate_policy_ranges", 30.0),
        ("aclgate_policy_loaded_timestamp_seconds", 1e6),
        ("aclgate_last_reload_success", 0.0),
        ("aclgate_reloads_total{result=\"failed\"}", 1.0),
        ("aclgate_certificate_expiry_timestamp_seconds{certificate=\"a\\\"b.crt\"}", 1e6),
    ] {
        assert_eq!(value(&text, sample), Some(expected), "{sample}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn every_family_is_in_the_table_and_every_row_is_shown() {
    let metrics = Arc::new(Metrics::new(1));
    metrics.process.certificates_expire([("a".to_owned(), SystemTime::UNIX_EPOCH)]);
    let text = metrics.render();
    let shown: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let mut expected: Vec<_> = families::ALL.iter().map(|family| family.name).collect();
    let mut sorted = shown.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    for family in families::ALL {
        assert!(family.name.starts_with("aclgate_") && !family.name.ends_with("_total"), "{}", family.name);
        for label in family.labels {
            let found = text
                .lines()
                .any(|line| line.starts_with(family.name) && line.contains(&format!("{label}=\"")));
            assert!(found, "{} has no {label}\n{text}", family.name);
        }
    }
}

#[test]
fn an_odd_status_is_not_counted_and_does_no_harm() {
    let worker = WorkerMetrics::default();
    worker.response(http::StatusCode::from_u16(999).unwrap());
    assert!(worker.responses.iter().all(|counter| counter.get() == 0));
}
