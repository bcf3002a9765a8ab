//! IP ACLs: ranges that are allowed or blocked, and one default action for every other address.

use super::range::AddressRange;
use ::uuid::Uuid;
use std::net::IpAddr;
use std::sync::Arc;

/// What an entry does with an address that it covers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// The address may pass.
    Allow,
    /// The address may not pass.
    Block,
}

/// Where an entry was written: a file of the policy (0 is the policy file itself, the others are its
/// list files in the order of [`Policy::list_files`](super::Policy)) and a line, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// Index of the file.
    pub file: u16,
    /// Line in that file, from 1.
    pub line: u32,
}

/// One entry of an ACL, as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The addresses that it covers.
    pub range: AddressRange,
    /// What it does with them.
    pub action: Action,
    /// Where it was written.
    pub place: Place,
}

/// Names an entry within its ACL; [`IpAcl::entry`] gives it back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EntryId(pub(super) u32);

/// What of an ACL decided over an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matched {
    /// An entry that covers the address.
    Entry(EntryId),
    /// No entry covers it.
    Default,
    /// The client's address is not known: blocked, whatever the default.
    Undetermined,
}

/// The answer of an ACL for one client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Verdict {
    /// Allow or block.
    pub action: Action,
    /// What decided it.
    pub matched: Matched,
}

impl Verdict {
    /// What the default action says.
    pub fn by_default(action: Action) -> Self {
        Self { action, matched: Matched::Default }
    }

    /// The answer for a client whose address is not known.
    pub fn undetermined() -> Self {
        Self { action: Action::Block, matched: Matched::Undetermined }
    }
}

/// A named list of ranges and one default action: always valid, compiled for look-up.
#[derive(Debug)]
pub struct IpAcl {
    id: Uuid,
    name: Arc<str>,
    default: Action,
    entries: Vec<Entry>,
}

impl IpAcl {
    /// Stub.
    pub fn stub(name: &str, default: Action, entries: Vec<Entry>) -> Self {
        Self { id: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()), name: name.into(), default, entries }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Stub.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Stub.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The default action.
    pub fn default_action(&self) -> Action {
        self.default
    }

    /// An entry.
    pub fn entry(&self, id: EntryId) -> Option<Entry> {
        self.entries.get(id.0 as usize).copied()
    }

    /// The answer for a client; `None` is a client whose address is not known. No allocation.
    pub fn test(&self, client: Option<IpAddr>) -> Verdict {
        let Some(client) = client else { return Verdict::undetermined() };
        for (index, entry) in (0u32..).zip(&self.entries) {
            if entry.range.contains(client) {
                return Verdict { action: entry.action, matched: Matched::Entry(EntryId(index)) };
            }
        }
        Verdict::by_default(self.default)
    }
}
