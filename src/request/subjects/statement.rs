//! What a request says of subjects, taken down without saying it, so that another policy can be told the same.
//!
//! In: every value that a [`Collector`] looks up, listed or not, with the kind of its place. Out: [`Statements`], as text
//! for a log line and back, and said again to a collector of another policy. A value is kept as a pseudonym: the first 64
//! bits of a SHA-256 over the form by which directories compare it. Who has the id can find it again; who has the
//! line cannot read it, though a short value can be guessed.
//!
//! INVARIANT: what is said again names the same subjects in the same kind of place, for every policy. Where that cannot
//! be promised (more than [`MOST`] values) nothing is promised: [`Statements::whole`].

use super::collector::{Collector, Place};
use super::names::{Field, Kind};
use crate::policy::facts::SubjectFacts;
use crate::policy::{Policy, comparable_identifier, directory, uuid};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The most values that are taken down of one head or body.
const MOST: usize = 64;

/// What a value is looked up as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum About {
    /// A `client_id` and its like.
    Application,
    /// A `tenantId` and its like.
    Tenant,
    /// An audience.
    ResourceServer,
}

/// A value that nobody can read: two of the same are of the same value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Pseudonym(u64);

/// One value in one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Statement {
    about: About,
    place: Place,
    exact: Pseudonym,
    /// What it shares with ids that it may be taken for.
    folded: Pseudonym,
}

/// All that one head or one body says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Statements {
    said: Vec<Statement>,
    names_client_id: bool,
    client_credentials: bool,
    cut: bool,
}

/// A text that is no list of statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not what a decision line records of a request")]
pub struct StatementsError;

/// The ids that a policy lists, by pseudonym.
#[derive(Debug)]
pub struct Listed {
    exact: HashMap<(About, Pseudonym), Arc<str>>,
    folded: HashMap<(About, Pseudonym), Arc<str>>,
}

