//! A decision becomes a [`Permit`] or a [`Refusal`].
//!
//! The only maker of permits: what is forwarded upstream has passed here. A block whose assignment is in report
//! mode is a permit; `decide` has already told the two apart.

use crate::policy::decide::{Check, Decision, Effect, Subject};
use crate::store::Snapshot;
use crate::telemetry::SubjectKind;

/// Proof that the policy allows a request. Taken by value by whoever forwards.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    disguise: bool,
}

impl Permit {
    /// A permit out of thin air, for tests of what is behind it.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self { disguise: false }
    }

    /// Whether the request's API keys must be replaced before it is forwarded: the upstream then gives its own
    /// answer to an invalid key.
    pub fn demands_disguise(&self) -> bool {
        self.disguise
    }
}

/// Which of the configured answers a blocked request gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The API key may not be used from this address.
    ApiKey,
    /// The sign-on page may not be seen from this address; whose ACL said so.
    Page(SubjectKind),
    /// No token for this resource server from this address.
    Token,
    /// The path may not be reached from this address.
    Path,
    /// The path is for local clients alone.
    Loopback,
}

/// Turns a decision into what is to be done.
///
/// # Errors
/// The refusal, where the decision blocks and no decoy is configured.
pub fn enforce(snapshot: &Snapshot, decision: &Decision<'_>) -> Result<Permit, Refusal> {
    let decoy = snapshot.config.answers.has_decoy();
    match (decision.effect, decision.cause) {
        (Effect::Allow, _) => Ok(Permit { disguise: false }),
        // An unknown key gets no further than the rest of the policy allows, and neither does a decoy.
        (Effect::Block, Some(Check { subject: Subject::ApiKey(_), .. })) if decoy => {
            match decision.block_beside_key {
                None => Ok(Permit { disguise: true }),
                Some(check) => Err(Refusal::of(&check.subject)),
            }
        }
        (Effect::Block, Some(check)) => Err(Refusal::of(&check.subject)),
        (Effect::Block, None) => Err(Refusal::Path),
    }
}

impl Refusal {
    /// The kind of subject that decided.
    pub fn kind(self) -> SubjectKind {
        match self {
            Self::ApiKey => SubjectKind::ApiKey,
            Self::Page(kind) => kind,
            Self::Token => SubjectKind::ResourceServer,
            Self::Path => SubjectKind::Path,
            Self::Loopback => SubjectKind::Loopback,
        }
    }

    /// The kind of answer for a block that this subject decided.
    pub fn of(subject: &Subject<'_>) -> Self {
        match subject {
            Subject::ApiKey(_) => Self::ApiKey,
            Subject::Application(_) | Subject::Tenant(_) => Self::Page(SubjectKind::of(subject)),
            Subject::ResourceServer(_) => Self::Token,
            Subject::Path(_) => Self::Path,
            Subject::Loopback => Self::Loopback,
        }
    }
}
