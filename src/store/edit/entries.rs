//! What changes of an ACL's entries, between its own lists and its list files.
//!
//! The ACL as it is and as it is to be in, elements to drop and to add out. An entry that a list file holds stays
//! there; one that neither list nor file holds is added to the list of its action; one that only a list file holds
//! cannot be dropped, since list files are not ours to write.

use super::object::IpAclObject;
use super::plan::PlanError;
use super::table::{Table, Unfit};
use crate::policy::Policy;
use crate::policy::acl::{Action, Entry, IpAcl};
use crate::policy::range::AddressRange;
use std::collections::HashMap;

/// The lists of an ACL's table.
pub(super) const LISTS: [(&str, Action); 2] = [("allow", Action::Allow), ("block", Action::Block)];

/// As the file writes it.
pub(super) fn word(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Block => "block",
    }
}

/// The entries of one action, as they are written.
pub(super) fn texts(entries: &[(AddressRange, Action)], action: Action) -> Vec<String> {
    entries.iter().filter(|(_, of)| *of == action).map(|(range, _)| range.to_string()).collect()
}

/// How often each entry is still to be dropped, and what is to be added.
#[derive(Debug, Default)]
pub(super) struct Changes {
    surplus: HashMap<(AddressRange, Action), usize>,
    missing: Vec<(AddressRange, Action)>,
}

/// What differs; refuses to drop what list files hold.
pub(super) fn changes(old: &IpAcl, new: &IpAclObject, policy: &Policy) -> Result<Changes, PlanError> {
    let mut inline: HashMap<_, usize> = HashMap::new();
    let mut listed: HashMap<_, Vec<Entry>> = HashMap::new();
    for entry in old.entries() {
        let key = (entry.range, entry.action);
        match entry.place.file {
            0 => *inline.entry(key).or_default() += 1,
            _ => listed.entry(key).or_default().push(entry),
        }
    }
    let mut missing = Vec::new();
    for key in &new.entries {
        if listed.get_mut(key).and_then(Vec::pop).is_some() {
            continue;
        }
        match inline.get_mut(key).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => missing.push(*key),
        }
    }
    let kept_by_file =
        listed.into_values().flatten().min_by_key(|entry| (entry.place.file, entry.place.line));
    match kept_by_file {
        None => Ok(Changes { surplus: inline, missing }),
        Some(entry) => {
            let files = &policy.parts().files;
            let file = files.get(usize::from(entry.place.file)).map_or("", |file| &**file);
            Err(PlanError::Listed(format!(
                "the entry `{}` ({}) stands in the list file `{file}`, line {}: take it out there",
                entry.range,
                word(entry.action),
                entry.place.line
            )))
        }
    }
}

impl Changes {
    /// Changes one list of the table.
    pub(super) fn apply(
        &self,
        table: &mut Table<'_>,
        (key, action): (&str, Action),
        behind: &[&str],
    ) -> Result<(), Unfit> {
        let mut surplus = self.surplus.clone();
        let mut drop = Vec::new();
        // Of equal elements the later ones go.
        for (index, text) in table.list(key)?.iter().enumerate().rev() {
            let range: AddressRange = text.parse().map_err(|_| Unfit)?;
            if let Some(count) = surplus.get_mut(&(range, action)).filter(|count| **count > 0) {
                *count -= 1;
                drop.push(index);
            }
        }
        table.change_list(key, (&drop, &texts(&self.missing, action)), behind)
    }
}
