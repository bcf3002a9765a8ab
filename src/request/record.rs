//! What is kept of a request in a decision line, so that another policy can decide over it later.
//!
//! In: a request that was decided over. Out: a [`Record`], as one word-like text and back, and the [`RequestFacts`] that
//! another policy would have gathered. No key, token, query or body value is in it: subjects are
//! [`Statements`], keys are ids of listed ones.
//!
//! INVARIANT: [`Replay::decide`] gives the decision that the policy would have made, or says why that cannot be known
//! ([`Unknown`]); it never guesses. Where something is not known, it is still certain as long as nothing that the
//! policy could make of it would change the effect: an unknown key or body can add checks that block, and adds none where
//! no ACL in question blocks this client.
//!
//! Deliberately absent: requests that were refused before any ACL was asked, and the client's address, which the
//! line has beside this.

use super::subjects::{self, Listed, Statements, StatementsError};
use super::{Fields, RequestHead, api_key, facts, head};
use crate::config::Answers;
use crate::policy::Policy;
use crate::policy::acl::Action;
use crate::policy::decide::{self, Decision, Effect};
use crate::policy::facts::RequestFacts;
use crate::policy::subject::{ApiKey, Mode};
use ::uuid::Uuid;
use http::{Method, Uri};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What is known of a body.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// There is none.
    None,
    /// It streamed through: no decision depended on it.
    Unheard,
    /// It was read.
    Heard(&'a [u8]),
}

/// What was recorded of a body.
#[derive(Clone, PartialEq, Eq, Debug)]
enum BodyRecord {
    None,
    Unheard,
    Heard(Statements),
}

/// What is kept of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    method: Method,
    host: Option<String>,
    /// Under which settings places were told from one another.
    settings: u32,
    /// Which keys were listed.
    key_set: u128,
    keys: Vec<Uuid>,
    unlisted_key: bool,
    head: Statements,
    body: BodyRecord,
}

/// A text that is no record, or one of another version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a record of a request that this version can read")]
pub struct RecordError;

impl From<StatementsError> for RecordError {
    fn from(_: StatementsError) -> Self {
        Self
    }
}

/// Why it cannot be known what a policy would have decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Unknown {
    /// Other places count now.
    #[error("recorded under another preset, `tenant_headers` or `api_key_sources`")]
    Settings,
    /// A key that was not listed may be one that is.
    #[error("carried a key that was not listed then and may be now")]
    Key,
    /// The policy would read a body that nobody read.
    #[error("its body was not read then and would be now")]
    Body,
    /// More values than are recorded.
    #[error("named more values than are recorded")]
    Cut,
    /// Not a target.
    #[error("its path cannot be read back")]
    Path,
}

const VERSION: &str = "1";

impl Record {
    /// What is to be kept of a request.
    pub fn of(policy: &Policy, request: &RequestHead, facts: &RequestFacts<'_>, body: Body<'_>) -> Self {
        let body = match body {
            Body::None => BodyRecord::None,
            Body::Unheard => BodyRecord::Unheard,
            Body::Heard(bytes) => {
                subjects::witness_body(policy, request, bytes).map_or(BodyRecord::Unheard, BodyRecord::Heard)
            }
        };
        let host = head::authority(request).filter(|host| host.bytes().all(|byte| byte.is_ascii_graphic()));
        Self {
            method: request.method.clone(),
            host: host.map(str::to_owned),
            settings: settings(policy),
            key_set: policy.api_key_set(),
            keys: facts.api_keys.iter().map(|key| key.id).collect(),
            unlisted_key: api_key::carries_unlisted(policy, &request.fields),
            head: subjects::witness_head(policy, request),
            body,
        }
    }
}

/// Tells apart settings under which the same request names other things.
fn settings(policy: &Policy) -> u32 {
    use sha2::Digest;
    let rules = policy.rules();
    let text = format!("{:?} {} {:?}", rules.tenant_headers, rules.json_names, rules.api_key_sources);
    let digest: [u8; 32] = sha2::Sha256::digest(text.as_bytes()).into();
    digest.iter().take(4).fold(0, |bits, byte| bits << 8 | u32::from(*byte))
}

