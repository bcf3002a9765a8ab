//! Sums the workers' counters and writes them as OpenMetrics text.

use super::families::{self, Family};
use super::process::{Described, seconds};
use super::time::Total;
use super::usage::Usage;
use super::{
    AgeingFiles, CertificateExpiry, ClientFound, Counter, Metrics, ReloadResult, RequestDecision,
    WorkerMetrics,
};
use crate::policy::acl::Action;
use crate::telemetry::SubjectKind;
use crate::telemetry::hits::Hits;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet, text};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most ACLs that have series of their own.
const ACLS: usize = 250;

pub(super) fn render(metrics: &Arc<Metrics>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Arc::clone(metrics)));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = text::encode(&mut text, &registry);
    text
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let out = &mut encoder;
        family(out, families::BUILD)?.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        self.encode_usage(out)?;
        self.encode_traffic(out)?;
        self.encode_time(out)?;
        self.encode_connections(out)?;
        self.encode_reloads(out)?;
        self.encode_policy(out)?;
        counter(out, families::LOG_LINES_DROPPED, self.dropped_lines())?;
        counter(out, families::DECISIONS_HELD_BACK, self.sum(|worker| worker.decisions_held_back.get()))
    }
}

impl Metrics {
    fn encode_usage(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        gauge(out, families::START, seconds(self.process.epoch.time()))?;
        let Usage { cpu, resident, descriptors, most_descriptors } = Usage::read();
        if let Some(cpu) = cpu {
            let seconds = cpu.as_secs_f64();
            family(out, families::CPU)?.encode_counter::<NoLabelSet, _, f64>(&seconds, None)?;
        }
        for (described, value) in [
            (families::MEMORY, resident),
            (families::DESCRIPTORS, descriptors),
            (families::MOST_DESCRIPTORS, most_descriptors),
        ] {
            if let Some(value) = value {
                gauge(out, described, value)?;
            }
        }
        Ok(())
    }

    fn encode_traffic(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut requests = family(out, families::REQUESTS)?;
        for decision in RequestDecision::ALL {
            for kind in SubjectKind::ALL.into_iter().map(Some).chain([None]) {
                // Whatever is refused early has no subject.
                if decision == RequestDecision::Refuse && kind.is_some() {
                    continue;
                }
                let count = self.sum(|worker| worker.requests_of(decision, kind).map_or(0, Counter::get));
                let labels =
                    [("decision", decision.label()), ("subject", kind.map_or("none", SubjectKind::label))];
                labelled(&mut requests, &labels, count)?;
            }
        }
        let mut clients = family(out, families::CLIENT_ADDRESSES)?;
        for found in ClientFound::ALL {
            let count = self.sum(|worker| worker.clients.get(found as usize).map_or(0, Counter::get));
            labelled(&mut clients, &[("found", found.label())], count)?;
        }
        let mut responses = family(out, families::RESPONSES)?;
        for (index, class) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().enumerate() {
            let count = self.sum(|worker| worker.responses.get(index).map_or(0, Counter::get));
            labelled(&mut responses, &[("class", class)], count)?;
        }
        counter(out, families::UPSTREAM_FAILURES, self.sum(|worker| worker.upstream_failures.get()))
    }

