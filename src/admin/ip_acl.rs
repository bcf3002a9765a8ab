//! IP ACLs: `/api/ip-acl`. JSON ↔ ACLs of the policy.
//!
//! Exactly one entry has the start `*`; its end is ignored. The others have a start and an end of one family, in order, or a
//! CIDR block as the start (an end beside it must be the block's own). What an entry carries beside its range is for
//! [`details`]. A name is unique among names and ids, as either may be written where an ACL is assigned.

mod details;

use super::call::{Call, now};
use super::errors::Errors;
use super::fields::Fields;
use super::resource::{Draft, Resource};
use super::search::Keys;
use super::wire;
use crate::policy::acl::{Action, IpAcl};
use crate::policy::range::AddressRange;
use crate::policy::uuid::lenient_uuid;
use crate::store::Snapshot;
use crate::store::edit::{Change, IpAclObject, Object};
use details::{Asked, Known};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// The kind.
#[derive(Debug)]
pub struct IpAcls;

impl Resource for IpAcls {
    type Item = Arc<IpAcl>;

    const NAME: &'static str = "ipAccessControlList";
    const PLURAL: &'static str = "ipAccessControlLists";
    const ID: &'static str = "ipAccessControlListId";

    fn canonical_id(text: &str) -> Option<String> {
        canonical_uuid(text)
    }

    fn all(snapshot: &Snapshot) -> impl Iterator<Item = Self::Item> {
        snapshot.policy.parts().acls.iter().cloned()
    }

    fn find(snapshot: &Snapshot, id: &str) -> Option<Self::Item> {
        find(snapshot, id.parse().ok()?).cloned()
    }

    fn keys(item: &Self::Item, file_time: i64) -> Keys {
        Keys {
            id: item.id().to_string(),
            name: item.name().to_string(),
            insert_instant: item.insert_instant().unwrap_or(file_time),
            last_update_instant: item.last_update_instant().unwrap_or(file_time),
        }
    }

    fn show(item: &Self::Item, file_time: i64) -> Value {
        shown(&wire::acl(item, file_time))
    }

    fn read(
        fields: &Fields<'_>,
        call: &Call<'_>,
        (id, existing): (&str, Option<&Self::Item>),
        errors: &mut Errors,
    ) -> Option<Draft> {
        let name = fields.required_name(errors);
        if let Some(name) = name.filter(|name| is_taken(&call.snapshot, id, name)) {
            errors.field(
                "duplicate",
                fields.path("name"),
                format!("there is an IP ACL with the name `{name}`"),
            );
        }
        let data = fields.value("data");
        if data.is_some_and(|data| !data.is_object()) {
            errors.field("invalid", fields.path("data"), "expected an object");
        }
        keep_geography(fields, existing.map(|acl| &**acl), errors);
        let (default, entries) = read_entries(fields, errors)?;
        let mut known = Known::of(existing.map(|acl| &**acl), call);
        let entries = entries.into_iter().filter_map(|asked| known.settle(asked, errors)).collect();
        let inserted = existing.map_or_else(now, |acl| acl.insert_instant().unwrap_or(call.file_time));
        let object = Object::IpAcl(IpAclObject {
            id: id.parse().ok()?,
            name: name?.to_owned(),
            default,
            entries,
            insert_instant: Some(inserted),
            last_update_instant: Some(now().max(inserted)),
            data: data.cloned(),
        });
        Some(Draft { object, secret: None })
    }

    fn deletion(item: &Self::Item) -> Change {
        Change::DeleteIpAcl(item.id())
    }

    fn users(snapshot: &Snapshot, item: &Self::Item) -> Vec<String> {
        let (id, parts) = (item.id(), snapshot.policy.parts());
        let has = |assignment: Option<&crate::policy::subject::Assignment>| {
            assignment.is_some_and(|assignment| assignment.acl.id() == id)
        };
        let mut users = Vec::new();
        let mut add = |kind: &str, name: &str| users.push(format!("{kind} `{name}`"));
        for key in parts.api_keys.iter().filter(|key| has(key.assignment.as_ref())) {
            add("API key", &key.name);
        }
        for tenant in parts.tenants.iter().filter(|tenant| has(tenant.assignment.as_ref())) {
            add("tenant", &tenant.name);
        }
        for application in
            parts.applications.iter().filter(|application| has(application.assignment.as_ref()))
        {
            add("application", &application.name);
        }
        for server in parts.resource_servers.iter().filter(|server| has(server.assignment.as_ref())) {
            add("resource server", &server.name);
        }
        for rule in parts.path_rules.iter().filter(|rule| has(Some(&rule.assignment))) {
            add("path", rule.prefix.as_str());
        }
        let keys = snapshot.config.admin.iter().flat_map(|admin| &admin.api_keys);
        for key in keys.filter(|key| key.ip_acl.as_ref().is_some_and(|acl| acl.id() == id)) {
            add("admin key", &key.name);
        }
        users
    }
}

/// A UUID as Java reads it, in its usual form.
pub fn canonical_uuid(text: &str) -> Option<String> {
    lenient_uuid(text).map(|id| Uuid::from_u128(id).to_string())
}

/// The ACL with this id.
pub fn find(snapshot: &Snapshot, id: Uuid) -> Option<&Arc<IpAcl>> {
    snapshot.policy.parts().acls.iter().find(|acl| acl.id() == id)
}

