//! A change → the file's new text: pure, and nothing but what the change needs differs.
//!
//! The text and the policy that was made of it in; the new text, or why there is none, out. Tables are found by their
//! number: the policy lists its objects in file order.

use super::data::Data;
use super::object::{
    ApiKeyObject, ApplicationObject, Change, Image, IpAclObject, Object, Target, TenantObject,
};
use super::outline::{Kind, Outline, Section};
use super::references;
use super::splice::Splices;
use super::table::{Table, Unfit, newline_of, written};
use super::{array, entries};
use crate::policy::Policy;
use crate::policy::subject::{ApiKeyHash, Assignment};
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::ops::Range;
use uuid::Uuid;

/// Why a change cannot be made to this text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum PlanError {
    #[error("{0} is not there any more")]
    Gone(String),
    #[error("{0} is there already")]
    Taken(String),
    #[error("there is no {0}")]
    Unknown(String),
    #[error("{0}")]
    Listed(String),
    #[error("{0} is written in a way that cannot be edited; write it as a table with one key a line")]
    Unfit(String),
}

/// A text and what was made of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current<'a> {
    pub(super) text: &'a str,
    pub(super) policy: &'a Policy,
}

/// The new text; `None` if nothing needs to change.
pub(super) fn plan(current: Current<'_>, change: &Change) -> Result<Option<String>, PlanError> {
    let outline = Outline::of(current.text);
    let target = change.target();
    let found = target.find(current.policy);
    let editing = Editing { current, outline: &outline, target: &target };
    let splices = match (change, found) {
        (Change::Create(_), Some(_)) => return Err(PlanError::Taken(target.describe())),
        (Change::Create(object), None) => editing.create(object)?,
        (_, None) => return Err(PlanError::Gone(target.describe())),
        (Change::Replace(object), Some((nth, image))) => editing.replace(nth, &image, object)?,
        (_, Some((nth, _))) => editing.delete(nth)?,
    };
    Ok((!splices.is_empty()).then(|| splices.apply(current.text)))
}

struct Editing<'a> {
    current: Current<'a>,
    outline: &'a Outline,
    target: &'a Target,
}

