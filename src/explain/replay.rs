//! A recorded decision line, decided over again by another policy: `aclgate impact`.
//!
//! In: a line of the JSON log, settings and policy of a candidate. Out: what was decided then and what would be decided
//! now, or why that cannot be known ([`Unreplayable`]). Nothing is guessed: the client's address is found again by the
//! candidate's `[client_ip]` from the peer and the recorded header, the subjects from
//! [`Record`], the path from the line. Where a one-time code was taken out of the path,
//! its place is a blank that no prefix of the candidate may reach into.
//!
//! An API key is known by its id: a rotated key counts as the same. Temporary entries count as of now.

use crate::config::{ClientIp, ClientIpHeader, Config};
use crate::policy::Policy;
use crate::policy::decide::{Decision, Effect};
use crate::policy::path::PathReadings;
use crate::request::fields::text;
use crate::request::record::{Record, Replay, Unknown};
use crate::request::{Fields, Source, client_address};
use crate::telemetry::CheckReport;
use crate::telemetry::metrics::RequestDecision;
use crate::telemetry::redaction::{LONGEST_TEXT, path_of};
use serde::Deserialize;
use std::net::IpAddr;

/// A decision line, as far as it matters here.
#[derive(Debug, Deserialize)]
pub struct RecordedLine {
    /// When it was written.
    #[serde(default)]
    pub timestamp: Option<String>,
    /// `allow`, `block` or `report`.
    pub decision: Option<String>,
    /// The client's address, as it was found then.
    #[serde(default)]
    pub client: Option<IpAddr>,
    /// The other end of the connection.
    #[serde(default)]
    pub peer: Option<IpAddr>,
    /// The method.
    #[serde(default)]
    pub method: String,
    /// The target, redacted.
    #[serde(default)]
    pub path: String,
    /// What decided then: the kind of the subject.
    #[serde(default)]
    pub subject_kind: Option<String>,
    /// Its name.
    #[serde(default)]
    pub subject: Option<String>,
    /// The ACL that decided then.
    #[serde(default)]
    pub acl: Option<String>,
    /// Whether something is missing from the path.
    #[serde(default)]
    path_redacted: bool,
    /// The header that said who the client is, with its values; `None` where none counted.
    #[serde(default)]
    pub client_header: Option<String>,
    #[serde(default)]
    record: Option<String>,
}

/// What a line of a log is.
#[derive(Debug)]
pub enum LogLine {
    /// A decision over a request.
    Decision(Box<RecordedLine>),
    /// So many decisions have no line: held back in a flood, or dropped.
    Missing(u64),
    /// A decision, and before it so many without a line.
    After(u64, Box<RecordedLine>),
    /// Something else that was logged.
    Other,
}

#[derive(Deserialize)]
struct Notice {
    #[serde(default)]
    target: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    held_back: u64,
    #[serde(default)]
    lines: u64,
}

/// Why a line cannot be decided over again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Unreplayable {
    /// The line says too little.
    #[error("without a `record`: written by another version, or not by a JSON log")]
    NoRecord,
    /// Another header says who the client is.
    #[error("recorded under another `client_ip.header`, which the candidate would need")]
    ClientHeader,
    /// A one-time code stood where a prefix of the candidate may match.
    #[error("its path holds what was not recorded")]
    Path,
    /// The request says too little.
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

/// A decision, then and now.
#[derive(Debug)]
pub struct Replayed {
    /// Whether the request passed.
    pub before: Effect,
    /// Whether it would.
    pub after: Effect,
    /// The client, as the candidate sees it.
    pub client: Option<IpAddr>,
    /// The check that decides now; `None` where no ACL applies.
    pub cause: Option<CheckReport>,
    /// The first check that would block now, were its mode not `report`.
    pub reported: Option<CheckReport>,
}

impl LogLine {
    /// Reads a line of a log.
    pub fn read(text: &str) -> Self {
        let Ok(notice) = serde_json::from_str::<Notice>(text) else { return Self::Other };
        if notice.target != crate::telemetry::logging::BLOCKED {
            let dropped = notice.lines > 0 && notice.message.contains("dropped");
            return if dropped { Self::Missing(notice.lines) } else { Self::Other };
        }
        match (serde_json::from_str::<RecordedLine>(text), notice.held_back) {
            (Ok(line), 0) if line.decision.is_some() => Self::Decision(Box::new(line)),
            (Ok(line), missing) if line.decision.is_some() => Self::After(missing, Box::new(line)),
            (_, 0) => Self::Other,
            (_, missing) => Self::Missing(missing),
        }
    }
}