/// An object of [`wire`] as JSON.
pub fn shown(object: &impl serde::Serialize) -> Value {
    // The types of `wire` always become JSON.
    serde_json::to_value(object).unwrap_or_default()
}

/// What databases say stands in the file alone; a request may repeat it.
fn keep_geography(fields: &Fields<'_>, existing: Option<&IpAcl>, errors: &mut Errors) {
    let kept = shown(&existing.map(wire::Geography::of).unwrap_or_default());
    for name in wire::Geography::FIELDS {
        let asked = fields.value(name).filter(|asked| !asked.as_array().is_some_and(Vec::is_empty));
        if asked.is_some_and(|asked| kept.get(name) != Some(asked)) {
            let message = "countries and autonomous systems are changed in the file alone";
            errors.field("invalid", fields.path(name), message);
        }
    }
}

/// Whether another ACL has this name, or this id: references could not tell them apart.
fn is_taken(snapshot: &Snapshot, id: &str, name: &str) -> bool {
    let as_id: Option<Uuid> = name.parse().ok();
    let mut others = snapshot.policy.parts().acls.iter().filter(|acl| acl.id().to_string() != id);
    others.any(|acl| **acl.name() == *name || as_id == Some(acl.id()))
}

/// The default and the other entries; `None` only with errors.
fn read_entries<'a>(fields: &Fields<'a>, errors: &mut Errors) -> Option<(Action, Vec<Asked<'a>>)> {
    let path = fields.path("entries");
    let items = match fields.value("entries") {
        Some(Value::Array(items)) if !items.is_empty() => items,
        Some(Value::Array(_)) | None => {
            errors.field("missing", path, "at least the entry with the start `*` is needed");
            return None;
        }
        Some(_) => {
            errors.field("invalid", path, "expected a list of entries");
            return None;
        }
    };
    let (mut default, mut defaults, mut entries) = (None, 0, Vec::with_capacity(items.len()));
    for (at, item) in items.iter().enumerate() {
        let Some(item) = Fields::item(item, format!("{path}[{at}]"), errors) else { continue };
        let action = read_action(&item, errors);
        match item.required_text("startIPAddress", errors).map(str::trim) {
            Some("*") => {
                defaults += 1;
                default = action;
                if defaults > 1 {
                    errors.field(
                        "duplicate",
                        item.path("startIPAddress"),
                        "only one entry can have the start `*`",
                    );
                }
            }
            Some(start) => {
                let range = read_range(&item, start, errors);
                entries.extend(range.zip(action).map(|(range, action)| Asked {
                    range,
                    action,
                    fields: item,
                }));
            }
            None => {}
        }
    }
    if defaults == 0 {
        errors.field(
            "missing",
            path,
            "one entry must have the start `*`: what holds for every other address",
        );
    }
    Some((default?, entries))
}

fn read_action(item: &Fields<'_>, errors: &mut Errors) -> Option<Action> {
    match item.value("action").map(Value::as_str) {
        None => errors.field("missing", item.path("action"), "expected `Allow` or `Block`"),
        Some(Some("Allow")) => return Some(Action::Allow),
        Some(Some("Block")) => return Some(Action::Block),
        Some(_) => errors.field("invalid", item.path("action"), "expected `Allow` or `Block`"),
    }
    None
}

/// A range from its start, which may be a CIDR block, and its end.
fn read_range(item: &Fields<'_>, start: &str, errors: &mut Errors) -> Option<AddressRange> {
    let end = item.text("endIPAddress", errors).map(str::trim);
    if start.contains('/') {
        let block = read_address::<AddressRange>(item, "startIPAddress", start, errors)?;
        let Some(end) = end else { return Some(block) };
        let end = read_address::<Address>(item, "endIPAddress", end, errors)?;
        if end.0 != block.end() {
            let message = format!("`{start}` ends with `{}`", block.end());
            errors.field("invalid", item.path("endIPAddress"), message);
            return None;
        }
        return Some(block);
    }
    if end.is_none() && item.value("endIPAddress").is_none_or(Value::is_string) {
        item.required_text("endIPAddress", errors);
    }
    // Both are looked at, so that both errors are said.
    let start = read_address::<Address>(item, "startIPAddress", start, errors);
    let end = end.and_then(|end| read_address::<Address>(item, "endIPAddress", end, errors));
    let range = AddressRange::new(start?.0, end?.0);
    range.inspect_err(|error| errors.field("invalid", item.path("endIPAddress"), error.to_string())).ok()
}

/// One address, as the policy reads them.
struct Address(IpAddr);

impl std::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range: AddressRange =
            text.parse().map_err(|error: crate::policy::range::RangeError| error.to_string())?;
        match (range.start() == range.end(), text.contains(['/', '-'])) {
            (true, false) => Ok(Self(range.start())),
            _ => Err("expected one address".to_owned()),
        }
    }
}

fn read_address<T: std::str::FromStr<Err: std::fmt::Display>>(
    item: &Fields<'_>,
    name: &str,
    text: &str,
    errors: &mut Errors,
) -> Option<T> {
    text.parse()
        .inspect_err(|error: &T::Err| errors.field("invalid", item.path(name), error.to_string()))
        .ok()
}

#[cfg(test)]
mod tests;