impl Pseudonym {
    fn of(text: &str) -> Self {
        use sha2::Digest;
        let digest: [u8; 32] = sha2::Sha256::digest(text.as_bytes()).into();
        Self(digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The forms by which policies compare a value.
fn forms(about: About, value: &str) -> (Pseudonym, Pseudonym) {
    let (exact, folded) = match about {
        About::Application | About::Tenant => directory::forms(value),
        About::ResourceServer => {
            let identifier = comparable_identifier(value);
            let uuid = uuid::lenient_uuid(value).or_else(|| uuid::loose_uuid(value));
            let folded = uuid.map(|uuid| ::uuid::Uuid::from_u128(uuid).to_string());
            (identifier.clone(), folded.unwrap_or(identifier))
        }
    };
    (Pseudonym::of(&exact), Pseudonym::of(&folded))
}

impl Statements {
    /// Takes a value down.
    pub(super) fn add(&mut self, about: About, place: Place, value: &str) {
        let (exact, folded) = forms(about, value);
        let statement = Statement { about, place, exact, folded };
        if self.said.contains(&statement) {
            return;
        }
        if self.said.len() == MOST {
            self.cut = true;
        } else {
            self.said.push(statement);
        }
    }

    /// Takes down what is said without a value.
    pub(super) fn flag(&mut self, facts: &SubjectFacts<'_>) {
        self.names_client_id |= facts.names_client_id;
        self.client_credentials |= facts.client_credentials;
    }

    /// Whether everything was taken down.
    pub fn whole(&self) -> bool {
        !self.cut
    }

    /// Says it again.
    pub(super) fn say_to(&self, collector: &mut Collector<'_, '_>, listed: &Listed) {
        if self.names_client_id {
            collector.sight(Field { kind: Kind::ClientId, exact: true });
        }
        if self.client_credentials {
            collector.field(Place::Hint, Field { kind: Kind::GrantType, exact: true }, GRANT.into());
        }
        for statement in &self.said {
            let value = Cow::Owned(listed.value(statement));
            match statement.about {
                About::Application => collector.application(statement.place, value),
                About::Tenant => collector.tenant(statement.place, value),
                About::ResourceServer => {
                    let field = Field { kind: Kind::Audience, exact: true };
                    collector.field(Place::Hint, field, value);
                }
            }
        }
    }
}

const GRANT: &str = "client_credentials";

impl Listed {
    /// The ids of a policy.
    pub fn of(policy: &Policy) -> Self {
        let parts = policy.parts();
        let mut listed = Self { exact: HashMap::new(), folded: HashMap::new() };
        parts.applications.iter().for_each(|known| listed.add(About::Application, &known.id));
        parts.tenants.iter().for_each(|known| listed.add(About::Tenant, &known.id));
        parts.resource_servers.iter().for_each(|known| listed.add(About::ResourceServer, &known.identifier));
        listed
    }

    fn add(&mut self, about: About, id: &Arc<str>) {
        let (exact, folded) = forms(about, id);
        self.exact.insert((about, exact), Arc::clone(id));
        // A text that may be taken for a UUID stands for both.
        if uuid::lenient_uuid(id).is_none() {
            self.folded.insert((about, folded), Arc::clone(id));
        } else {
            self.folded.entry((about, folded)).or_insert_with(|| Arc::clone(id));
        }
    }

    /// A value with the same meaning to the policy: the id, something that may be taken for it, or nothing it lists.
    fn value(&self, statement: &Statement) -> String {
        let Statement { about, exact, folded, .. } = *statement;
        if let Some(id) = self.exact.get(&(about, exact)) {
            return id.to_string();
        }
        // A blank in front: cut off by some, so it names all ids of this folded form, and none exactly.
        self.folded.get(&(about, folded)).map_or_else(|| format!("unlisted-{exact}"), |id| format!("\t{id}"))
    }
}

const ABOUT: [(About, char); 3] =
    [(About::Application, 'a'), (About::Tenant, 't'), (About::ResourceServer, 'r')];
const PLACES: [(Place, char); 3] = [(Place::Naming, 'n'), (Place::Doubtful, 'd'), (Place::Hint, 'h')];

/// Words with commas between them, such as `id,cc,an0123456789abcdef`; `-` for nothing.
impl fmt::Display for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [(self.names_client_id, "id"), (self.client_credentials, "cc"), (self.cut, "cut")];
        let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word.to_owned());
        let words: Vec<_> = flags.chain(self.said.iter().map(ToString::to_string)).collect();
        if words.is_empty() { f.write_str("-") } else { f.write_str(&words.join(",")) }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = ABOUT.iter().find(|(about, _)| *about == self.about).map_or('?', |(_, letter)| *letter);
        let place = PLACES.iter().find(|(place, _)| *place == self.place).map_or('?', |(_, letter)| *letter);
        write!(f, "{about}{place}{}", self.exact)?;
        if self.folded == self.exact { Ok(()) } else { write!(f, "{}", self.folded) }
    }
}

impl FromStr for Statements {
    type Err = StatementsError;

    fn from_str(text: &str) -> Result<Self, StatementsError> {
        let mut statements = Self::default();
        for word in text.split(',').filter(|_| text != "-") {
            match word {
                "id" => statements.names_client_id = true,
                "cc" => statements.client_credentials = true,
                "cut" => statements.cut = true,
                word => statements.said.push(word.parse()?),
            }
        }
        Ok(statements)
    }
}

impl FromStr for Statement {
    type Err = StatementsError;

    fn from_str(word: &str) -> Result<Self, StatementsError> {
        let mut letters = word.chars();
        let (about, place) = (letters.next(), letters.next());
        let digits = letters.as_str();
        let about = ABOUT.iter().find(|(_, letter)| Some(*letter) == about).ok_or(StatementsError)?.0;
        let place = PLACES.iter().find(|(_, letter)| Some(*letter) == place).ok_or(StatementsError)?.0;
        let (exact, folded) = digits.split_at_checked(16).ok_or(StatementsError)?;
        let pseudonym = |digits| u64::from_str_radix(digits, 16).map(Pseudonym).map_err(|_| StatementsError);
        let exact = pseudonym(exact)?;
        let folded = if folded.is_empty() { exact } else { pseudonym(folded)? };
        Ok(Self { about, place, exact, folded })
    }
}
