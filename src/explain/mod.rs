//! Why a request would be allowed or blocked: `aclgate explain`, `aclgate test` and `POST /api/explain`.
//!
//! In: a [`Question`] (a request as it would arrive, and who asks), settings and policy. Out: an [`Explanation`],
//! owned, so that it outlives the snapshot. The request goes through the very functions that the gateway calls,
//! in the same order: the client's address, the facts, the body where it matters, the decision.
//!
//! Deliberately absent: limits and time-outs of connections (a question has none), and anything that upstream
//! would say.

mod json;
mod question;
pub mod replay;

pub use json::{InvalidQuestion, question_from_json, to_json};
pub use question::{Client, Question, QuestionError};

use crate::config::{Config, KeyAnswer};
use crate::policy::Policy;
use crate::policy::decide::{self, Decision, Effect};
use crate::policy::facts::RequestFacts;
use crate::request::{RequestError, RequestHead, client_address, facts, head};
use crate::telemetry::{CheckReport, SubjectKind};
use std::net::IpAddr;

/// What was decided over a request, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The client's address; `None` where it cannot be determined.
    pub client: Option<IpAddr>,
    /// What was decided.
    pub outcome: Outcome,
    /// Every subject that was tested, in order.
    pub checks: Vec<CheckReport>,
}

/// What becomes of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It goes upstream.
    Allowed {
        /// The last check that allowed it; `None` where no ACL applies.
        cause: Option<CheckReport>,
        /// The first check that would have blocked it, were its mode not `report`.
        reported: Option<CheckReport>,
    },
    /// It does not.
    Blocked {
        /// The check that blocked.
        cause: CheckReport,
        /// Status of the answer; `None` for a decoy, which upstream answers.
        status: Option<u16>,
    },
    /// It is refused before any ACL is asked.
    Refused(RequestError),
}

impl Explanation {
    /// Whether the request, as it is, gets to the upstream.
    pub fn effect(&self) -> Effect {
        match self.outcome {
            Outcome::Allowed { .. } => Effect::Allow,
            Outcome::Blocked { .. } | Outcome::Refused(_) => Effect::Block,
        }
    }

    /// The check that decided.
    pub fn cause(&self) -> Option<&CheckReport> {
        match &self.outcome {
            Outcome::Allowed { cause, .. } => cause.as_ref(),
            Outcome::Blocked { cause, .. } => Some(cause),
            Outcome::Refused(_) => None,
        }
    }

    /// The status of the gateway's own answer; `None` where upstream gives it.
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            Outcome::Allowed { .. } => None,
            Outcome::Blocked { status, .. } => *status,
            Outcome::Refused(error) => Some(refusal_status(*error)),
        }
    }
}

/// Explains what would become of a request.
pub fn explain(config: &Config, policy: &Policy, question: &Question) -> Explanation {
    let request = question.head();
    let client = match question.client {
        Client::Known(address) => Some(address.to_canonical()),
        Client::Undetermined => None,
        Client::Behind(peer) => {
            client_address::resolve(&config.client_ip, peer.to_canonical(), &request.fields).address
        }
    };
    let mut checks = Vec::new();
    let outcome = match gather(config, policy, &request, client, &question.body) {
        Ok(facts) => {
            let decision =
                decide::decide(policy, &facts, |check| checks.push(CheckReport::of(policy, check)));
            outcome(config, policy, &decision)
        }
        Err(error) => Outcome::Refused(error),
    };
    Explanation { client, outcome, checks }
}

/// The facts as the gateway gathers them: the body is looked into only where a decision depends on it.
fn gather<'a>(
    config: &Config,
    policy: &'a Policy,
    request: &'a RequestHead,
    client: Option<IpAddr>,
    body: &[u8],
) -> Result<RequestFacts<'a>, RequestError> {
    head::check(request, &config.server.limits)?;
    let mut facts = facts::gather(policy, request, client)?;
    if !body.is_empty() && facts::needs_body(policy, &facts, &config.answers) {
        if body.len() > policy.rules().inspect_body_limit {
            return Err(RequestError::BodyTooLarge);
        }
        facts::add_body(policy, &mut facts, request, body)?;
    }
    Ok(facts)
}

fn outcome(config: &Config, policy: &Policy, decision: &Decision<'_>) -> Outcome {
    let report = |check: &_| CheckReport::of(policy, check);
    match (decision.effect, decision.cause.as_ref()) {
        (Effect::Block, Some(cause)) => {
            // A decoy gets no further than the rest of the policy allows.
            let answered = match &decision.block_beside_key {
                Some(beside) if config.answers.has_decoy() => beside,
                Some(_) | None => cause,
            };
            Outcome::Blocked {
                cause: report(cause),
                status: blocked_status(config, SubjectKind::of(&answered.subject)),
            }
        }
        (Effect::Allow | Effect::Block, cause) => {
            Outcome::Allowed { cause: cause.map(report), reported: decision.reported.as_ref().map(report) }
        }
    }
}

/// The status that a blocked request gets (SPEC §5).
fn blocked_status(config: &Config, kind: SubjectKind) -> Option<u16> {
    let answers = &config.answers;
    let answer = match kind {
        SubjectKind::ApiKey => match &answers.api_key {
            KeyAnswer::Respond(answer) => answer,
            KeyAnswer::Decoy => return None,
        },
        SubjectKind::Application | SubjectKind::Tenant => &answers.page,
        SubjectKind::ResourceServer => &answers.token,
        SubjectKind::Path => &answers.path,
        SubjectKind::Loopback => return Some(404),
    };
    Some(answer.status.as_u16())
}

/// The status that a request gets which is refused before any ACL is asked (SPEC §5).
fn refusal_status(error: RequestError) -> u16 {
    match error {
        RequestError::Malformed(_) | RequestError::BodyAborted => 400,
        RequestError::MethodNotAllowed => 405,
        RequestError::HeadTimeout | RequestError::BodyTimeout => 408,
        RequestError::BodyTooLarge => 413,
        RequestError::TargetTooLong => 414,
        RequestError::Unsupported(_) => 415,
        RequestError::HeadTooLarge => 431,
        RequestError::TooManyConnections => 503,
    }
}

#[cfg(test)]
mod tests;
