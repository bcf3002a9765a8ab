//! What changes of an ACL's entries, between its own lists and its list files.
//!
//! The ACL as it is and as it is to be in, elements to drop, to change and to add out. An entry that a list file holds
//! stays there; one that neither list nor file holds is added to the list of its action; one that only a list file
//! holds cannot be dropped, since list files are not ours to write. An entry of which nothing but its details differ
//! is changed where it stands, so that the comment behind it stays.

use super::object::{EntryObject, IpAclObject};
use super::plan::PlanError;
use super::table::{Table, Unfit, written};
use crate::policy::Policy;
use crate::policy::acl::{Action, Details, Entry, IpAcl};
use crate::policy::moment::Moment;
use std::collections::HashMap;
use toml_edit::{InlineTable, Value};

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
pub(super) fn texts(entries: &[EntryObject], action: Action) -> Vec<String> {
    entries.iter().filter(|entry| entry.action == action).map(text).collect()
}

/// An element of a list: a text, or a table where there is more to say.
fn text(entry: &EntryObject) -> String {
    let range = entry.range.to_string();
    if entry.details.is_empty() {
        return written(range);
    }
    let Details { expires, note, owner } = &entry.details;
    let mut table = InlineTable::new();
    table.insert("range", range.into());
    // What files cannot say was refused before.
    if let Some(expires) = expires.and_then(Moment::to_toml) {
        table.insert("expires", expires.into());
    }
    for (key, remark) in [("note", note), ("owner", owner)] {
        if let Some(remark) = remark {
            table.insert(key, (&**remark).into());
        }
    }
    written(table)
}

/// The entry that an element of a list is; its action is that of the list.
fn read(element: &Value, action: Action) -> Result<EntryObject, Unfit> {
    let range = |text: &str| text.parse().map_err(|_| Unfit);
    if let Some(text) = element.as_str() {
        return Ok(EntryObject::plain(range(text)?, action));
    }
    let table = element.as_inline_table().ok_or(Unfit)?;
    let text = |key: &str| table.get(key).map(|value| value.as_str().ok_or(Unfit)).transpose();
    let expires = table.get("expires").map(|value| {
        let written = value.as_datetime().ok_or(Unfit)?;
        Moment::of_toml(written).map_err(|_| Unfit)
    });
    let details = Details {
        expires: expires.transpose()?,
        note: text("note")?.map(Into::into),
        owner: text("owner")?.map(Into::into),
    };
    Ok(EntryObject { range: range(text("range")?.ok_or(Unfit)?)?, action, details })
}

/// How often each entry is still to be dropped, and what is to be added.
#[derive(Debug, Default)]
pub(super) struct Changes {
    surplus: HashMap<EntryObject, usize>,
    missing: Vec<EntryObject>,
}

/// What differs; refuses to drop what list files hold.
pub(super) fn changes(old: &IpAcl, new: &IpAclObject, policy: &Policy) -> Result<Changes, PlanError> {
    let mut inline: HashMap<_, usize> = HashMap::new();
    let mut listed: HashMap<_, Vec<Entry>> = HashMap::new();
    for (entry, details) in old.written() {
        let key = EntryObject::of(&entry, details);
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
            None => missing.push(key.clone()),
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
        let mut missing: Vec<_> = self.missing.iter().filter(|entry| entry.action == action).collect();
        let mut edit = ListEdit::default();
        // Of equal elements the later ones go.
        for (index, element) in table.list(key)?.iter().enumerate().rev() {
            let entry = read(element, action)?;
            let Some(count) = surplus.get_mut(&entry).filter(|count| **count > 0) else { continue };
            *count -= 1;
            match missing.iter().position(|missing| missing.range == entry.range) {
                Some(at) => edit.change.push((index, text(missing.remove(at)))),
                None => edit.drop.push(index),
            }
        }
        edit.add = missing.into_iter().map(text).collect();
        table.change_list(key, &edit, behind)
    }
}

/// What becomes of a list; elements are named by index, new ones are TOML.
#[derive(Default, Debug)]
pub(super) struct ListEdit {
    /// Elements that go.
    pub(super) drop: Vec<usize>,
    /// Elements in the place of others.
    pub(super) change: Vec<(usize, String)>,
    /// Elements behind the last.
    pub(super) add: Vec<String>,
}
