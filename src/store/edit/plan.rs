//! A change → the file's new text: pure, and nothing but what the change needs differs.
//!
//! The text and the policy that was made of it in; the new text, or why there is none, out. Tables are found by their
//! number: the policy lists its objects in file order.

use super::entries;
use super::fresh::New;
use super::object::{Change, Image, Object, Target};
use super::outline::{Kind, Outline, Section, line_end};
use super::replacement::{Given, Replacement};
use super::splice::Splices;
use super::table::{Table, Unfit, newline_of};
use crate::policy::Policy;
use crate::policy::subject::Assignment;
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
        let mut new = New::of(self.kind().key(), newline);
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
        let mut editor = Replacement {
            text: self.current.text,
            outline: self.outline,
            table,
            within,
            others: Splices::default(),
        };
        match (image, object) {
            (Image::IpAcl(old), Object::IpAcl(new)) => {
                let removals = entries::changes(old, new, self.current.policy)?;
                editor.acl(old, new, &removals)
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

    /// What to write for an assignment.
    fn acl_change(&self, old: &Option<Assignment>, new: Option<Uuid>) -> Result<Given<'_>, PlanError> {
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
pub(super) fn with_blank_lines(text: &str, range: Range<usize>) -> Range<usize> {
    let behind = text.get(range.end..).unwrap_or_default();
    let before = text.get(..range.start).unwrap_or_default();
    let trimmed = behind.trim_start_matches([' ', '\t', '\r', '\n']);
    if trimmed.is_empty() {
        let kept = before.trim_end_matches([' ', '\t', '\r', '\n']);
        let start = line_end(text.as_bytes(), kept.len());
        return if kept.is_empty() { 0..text.len() } else { start.min(range.start)..text.len() };
    }
    let first_blank = line_end(behind.as_bytes(), 0);
    let parted_before = before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
    match behind.get(..first_blank) {
        // Indentation of what follows is not ours: whole blank lines alone are taken.
        Some(line) if parted_before && line.trim().is_empty() => range.start..range.end + first_blank,
        _ => range,
    }
}