/// `1 POST host=idp.example set=… keys=… key=… head=… body=…`
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, host, settings, key_set, keys, unlisted_key, head, body } = self;
        write!(f, "{VERSION} {method} set={settings:08x} keys={key_set:032x} head={head}")?;
        match body {
            BodyRecord::None => {}
            BodyRecord::Unheard => f.write_str(" unheard")?,
            BodyRecord::Heard(said) => write!(f, " body={said}")?,
        }
        if let Some(host) = host {
            write!(f, " host={host}")?;
        }
        keys.iter().try_for_each(|key| write!(f, " key={key}"))?;
        if *unlisted_key { f.write_str(" key=?") } else { Ok(()) }
    }
}

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        let mut words = text.split(' ');
        if words.next() != Some(VERSION) {
            return Err(RecordError);
        }
        let method = words.next().and_then(|method| method.parse().ok()).ok_or(RecordError)?;
        let mut record = Self {
            method,
            host: None,
            settings: 0,
            key_set: 0,
            keys: Vec::new(),
            unlisted_key: false,
            head: Statements::default(),
            body: BodyRecord::None,
        };
        words.try_for_each(|word| record.read(word))?;
        Ok(record)
    }
}

impl Record {
    fn read(&mut self, word: &str) -> Result<(), RecordError> {
        match word.split_once('=').unwrap_or((word, "")) {
            ("set", digits) => self.settings = u32::from_str_radix(digits, 16).map_err(|_| RecordError)?,
            ("keys", digits) => self.key_set = u128::from_str_radix(digits, 16).map_err(|_| RecordError)?,
            ("head", said) => self.head = said.parse()?,
            ("body", said) => self.body = BodyRecord::Heard(said.parse()?),
            ("unheard", "") => self.body = BodyRecord::Unheard,
            ("host", host) => self.host = Some(host.to_owned()),
            ("key", "?") => self.unlisted_key = true,
            ("key", id) => self.keys.push(id.parse().map_err(|_| RecordError)?),
            _ => return Err(RecordError),
        }
        Ok(())
    }
}

/// A policy that decides over recorded requests.
#[derive(Debug)]
pub struct Replay<'p> {
    policy: &'p Policy,
    answers: &'p Answers,
    listed: Listed,
    keys: HashMap<Uuid, &'p ApiKey>,
    settings: u32,
}

impl<'p> Replay<'p> {
    /// Prepares a policy. Linear in its subjects.
    pub fn new(policy: &'p Policy, answers: &'p Answers) -> Self {
        let keys = policy.parts().api_keys.iter().map(|key| (key.id, key)).collect();
        Self { policy, answers, listed: Listed::of(policy), keys, settings: settings(policy) }
    }

    /// Decides over a request, and hands the decision on. `path` is the path alone.
    ///
    /// # Errors
    /// Why it cannot be known.
    pub fn decide<R>(
        &self,
        record: &Record,
        (client, path): (Option<IpAddr>, &str),
        use_it: impl FnOnce(&Decision<'_>) -> R,
    ) -> Result<R, Unknown> {
        if record.settings != self.settings {
            return Err(Unknown::Settings);
        }
        let request = head_of(record, path).ok_or(Unknown::Path)?;
        let mut facts = facts::gather(self.policy, &request, client).map_err(|_| Unknown::Path)?;
        facts.api_keys = record.keys.iter().filter_map(|id| self.keys.get(id).copied()).collect();
        self.say(&record.head, &mut facts)?;
        if facts::needs_body(self.policy, &facts, self.answers) {
            match &record.body {
                BodyRecord::None => {}
                BodyRecord::Unheard => return Err(Unknown::Body),
                BodyRecord::Heard(said) => self.say(said, &mut facts)?,
            }
        }
        let decision = decide::decide(self.policy, &facts, |_| {});
        let allowed = decision.effect == Effect::Allow;
        if allowed && record.unlisted_key && self.may_be_blocked_by_key(record, client) {
            return Err(Unknown::Key);
        }
        Ok(use_it(&decision))
    }

    fn say<'a>(&'a self, said: &Statements, facts: &mut RequestFacts<'a>) -> Result<(), Unknown> {
        if !said.whole() {
            return Err(Unknown::Cut);
        }
        subjects::restate(self.policy, &mut facts.subjects, (said, &self.listed));
        Ok(())
    }

    /// Whether some key could have been carried unknown and block this client.
    fn may_be_blocked_by_key(&self, record: &Record, client: Option<IpAddr>) -> bool {
        let blocks = |key: &ApiKey| {
            let assignment = key.assignment.as_ref();
            assignment.is_some_and(|assignment| {
                assignment.mode == Mode::Enforce && assignment.acl.test(client).action == Action::Block
            })
        };
        record.key_set != self.policy.api_key_set() && self.policy.parts().api_keys.iter().any(blocks)
    }
}

fn head_of(record: &Record, path: &str) -> Option<RequestHead> {
    let mut fields = Fields::default();
    if let Some(host) = &record.host {
        fields.append("host", host.as_bytes());
    }
    Some(RequestHead {
        method: record.method.clone(),
        target: path.parse::<Uri>().ok()?.into(),
        fields,
        ..RequestHead::default()
    })
}

#[cfg(test)]
mod tests;