    fn encode_time(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let total = |add: fn(&WorkerMetrics, &mut Total)| {
            let mut total = Total::default();
            // A process without workers still has every bucket.
            add(&WorkerMetrics::default(), &mut total);
            self.workers.iter().for_each(|worker| add(worker, &mut total));
            total
        };
        let times = [
            (families::DECISION_TIME, total(|worker, total| worker.decision_time.add_to(total))),
            (families::UPSTREAM_TIME, total(|worker, total| worker.upstream_time.add_to(total))),
        ];
        for (described, Total { buckets, count, sum }) in times {
            let mut encoder = family(out, described)?;
            encoder.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &buckets, None)?;
        }
        Ok(())
    }

    fn encode_connections(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        gauge(out, families::CONNECTIONS_OPEN, of(&self.server.open))?;
        counter(out, families::CONNECTIONS_ACCEPTED, of(&self.server.accepted))?;
        let mut refused = family(out, families::CONNECTIONS_REFUSED)?;
        labelled(&mut refused, &[("reason", "limit")], of(&self.server.surplus))?;
        labelled(&mut refused, &[("reason", "proxy_protocol")], of(&self.server.proxy_refused))?;
        let (received, sent) = self.server.bytes();
        counter(out, families::RECEIVED, received)?;
        counter(out, families::SENT, sent)?;
        counter(out, families::HEADS_REFUSED, of(&self.server.refused_heads))?;
        let mut handshakes = family(out, families::TLS_HANDSHAKES)?;
        labelled(&mut handshakes, &[("result", "ok")], of(&self.server.tls_handshakes))?;
        labelled(&mut handshakes, &[("result", "failed")], of(&self.server.tls_failures))
    }

    fn encode_reloads(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut reloads = family(out, families::RELOADS)?;
        for result in ReloadResult::ALL {
            labelled(&mut reloads, &[("result", result.label())], self.process.reloads.get(result))?;
        }
        let success = self.process.last_reload_success.load(Ordering::Relaxed);
        gauge(out, families::LAST_RELOAD_SUCCESS, u64::from(success))?;
        gauge(out, families::LAST_RELOAD, self.process.last_reload_at.load(Ordering::Relaxed))
    }

    fn encode_policy(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let process = &self.process;
        let Described { digest, files: AgeingFiles { certificates, lists }, hits } = process.described();
        family(out, families::POLICY)?.encode_info(&[("digest", digest)])?;
        for (described, value) in [
            (families::POLICY_REVISION, &process.revision),
            (families::POLICY_LOADED, &process.loaded_at),
            (families::POLICY_ACLS, &process.acls),
            (families::POLICY_RANGES, &process.ranges),
        ] {
            gauge(out, described, value.load(Ordering::Relaxed))?;
        }
        acl_hits(out, hits.as_deref())?;
        let mut modified = family(out, families::LIST_MODIFIED)?;
        for (file, at) in lists {
            modified.encode_family(&[("file", file)])?.encode_gauge(&seconds(at))?;
        }
        let mut expiry = family(out, families::CERTIFICATE_EXPIRY)?;
        for CertificateExpiry { file, used_for, at } in certificates {
            let labels = [("certificate", file.as_str()), ("use", used_for.label())];
            expiry.encode_family(&labels)?.encode_gauge(&seconds(at))?;
        }
        Ok(())
    }
}

/// One row for each answer that an ACL can give. Those behind the first [`ACLS`] share theirs.
fn acl_hits(out: &mut DescriptorEncoder<'_>, hits: Option<&Hits>) -> fmt::Result {
    let mut rows = family(out, families::ACL_HITS)?;
    let mut others = BTreeMap::new();
    for (at, acl) in hits.into_iter().flat_map(Hits::acls).enumerate() {
        for (action, matched, hit) in [
            (Action::Allow, "entry", acl.by_entries(Action::Allow)),
            (Action::Block, "entry", acl.by_entries(Action::Block)),
            (acl.acl().default_action(), "default", acl.default_action()),
            (Action::Block, "undetermined", acl.undetermined()),
        ] {
            let labels = (if action == Action::Allow { "allow" } else { "block" }, matched);
            if at < ACLS {
                acl_row(&mut rows, acl.acl().name(), labels, hit.count)?;
            } else {
                *others.entry(labels).or_default() += hit.count;
            }
        }
    }
    others.into_iter().try_for_each(|(labels, count)| acl_row(&mut rows, "(others)", labels, count))
}

fn acl_row(
    rows: &mut MetricEncoder<'_>,
    acl: &str,
    (action, matched): (&str, &str),
    count: u64,
) -> fmt::Result {
    labelled(rows, &[("acl", acl), ("action", action), ("matched", matched)], count)
}

fn family<'a>(out: &'a mut DescriptorEncoder<'_>, family: Family) -> Result<MetricEncoder<'a>, fmt::Error> {
    out.encode_descriptor(family.name, family.help, None, family.kind)
}

fn counter(out: &mut DescriptorEncoder<'_>, described: Family, count: u64) -> fmt::Result {
    family(out, described)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
}

fn labelled(out: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, count: u64) -> fmt::Result {
    out.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
}

fn gauge(out: &mut DescriptorEncoder<'_>, described: Family, value: u64) -> fmt::Result {
    family(out, described)?.encode_gauge(&value)
}
