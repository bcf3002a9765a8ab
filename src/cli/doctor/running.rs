//! What a running gateway says of itself: `/readyz` and `/metrics` of its management listener.
//!
//! One request each, with a deadline; a certificate that cannot be verified is an answer that was not had. Counters run
//! from the gateway's start.

use super::finding::{Ailment, Finding};
use crate::config::{ClientIp, ClientIpSelect};
use crate::store::Candidate;
use crate::telemetry::metrics::ClientFound;
use crate::upstream::one_shot;
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use serde::Deserialize;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long the management listener may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Fewer requests than this say nothing about an edge.
const SAMPLE: u64 = 20;
/// A certificate that ends sooner needs somebody now.
const DAYS_LEFT: u64 = 7;
/// A certificate that ends sooner should have been renewed by itself.
const DAYS_TO_RENEW: u64 = 21;
const DAY: u64 = 24 * 60 * 60;

/// The body of `/readyz`, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    status: String,
    digest: String,
    reload: Reload,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reload {
    failure: Option<String>,
    #[serde(default)]
    pending_restart: Vec<String>,
}

/// Asks the gateway at an origin; the number of requests that it has decided over. `ca` as for [`one_shot`].
pub(super) fn look(admin: &Uri, ca: Option<&Path>, candidate: &Candidate, found: &mut Vec<Finding>) -> u64 {
    let asked = get(admin, ca, "/readyz").and_then(|ready| Ok((ready, get(admin, ca, "/metrics")?)));
    let (ready, metrics) = match asked {
        Ok(texts) => texts,
        Err(error) => {
            found.push(Finding::new(Ailment::NotReached, format!("{admin}: {error}")));
            return 0;
        }
    };
    match serde_json::from_str::<Ready>(&ready) {
        Ok(ready) => readiness(&ready, candidate, found),
        Err(error) => {
            found.push(Finding::new(Ailment::NotReached, format!("{admin}readyz is not aclgate's: {error}")));
            return 0;
        }
    }
    let metrics = Metrics(&metrics);
    clients(&metrics, &candidate.config.client_ip, found);
    certificates(&metrics, SystemTime::now(), found);
    let dropped = metrics.sum("aclgate_log_lines_dropped_total");
    if dropped > 0 {
        found.push(Finding::new(Ailment::LinesLost, format!("{dropped} log lines dropped")));
    }
    metrics.sum("aclgate_requests_total")
}

fn readiness(ready: &Ready, candidate: &Candidate, found: &mut Vec<Finding>) {
    if ready.status != "ready" {
        found.push(Finding::new(Ailment::NotReady, format!("it is {}", ready.status)));
    }
    if let Some(failure) = &ready.reload.failure {
        found.push(Finding::new(Ailment::ReloadFailed, failure.trim_end()));
    } else if ready.digest != candidate.digest {
        let (running, file) = (&ready.digest, &candidate.digest);
        found.push(Finding::new(
            Ailment::OtherPolicy,
            format!("sha256 {running:.12} is in force, {} is {file:.12}", candidate.config_path.display()),
        ));
    }
    for pending in &ready.reload.pending_restart {
        found.push(Finding::new(Ailment::PendingRestart, pending.as_str()));
    }
}

/// How clients' addresses were found, request by request.
fn clients(metrics: &Metrics<'_>, settings: &ClientIp, found: &mut Vec<Finding>) {
    let count = |kind: ClientFound| metrics.value("aclgate_client_addresses_total", kind.label());
    let kinds = ClientFound::ALL.map(count);
    let all: u64 = kinds.iter().sum();
    judge_clients(&|kind| count(kind), (all, SAMPLE), settings, found);
    if all < SAMPLE {
        found.push(Finding::new(Ailment::SmallSample, format!("{all} requests since the gateway started")));
    }
}

/// What the ways tell in which the addresses of so many clients were found.
pub(super) fn judge_clients(
    count: &dyn Fn(ClientFound) -> u64,
    (all, sample): (u64, u64),
    settings: &ClientIp,
    found: &mut Vec<Finding>,
) {
    let mut add = |ailment, what: &str, kind| {
        found.push(Finding::new(ailment, format!("{} of {all} requests {what}", count(kind))));
    };
    let many = |kind| all >= sample && count(kind) * 2 > all;
    if count(ClientFound::Chain) > 0 && settings.select == ClientIpSelect::First {
        add(Ailment::EdgeAppends, "had more than one value in the forwarding header", ClientFound::Chain);
    }
    if many(ClientFound::Missing) {
        add(
            Ailment::EdgeHidesClients,
            "came from a trusted proxy without the forwarding header",
            ClientFound::Missing,
        );
    }
    if many(ClientFound::Ignored) {
        add(Ailment::EdgeNotTrusted, "had a forwarding header from an untrusted peer", ClientFound::Ignored);
    } else if count(ClientFound::Ignored) > 0 {
        add(Ailment::ForgedHeaders, "had a forwarding header from an untrusted peer", ClientFound::Ignored);
    }
    if count(ClientFound::Undetermined) > 0 {
        add(
            Ailment::UndeterminedClients,
            "had no address in the forwarding header",
            ClientFound::Undetermined,
        );
    }
}

fn certificates(metrics: &Metrics<'_>, now: SystemTime, found: &mut Vec<Finding>) {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    for (certificate, ends) in metrics.labelled("aclgate_certificate_expiry_timestamp_seconds") {
        let days = ends.saturating_sub(now) / DAY;
        let ailment = match days {
            0..DAYS_LEFT => Ailment::CertificateEnds,
            DAYS_LEFT..DAYS_TO_RENEW => Ailment::CertificateSoon,
            _ => continue,
        };
        let when = if ends <= now { "has ended".to_owned() } else { format!("ends in {days} days") };
        found.push(Finding::new(ailment, format!("{certificate} {when}")));
    }
}

/// A scrape: lines of `name{label="value"} number`.
struct Metrics<'t>(&'t str);

impl<'t> Metrics<'t> {
    /// The samples of a name: their labels as they stand, and their values.
    fn samples(&self, name: &str) -> impl Iterator<Item = (&'t str, u64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            (labels.is_empty() || labels.starts_with('{')).then_some(())?;
            // Counters are whole; gauges of seconds may be written with a fraction.
            let whole = value.split('.').next()?.parse().ok()?;
            Some((labels, whole))
        })
    }

    fn sum(&self, name: &str) -> u64 {
        self.samples(name).map(|(_, value)| value).sum()
    }

    /// The sample with this label value.
    fn value(&self, name: &str, label: &str) -> u64 {
        let quoted = format!("=\"{label}\"");
        self.samples(name).filter(|(labels, _)| labels.contains(&quoted)).map(|(_, value)| value).sum()
    }

    /// Values of a single label, with their numbers.
    fn labelled(&self, name: &str) -> impl Iterator<Item = (&'t str, u64)> {
        self.samples(name).filter_map(|(labels, value)| Some((labels.split('"').nth(1)?, value)))
    }
}

fn get(origin: &Uri, ca: Option<&Path>, path: &str) -> io::Result<String> {
    let request = Request::get(path).body(Bytes::new()).map_err(io::Error::other)?;
    let (parts, body) = one_shot(origin, ca, request, PATIENCE)?.into_parts();
    match parts.status {
        // While it drains it says why in the body.
        StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE => {
            String::from_utf8(body.into()).map_err(io::Error::other)
        }
        status => Err(io::Error::other(format!("{path} answered {}", status.as_str()))),
    }
}

#[cfg(test)]
mod tests;