impl Editing<'_> {
    fn kind(&self) -> Kind {
        match self.target {
            Target::IpAcl(_) => Kind::IpAcl,
            Target::ApiKey(_) => Kind::ApiKey,
            Target::Tenant(_) => Kind::Tenant,
            Target::Application(_) => Kind::Application,
        }
    }

    fn unfit(&self) -> PlanError {
        PlanError::Unfit(self.target.describe())
    }

    /// The sections of the nth table of the target's kind, if the outline agrees with the policy on how many there are.
    fn sections(&self, nth: usize) -> Result<Vec<&Section>, PlanError> {
        let parts = self.current.policy.parts();
        let expected = match self.kind() {
            Kind::IpAcl => parts.acls.len(),
            Kind::ApiKey => parts.api_keys.len(),
            Kind::Tenant => parts.tenants.len(),
            _ => parts.applications.len(),
        };
        if self.outline.count(self.kind()) != expected {
            return Err(self.unfit());
        }
        Ok(self.outline.table(self.kind(), nth).collect())
    }

    fn delete(&self, nth: usize) -> Result<Splices, PlanError> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for section in self.sections(nth)? {
            match ranges.last_mut().filter(|range| range.end == section.lead) {
                Some(range) => range.end = section.end,
                None => ranges.push(section.lead..section.end),
            }
        }
        let mut splices = Splices::default();
        for range in ranges {
            splices.remove(with_blank_lines(self.current.text, range));
        }
        Ok(splices)
    }

    fn create(&self, object: &Object) -> Result<Splices, PlanError> {
        let text = self.current.text;
        let newline = newline_of(text);
        let mut new = New { text: format!("[[{}]]{newline}", self.kind().key()), newline };
        match object {
            Object::IpAcl(acl) => new.acl(acl),
            Object::ApiKey(key) => new.api_key(key, self.acl_name(key.ip_acl)?),
            Object::Tenant(tenant) => {
                new.text("id", &tenant.id);
                new.text("name", &tenant.name);
                new.optional("ip_acl", self.acl_name(tenant.ip_acl)?);
            }
            Object::Application(application) => {
                new.text("id", &application.id);
                new.text("name", &application.name);
                new.optional("tenant", self.tenant_reference(application.tenant.as_deref())?);
                new.optional("ip_acl", self.acl_name(application.ip_acl)?);
            }
        }
        let at = self.outline.place_for(self.kind()).map_or(text.len(), |section| section.end);
        let mut splices = Splices::default();
        let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
        let ended = before.is_empty() || before.ends_with('\n');
        let parted = before.trim().is_empty() || before.ends_with(&format!("{newline}{newline}"));
        let lead = format!("{}{}", if ended { "" } else { newline }, if parted { "" } else { newline });
        let trail = if after.is_empty() || after.starts_with(['\n', '\r']) { "" } else { newline };
        splices.insert(at, format!("{lead}{}{trail}", new.text));
        Ok(splices)
    }

    fn replace(&self, nth: usize, image: &Image, object: &Object) -> Result<Splices, PlanError> {
        let sections = self.sections(nth)?;
        let Some((main, within)) = sections.split_first() else { return Err(self.unfit()) };
        let table = Table::open(self.current.text, main).map_err(|Unfit| self.unfit())?;
        let mut editor = Replacement { editing: self, table, within, others: Splices::default() };
        match (image, object) {
            (Image::IpAcl(old), Object::IpAcl(new)) => {
                let removals = entries::changes(old, new, self.current.policy)?;
                editor.acl(old, new, removals)
            }
            (Image::ApiKey(old), Object::ApiKey(new)) => {
                let name = self.acl_change(&old.assignment, new.ip_acl)?;
                editor.api_key(old, new, name)
            }
            (Image::Tenant(old), Object::Tenant(new)) => {
                let name = self.acl_change(&old.assignment, new.ip_acl)?;
                editor.tenant(&old.name, new, name)
            }
            (Image::Application(old), Object::Application(new)) => {
                let name = self.acl_change(&old.assignment, new.ip_acl)?;
                let old_tenant = old.tenant.as_ref().map(|tenant| &*tenant.id);
                let tenant = match old_tenant == new.tenant.as_deref() {
                    true => None,
                    false => Some(self.tenant_reference(new.tenant.as_deref())?),
                };
                editor.application(&old.name, new, (tenant, name))
            }
            _ => Err(Unfit),
        }
        .map_err(|Unfit| self.unfit())?;
        let mut splices = editor.table.finish();
        splices.append(editor.others);
        Ok(splices)
    }

    /// What to write for an ACL: its name.
    fn acl_name(&self, id: Option<Uuid>) -> Result<Option<&str>, PlanError> {
        let Some(id) = id else { return Ok(None) };
        let acl = self.current.policy.parts().acls.iter().find(|acl| acl.id() == id);
        let acl = acl.ok_or_else(|| PlanError::Unknown(format!("IP ACL `{id}`")))?;
        Ok(Some(acl.name()))
    }

    /// `None`: the assignment stays as it is written. `Some(None)`: it goes.
    fn acl_change(
        &self,
        old: &Option<Assignment>,
        new: Option<Uuid>,
    ) -> Result<Option<Option<&str>>, PlanError> {
        if old.as_ref().map(|given| given.acl.id()) == new {
            return Ok(None);
        }
        self.acl_name(new).map(Some)
    }

    /// What to write for a tenant: its name.
    fn tenant_reference(&self, id: Option<&str>) -> Result<Option<&str>, PlanError> {
        let Some(id) = id else { return Ok(None) };
        let tenant = self.current.policy.parts().tenants.iter().find(|tenant| *tenant.id == *id);
        let tenant = tenant.ok_or_else(|| PlanError::Unknown(format!("tenant `{}`", id.escape_debug())))?;
        Ok(Some(&tenant.name))
    }
}

