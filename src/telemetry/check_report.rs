//! A check in words: what `explain`, the management API, the decision log and the metrics call the same things.
//!
//! In: a [`Check`] and the policy that it was made on. Out: owned names, so that a report outlives its snapshot.
//! INVARIANT: every label of [`SubjectKind`] is the `kind` of SPEC §7, and there is no second list of them.

use crate::policy::Policy;
use crate::policy::acl::{Action, Details, Entry, IpAcl, Matched};
use crate::policy::decide::{Check, Subject};
use crate::policy::subject::Mode;
use std::fmt;
use std::sync::Arc;

/// What kind of subject a check was made for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SubjectKind {
    /// A key that the request carries.
    ApiKey,
    /// An application that it names.
    Application,
    /// A tenant.
    Tenant,
    /// A resource server (API audience).
    ResourceServer,
    /// A path rule.
    Path,
    /// A path that the upstream leaves open to local clients.
    Loopback,
}

impl SubjectKind {
    /// Every kind, in the order in which subjects are tested.
    pub const ALL: [Self; 6] =
        [Self::ApiKey, Self::Application, Self::Tenant, Self::ResourceServer, Self::Path, Self::Loopback];

    /// The kind of a subject.
    pub fn of(subject: &Subject<'_>) -> Self {
        match subject {
            Subject::ApiKey(_) => Self::ApiKey,
            Subject::Application(_) => Self::Application,
            Subject::Tenant(_) => Self::Tenant,
            Subject::ResourceServer(_) => Self::ResourceServer,
            Subject::Path(_) => Self::Path,
            Subject::Loopback => Self::Loopback,
        }
    }

    /// Its name in JSON, in logs, in test cases and in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "apiKey",
            Self::Application => "application",
            Self::Tenant => "tenant",
            Self::ResourceServer => "resourceServer",
            Self::Path => "path",
            Self::Loopback => "loopback",
        }
    }

    /// The kind with this label.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.label() == label)
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Application => "application",
            Self::Tenant => "tenant",
            Self::ResourceServer => "resource server",
            Self::Path => "path rule",
            Self::Loopback => "paths for local clients",
        }
    }
}

/// What of an ACL decided, with the place where it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EntryReport {
    /// An entry.
    Range {
        /// The entry.
        entry: Entry,
        /// The file that it stands in.
        file: Arc<str>,
        /// What it carries beside its range, if anything.
        details: Option<Box<Details>>,
    },
    /// No entry covers the client: the default action.
    Default,
    /// The client's address is not known.
    Undetermined,
}

impl fmt::Display for EntryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range { entry, file, details } => {
                match entry.origin {
                    None => write!(f, "{} ({file}:{}", entry.range, entry.place.line)?,
                    Some(origin) => write!(f, "{} ({file}: {origin}", entry.range)?,
                }
                if let Some(Details { expires, note, owner }) = details.as_deref() {
                    expires.map_or(Ok(()), |expires| write!(f, ", until {expires}"))?;
                    owner.as_ref().map_or(Ok(()), |owner| write!(f, ", owner {owner}"))?;
                    note.as_ref().map_or(Ok(()), |note| write!(f, ": {note}"))?;
                }
                f.write_str(")")
            }
            Self::Default => f.write_str("* (default)"),
            Self::Undetermined => f.write_str("client address undetermined"),
        }
    }
}

/// One check, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckReport {
    /// What kind of subject was tested.
    pub kind: SubjectKind,
    /// The subject's id; a path rule's is its prefix, [`SubjectKind::Loopback`] has none.
    pub id: Option<String>,
    /// The subject's name, for people.
    pub name: Option<String>,
    /// The ACL, by id and name; [`SubjectKind::Loopback`] has none.
    pub acl: Option<(::uuid::Uuid, Arc<str>)>,
    /// What the ACL said.
    pub action: Action,
    /// What of the ACL decided.
    pub entry: EntryReport,
    /// Whether a block of this check is enforced.
    pub mode: Mode,
}

impl CheckReport {
    /// Puts a check into words.
    pub fn of(policy: &Policy, check: &Check<'_>) -> Self {
        let (id, name) = identity(&check.subject);
        let acl = check.assignment.map(|assignment| &assignment.acl);
        Self {
            kind: SubjectKind::of(&check.subject),
            id,
            name,
            acl: acl.map(|acl| (acl.id(), Arc::clone(acl.name()))),
            action: check.verdict.action,
            entry: entry(policy, acl.map(|acl| &**acl), check.verdict.matched),
            mode: check.assignment.map_or(Mode::Enforce, |assignment| assignment.mode),
        }
    }

    /// Whether this check alone refuses the request.
    pub fn blocks(&self) -> bool {
        self.action == Action::Block && self.mode == Mode::Enforce
    }

    /// The subject in words: kind and name.
    pub fn subject(&self) -> String {
        match &self.name {
            Some(name) => format!("{} `{name}`", self.kind.words()),
            None => self.kind.words().to_owned(),
        }
    }
}

fn identity(subject: &Subject<'_>) -> (Option<String>, Option<String>) {
    let (id, name) = match subject {
        Subject::ApiKey(key) => (key.id.to_string(), key.name.to_string()),
        Subject::Application(application) => (application.id.to_string(), application.name.to_string()),
        Subject::Tenant(tenant) => (tenant.id.to_string(), tenant.name.to_string()),
        Subject::ResourceServer(server) => (server.identifier.to_string(), server.name.to_string()),
        Subject::Path(rule) => (rule.prefix.to_string(), rule.prefix.to_string()),
        Subject::Loopback => return (None, None),
    };
    (Some(id), Some(name))
}

fn entry(policy: &Policy, acl: Option<&IpAcl>, matched: Matched) -> EntryReport {
    match matched {
        Matched::Undetermined => EntryReport::Undetermined,
        Matched::Default => EntryReport::Default,
        Matched::Entry(id) => {
            let found = acl.and_then(|acl| Some((acl, acl.entry(id)?)));
            found.map_or(EntryReport::Default, |(acl, entry)| {
                let file = policy.parts().files.get(usize::from(entry.place.file));
                let file = file.map_or_else(|| Arc::from("?"), Arc::clone);
                EntryReport::Range { entry, file, details: acl.details(&entry).cloned().map(Box::new) }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_and_read_back() {
        for kind in SubjectKind::ALL {
            assert_eq!(SubjectKind::from_label(kind.label()), Some(kind));
        }
        assert_eq!(SubjectKind::from_label("APIKEY"), None);
    }
}
