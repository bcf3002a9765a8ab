//! A table being changed: what differs between an object as it is and as it is to be → changes of its keys.

use super::data::Data;
use super::entries;
use super::fresh::hex;
use super::object::{ApiKeyObject, ApplicationObject, IpAclObject, TenantObject};
use super::outline::{Outline, Section};
use super::plan::with_blank_lines;
use super::references;
use super::splice::Splices;
use super::table::{Table, Unfit};
use crate::policy::acl::IpAcl;
use crate::policy::subject::ApiKey;
use serde_json::Value as Json;
use uuid::Uuid;

/// The keys behind which each new key stands.
const NAMED: &[&str] = &["name", "id"];
const ASSIGNED: &[&str] = &["name", "id", "sha256", "tenant", "default", "hosts", "ip_acl", "mode"];
const LISTED: &[&str] = &["name", "id", "default", "allow", "block", "allow_files", "block_files"];
const INSTANTS: &[&str] = &[
    "name",
    "id",
    "default",
    "allow",
    "block",
    "allow_files",
    "block_files",
    "sha256",
    "ip_acl",
    "mode",
    "insert_instant",
    "last_update_instant",
    "data",
    "data_json",
];

/// A reference as it is to be written. `None`: it stays as it is. `Some(None)`: it goes.
pub(super) type Given<'a> = Option<Option<&'a str>>;

/// A table and what changes of it.
#[derive(Debug)]
pub(super) struct Replacement<'a> {
    pub(super) text: &'a str,
    pub(super) outline: &'a Outline,
    pub(super) table: Table<'a>,
    /// The sections of tables within the table.
    pub(super) within: &'a [&'a Section],
    /// Changes elsewhere in the file.
    pub(super) others: Splices,
}

impl Replacement<'_> {
    pub(super) fn acl(
        &mut self,
        old: &IpAcl,
        new: &IpAclObject,
        changes: &entries::Changes,
    ) -> Result<(), Unfit> {
        if **old.name() != *new.name {
            self.keep_id(old.id())?;
            self.table.set("name", new.name.as_str(), &[])?;
            let rename = references::Rename { old: old.name(), new: &new.name, id: &old.id().to_string() };
            references::rename(self.text, self.outline, ("ip_acl", rename), &mut self.others);
        }
        if old.default_action() != new.default {
            self.table.set("default", entries::word(new.default), NAMED)?;
        }
        for (key, action) in entries::LISTS {
            changes.apply(&mut self.table, (key, action), LISTED)?;
        }
        let instants = [
            ("insert_instant", old.insert_instant(), new.insert_instant),
            ("last_update_instant", old.last_update_instant(), new.last_update_instant),
        ];
        self.instants(instants)?;
        self.data(old.data(), new.data.as_ref())
    }

    pub(super) fn api_key(&mut self, old: &ApiKey, new: &ApiKeyObject, acl: Given<'_>) -> Result<(), Unfit> {
        if *old.name != *new.name {
            self.keep_id(old.id)?;
            self.table.set("name", new.name.as_str(), &[])?;
        }
        if old.hash != new.hash {
            self.table.set("sha256", hex(&new.hash), NAMED)?;
        }
        self.given("ip_acl", acl)?;
        let instants = [
            ("insert_instant", old.insert_instant, new.insert_instant),
            ("last_update_instant", old.last_update_instant, new.last_update_instant),
        ];
        self.instants(instants)?;
        self.data(old.data.as_deref(), new.data.as_ref())
    }

    pub(super) fn tenant(&mut self, old_name: &str, new: &TenantObject, acl: Given<'_>) -> Result<(), Unfit> {
        if *old_name != *new.name {
            self.table.set("name", new.name.as_str(), NAMED)?;
            let rename = references::Rename { old: old_name, new: &new.name, id: &new.id };
            references::rename(self.text, self.outline, ("tenant", rename), &mut self.others);
        }
        self.given("ip_acl", acl)
    }

    pub(super) fn application(
        &mut self,
        old_name: &str,
        new: &ApplicationObject,
        (tenant, acl): (Given<'_>, Given<'_>),
    ) -> Result<(), Unfit> {
        if *old_name != *new.name {
            self.table.set("name", new.name.as_str(), NAMED)?;
        }
        self.given("tenant", tenant)?;
        self.given("ip_acl", acl)
    }

    /// An id that was derived from the name is written down, so that it outlives the name.
    fn keep_id(&mut self, id: Uuid) -> Result<(), Unfit> {
        match self.table.has("id") {
            true => Ok(()),
            false => self.table.set("id", id.to_string(), NAMED),
        }
    }

    fn given(&mut self, key: &str, value: Given<'_>) -> Result<(), Unfit> {
        match value {
            None => Ok(()),
            Some(Some(value)) => self.table.set(key, value, ASSIGNED),
            Some(None) => self.table.remove(key),
        }
    }

    fn instants(&mut self, instants: [(&str, Option<i64>, Option<i64>); 2]) -> Result<(), Unfit> {
        for (key, old, new) in instants {
            match new {
                _ if old == new => {}
                Some(instant) => self.table.set(key, instant, INSTANTS)?,
                None => self.table.remove(key)?,
            }
        }
        Ok(())
    }

    fn data(&mut self, old: Option<&Json>, new: Option<&Json>) -> Result<(), Unfit> {
        if old == new {
            return Ok(());
        }
        for section in self.within {
            self.others.remove(with_blank_lines(self.text, section.lead..section.end));
        }
        let (key, other, value) = match new.map(Data::of) {
            None => {
                self.table.remove("data")?;
                return self.table.remove("data_json");
            }
            Some(Data::Toml(value)) => ("data", "data_json", value),
            Some(Data::Json(text)) => ("data_json", "data", text.into()),
        };
        self.table.remove(other)?;
        self.table.set(key, value, INSTANTS)
    }
}
