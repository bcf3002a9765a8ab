//! What recorded decisions tell of the edge: the same as the metrics, and whether everybody is one client.

use super::finding::{Ailment, Finding};
use super::running::judge_clients;
use crate::cli::CliError;
use crate::config::ClientIp;
use crate::explain::replay::{LogLine, RecordedLine};
use crate::telemetry::metrics::ClientFound;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;

/// Fewer decisions than this say nothing about who the clients are.
const SAMPLE: u64 = 100;

/// What was counted.
#[derive(Debug, Default)]
struct Seen {
    all: u64,
    found: HashMap<&'static str, u64>,
    clients: HashSet<Option<IpAddr>>,
    only: Option<IpAddr>,
}

/// Looks at every decision line of a log.
///
/// # Errors
/// The file cannot be read.
pub(super) fn look(log: &Path, settings: &ClientIp, found: &mut Vec<Finding>) -> Result<u64, CliError> {
    let read = |source| CliError::Read { path: log.to_owned(), source };
    let mut seen = Seen::default();
    for line in BufReader::new(std::fs::File::open(log).map_err(read)?).split(b'\n') {
        match LogLine::read(&String::from_utf8_lossy(&line.map_err(read)?)) {
            LogLine::Decision(line) | LogLine::After(_, line) => seen.add(&line, settings),
            LogLine::Missing(_) | LogLine::Other => {}
        }
    }
    seen.judge(settings, found);
    Ok(seen.all)
}

impl Seen {
    fn add(&mut self, line: &RecordedLine, settings: &ClientIp) {
        self.all += 1;
        self.clients.insert(line.client);
        self.only = line.client.or(self.only);
        if let Some(kind) = kind(line, settings) {
            *self.found.entry(kind.label()).or_default() += 1;
        }
    }

    fn judge(&self, settings: &ClientIp, found: &mut Vec<Finding>) {
        let count = |kind: ClientFound| self.found.get(kind.label()).copied().unwrap_or(0);
        judge_clients(&count, (self.all, SAMPLE), settings, found);
        if let (1, Some(only), true) = (self.clients.len(), self.only, self.all >= SAMPLE) {
            let seen = format!("all of {} decisions are on requests of {only}", self.all);
            found.push(Finding::new(Ailment::OneClient, seen));
        }
        if self.all < SAMPLE {
            found.push(Finding::new(Ailment::SmallSample, format!("{} recorded decisions", self.all)));
        }
    }
}

/// How the client's address was found; `None` where the line does not say.
fn kind(line: &RecordedLine, settings: &ClientIp) -> Option<ClientFound> {
    if line.client.is_none() {
        return Some(ClientFound::Undetermined);
    }
    let (_, value) = line.client_header.as_deref()?.split_once(':')?;
    let values = value.split(',').filter(|value| !value.trim().is_empty()).count();
    let trusted = settings.trusted_proxies.contain(line.peer?);
    Some(match (trusted, values) {
        (true, 0) => ClientFound::Missing,
        (true, 1) => ClientFound::Value,
        (true, _) => ClientFound::Chain,
        (false, 0) => ClientFound::Peer,
        (false, _) => ClientFound::Ignored,
    })
}
