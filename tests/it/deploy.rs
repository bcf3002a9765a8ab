//! What is shipped under `deploy/` speaks of what the gateway has.

use aclgate::telemetry::metrics::families::{ALL, Family};
use prometheus_client::metrics::MetricType;
use std::collections::BTreeSet;
use std::path::Path;

/// The names under which a metric is scraped.
fn scraped(family: &Family) -> Vec<String> {
    let suffixes: &[&str] = match family.kind {
        MetricType::Counter => &["_total"],
        MetricType::Histogram => &["_bucket", "_sum", "_count"],
        MetricType::Info => &["_info"],
        _ => &[""],
    };
    suffixes.iter().map(|suffix| format!("{}{suffix}", family.name)).collect()
}

/// Every word of a text that begins as our metrics do.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("aclgate_")).map(str::to_owned).collect()
}

#[test]
fn alerts_and_dashboard_name_metrics_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let known: BTreeSet<String> = ALL.iter().flat_map(scraped).collect();
    for (file, least) in
        [("prometheus/alerts.yaml", 8), ("prometheus/alerts.test.yaml", 8), ("grafana/aclgate.json", 15)]
    {
        let named = named(&std::fs::read_to_string(root.join(file)).unwrap());
        assert!(named.len() >= least, "{file} names {named:?} alone");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
}