/// A candidate that recorded lines are put to.
#[derive(Debug)]
pub struct Candidate<'p> {
    policy: &'p Policy,
    client_ip: &'p ClientIp,
    replay: Replay<'p>,
}

impl<'p> Candidate<'p> {
    /// Prepares a candidate.
    pub fn new(config: &'p Config, policy: &'p Policy) -> Self {
        Self { policy, client_ip: &config.client_ip, replay: Replay::new(policy, &config.answers) }
    }

    /// Decides over a recorded request.
    ///
    /// # Errors
    /// Why it cannot be known.
    pub fn decide(&self, line: &RecordedLine) -> Result<Replayed, Unreplayable> {
        let record: Record =
            line.record.as_deref().and_then(|text| text.parse().ok()).ok_or(Unreplayable::NoRecord)?;
        let before = match line.decision.as_deref() {
            Some(word) if word == RequestDecision::Block.label() => Effect::Block,
            Some(_) => Effect::Allow,
            None => return Err(Unreplayable::NoRecord),
        };
        let client = self.client(line)?;
        let path = self.path(line)?;
        let report = |decision: &Decision<'_>| {
            let words = |check: &_| CheckReport::of(self.policy, check);
            let Decision { effect, cause, reported, .. } = decision;
            Replayed {
                before,
                after: *effect,
                client,
                cause: cause.as_ref().map(words),
                reported: reported.as_ref().map(words),
            }
        };
        Ok(self.replay.decide(&record, (client, path), report)?)
    }

    fn client(&self, line: &RecordedLine) -> Result<Option<IpAddr>, Unreplayable> {
        let peer = line.peer.ok_or(Unreplayable::NoRecord)?;
        let settings = self.client_ip;
        if settings.header == ClientIpHeader::None || !settings.trusted_proxies.contain(peer) {
            return Ok(Some(peer.to_canonical()));
        }
        let (name, value) = line
            .client_header
            .as_deref()
            .and_then(|header| header.split_once(':'))
            .filter(|(name, value)| *name == Source::Header.name(settings) && value.len() < LONGEST_TEXT)
            .ok_or(Unreplayable::ClientHeader)?;
        let mut fields = Fields::default();
        if !value.trim().is_empty() {
            let value = value.trim().replace("\\\"", "\"").replace("\\\\", "\\");
            let value = text(value.as_bytes()).ok_or(Unreplayable::ClientHeader)?;
            fields.append(name, value.as_bytes());
        }
        Ok(client_address::resolve(settings, peer, &fields).address)
    }

    fn path<'l>(&self, line: &'l RecordedLine) -> Result<&'l str, Unreplayable> {
        let path = path_of(&line.path);
        let plain = PathReadings::of(path).is_plain();
        // What follows `?` can be part of an odd reading, and it is not recorded.
        let whole = !line.path_redacted && (plain || !line.path.contains('?'));
        let harmless = || plain && !path.contains(['\\', '"']) && !self.reaches_into_code(path);
        if whole || (line.path_redacted && harmless()) { Ok(path) } else { Err(Unreplayable::Path) }
    }

    /// Whether a prefix or pattern goes on where a code was taken out of a path. Only a whole segment ever is.
    fn reaches_into_code(&self, path: &str) -> bool {
        let known: Vec<_> = path.split('/').skip(1).take_while(|segment| *segment != CODE).collect();
        let redacted = path.split('/').skip(1).any(|segment| segment == CODE);
        if !redacted {
            return true;
        }
        let rules = self.policy.rules();
        let lists = [&rules.sign_on_paths, &rules.exempt_paths, &rules.token_paths, &rules.loopback_paths];
        let prefixes = lists.into_iter().flatten().map(|prefix| prefix.as_str());
        let of_rules = self.policy.path_rules().iter().map(|rule| rule.prefix.as_str());
        let patterns = rules.tenant_patterns.iter().map(|pattern| pattern.as_str());
        prefixes.chain(of_rules).chain(patterns).any(|text| goes_beyond(text, &known))
    }
}

/// What stands in a redacted path where a one-time code stood.
const CODE: &str = "-";

/// Whether a prefix matches these segments and has more of them.
fn goes_beyond(prefix: &str, known: &[&str]) -> bool {
    let segments = || prefix.split('/').filter(|segment| !segment.is_empty());
    let matches =
        |(segment, known): (&str, &&str)| segment == "{tenant}" || segment.eq_ignore_ascii_case(known);
    segments().count() > known.len() && segments().zip(known).all(matches)
}

#[cfg(test)]
mod tests;