/// A table's lines and the blank ones that parted it from the next, or, at the end of the file, from the one before.
fn with_blank_lines(text: &str, range: Range<usize>) -> Range<usize> {
    let behind = text.get(range.end..).unwrap_or_default();
    let before = text.get(..range.start).unwrap_or_default();
    let trimmed = behind.trim_start_matches([' ', '\t', '\r', '\n']);
    if trimmed.is_empty() {
        let kept = before.trim_end_matches([' ', '\t', '\r', '\n']);
        let start = super::outline::line_end(text.as_bytes(), kept.len());
        return if kept.is_empty() { 0..text.len() } else { start.min(range.start)..text.len() };
    }
    let first_blank = super::outline::line_end(behind.as_bytes(), 0);
    let parted_before = before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
    match behind.get(..first_blank) {
        // Indentation of what follows is not ours: whole blank lines alone are taken.
        Some(line) if parted_before && line.trim().is_empty() => range.start..range.end + first_blank,
        _ => range,
    }
}

/// A table being written.
struct New {
    text: String,
    newline: &'static str,
}

impl New {
    fn line(&mut self, key: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{key} = {value}{}", self.newline);
    }

    fn text(&mut self, key: &str, value: &str) {
        self.line(key, &written(value));
    }

    fn optional(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn acl(&mut self, acl: &IpAclObject) {
        self.text("name", &acl.name);
        self.text("id", &acl.id.to_string());
        self.text("default", entries::word(acl.default));
        for (key, action) in entries::LISTS {
            let texts = entries::texts(&acl.entries, action);
            if !texts.is_empty() {
                self.line(key, &array::written(&texts, self.newline));
            }
        }
        self.about(acl.insert_instant, acl.last_update_instant, acl.data.as_ref());
    }

    fn api_key(&mut self, key: &ApiKeyObject, acl: Option<&str>) {
        self.text("name", &key.name);
        self.text("id", &key.id.to_string());
        self.text("sha256", &hex(&key.hash));
        self.optional("ip_acl", acl);
        self.about(key.insert_instant, key.last_update_instant, key.data.as_ref());
    }

    fn about(&mut self, inserted: Option<i64>, updated: Option<i64>, data: Option<&Json>) {
        for (key, instant) in [("insert_instant", inserted), ("last_update_instant", updated)] {
            if let Some(instant) = instant {
                self.line(key, &instant.to_string());
            }
        }
        match data.map(Data::of) {
            None => {}
            Some(Data::Toml(value)) => self.line("data", &written(value)),
            Some(Data::Json(text)) => self.text("data_json", &text),
        }
    }
}

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

/// What changes of an object's name, with its references.
type Given<'a> = Option<Option<&'a str>>;

struct Replacement<'e, 't> {
    editing: &'e Editing<'t>,
    table: Table<'t>,
    /// The sections of tables within the table.
    within: &'e [&'e Section],
    /// Changes elsewhere in the file.
    others: Splices,
}

impl Replacement<'_, '_> {
    fn acl(
        &mut self,
        old: &crate::policy::acl::IpAcl,
        new: &IpAclObject,
        changes: entries::Changes,
    ) -> Result<(), Unfit> {
        if **old.name() != *new.name {
            self.keep_id(old.id())?;
            self.table.set("name", new.name.as_str(), &[])?;
            let rename = references::Rename { old: old.name(), new: &new.name, id: &old.id().to_string() };
            references::rename(
                self.editing.current.text,
                self.editing.outline,
                ("ip_acl", rename),
                &mut self.others,
            );
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

    fn api_key(
        &mut self,
        old: &crate::policy::subject::ApiKey,
        new: &ApiKeyObject,
        acl: Given<'_>,
    ) -> Result<(), Unfit> {
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

    fn tenant(&mut self, old_name: &str, new: &TenantObject, acl: Given<'_>) -> Result<(), Unfit> {
        if *old_name != *new.name {
            self.table.set("name", new.name.as_str(), NAMED)?;
            let rename = references::Rename { old: old_name, new: &new.name, id: &new.id };
            references::rename(
                self.editing.current.text,
                self.editing.outline,
                ("tenant", rename),
                &mut self.others,
            );
        }
        self.given("ip_acl", acl)
    }

    fn application(
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
            self.others.remove(with_blank_lines(self.editing.current.text, section.lead..section.end));
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

fn hex(hash: &ApiKeyHash) -> String {
    hash.as_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
