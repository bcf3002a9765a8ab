//! What the management API changes, in its own words: objects without layout, and what is to be done with them.

use crate::policy::Policy;
use crate::policy::acl::{Action, Details, Entry, IpAcl};
use crate::policy::moment::Moment;
use crate::policy::range::AddressRange;
use crate::policy::subject::{ApiKey, ApiKeyHash, Application, Assignment, Tenant};
use serde_json::Value as Json;
use std::sync::Arc;
use uuid::Uuid;

/// An object of the policy as it is to be.
#[derive(Clone, PartialEq, Debug)]
pub enum Object {
    /// `[[ip_acl]]`
    IpAcl(IpAclObject),
    /// `[[api_key]]`
    ApiKey(ApiKeyObject),
    /// `[[tenant]]`
    Tenant(TenantObject),
    /// `[[application]]`
    Application(ApplicationObject),
}

/// An IP ACL.
#[derive(Clone, PartialEq, Debug)]
pub struct IpAclObject {
    /// Its id, which never changes.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What holds for an address that no entry covers.
    pub default: Action,
    /// Every entry, those of its list files and those that have expired included.
    pub entries: Vec<EntryObject>,
    /// When it was made, in milliseconds since 1970.
    pub insert_instant: Option<i64>,
    /// When it was last changed, in milliseconds since 1970.
    pub last_update_instant: Option<i64>,
    /// What its author keeps with it.
    pub data: Option<Json>,
}

/// An entry of an IP ACL, wherever it stands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EntryObject {
    /// The addresses that it covers.
    pub range: AddressRange,
    /// What it does with them.
    pub action: Action,
    /// What it carries beside the range.
    pub details: Details,
}

impl EntryObject {
    /// An entry that carries nothing but its range.
    pub fn plain(range: AddressRange, action: Action) -> Self {
        Self { range, action, details: Details::default() }
    }

    /// An entry of a policy.
    pub(super) fn of(entry: &Entry, details: Option<&Details>) -> Self {
        Self { range: entry.range, action: entry.action, details: details.cloned().unwrap_or_default() }
    }
}

/// An API key.
#[derive(Clone, PartialEq, Debug)]
pub struct ApiKeyObject {
    /// Its id, which never changes.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The hash of the key.
    pub hash: ApiKeyHash,
    /// The id of its ACL.
    pub ip_acl: Option<Uuid>,
    /// When it was made, in milliseconds since 1970.
    pub insert_instant: Option<i64>,
    /// When it was last changed, in milliseconds since 1970.
    pub last_update_instant: Option<i64>,
    /// What its author keeps with it.
    pub data: Option<Json>,
}

/// A tenant, as far as ACLs are concerned: hosts and whether it is the default stay as the file has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantObject {
    /// Its id, which never changes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its ACL.
    pub ip_acl: Option<Uuid>,
}

/// An application, as far as ACLs are concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplicationObject {
    /// Its id, which never changes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its tenant.
    pub tenant: Option<String>,
    /// The id of its ACL.
    pub ip_acl: Option<Uuid>,
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A new object.
    Create(Object),
    /// An object in the place of the one with its id.
    Replace(Object),
    /// An IP ACL goes; nothing may refer to it.
    DeleteIpAcl(Uuid),
    /// An API key goes.
    DeleteApiKey(Uuid),
    /// A tenant goes; nothing may refer to it.
    DeleteTenant(String),
    /// An application goes.
    DeleteApplication(String),
}

/// Which object a change is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    IpAcl(Uuid),
    ApiKey(Uuid),
    Tenant(String),
    Application(String),
}

impl Change {
    pub(super) fn target(&self) -> Target {
        match self {
            Self::Create(object) | Self::Replace(object) => match object {
                Object::IpAcl(acl) => Target::IpAcl(acl.id),
                Object::ApiKey(key) => Target::ApiKey(key.id),
                Object::Tenant(tenant) => Target::Tenant(tenant.id.clone()),
                Object::Application(application) => Target::Application(application.id.clone()),
            },
            Self::DeleteIpAcl(id) => Target::IpAcl(*id),
            Self::DeleteApiKey(id) => Target::ApiKey(*id),
            Self::DeleteTenant(id) => Target::Tenant(id.clone()),
            Self::DeleteApplication(id) => Target::Application(id.clone()),
        }
    }
}

/// An object as a policy has it, kept beyond the policy's life.
#[derive(Clone, Debug)]
pub(super) enum Image {
    IpAcl(Arc<IpAcl>),
    ApiKey(ApiKey),
    Tenant(Arc<Tenant>),
    Application(Arc<Application>),
}

impl Target {
    /// For messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::IpAcl(id) => format!("the IP ACL `{id}`"),
            Self::ApiKey(id) => format!("the API key `{id}`"),
            Self::Tenant(id) => format!("the tenant `{}`", id.escape_debug()),
            Self::Application(id) => format!("the application `{}`", id.escape_debug()),
        }
    }

    /// The object in a policy, and the how manieth of its kind it is. Cost: linear in the objects of the kind.
    pub(super) fn find(&self, policy: &Policy) -> Option<(usize, Image)> {
        let parts = policy.parts();
        match self {
            Self::IpAcl(id) => {
                let at = parts.acls.iter().position(|acl| acl.id() == *id)?;
                Some((at, Image::IpAcl(Arc::clone(parts.acls.get(at)?))))
            }
            Self::ApiKey(id) => {
                let at = parts.api_keys.iter().position(|key| key.id == *id)?;
                Some((at, Image::ApiKey(parts.api_keys.get(at)?.clone())))
            }
            Self::Tenant(id) => {
                let at = parts.tenants.iter().position(|tenant| *tenant.id == **id)?;
                Some((at, Image::Tenant(Arc::clone(parts.tenants.get(at)?))))
            }
            Self::Application(id) => {
                let at = parts.applications.iter().position(|application| *application.id == **id)?;
                Some((at, Image::Application(Arc::clone(parts.applications.get(at)?))))
            }
        }
    }
}

fn same_assignment(one: &Option<Assignment>, other: &Option<Assignment>) -> bool {
    let facts =
        |assignment: &Option<Assignment>| assignment.as_ref().map(|given| (given.acl.id(), given.mode));
    facts(one) == facts(other)
}

impl Image {
    /// Whether nothing about the object differs that the file says of it. The places of entries do not count.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::IpAcl(one), Self::IpAcl(other)) => {
                let about = |acl: &IpAcl| {
                    (
                        acl.id(),
                        Arc::clone(acl.name()),
                        acl.default_action(),
                        acl.insert_instant(),
                        acl.last_update_instant(),
                    )
                };
                about(one) == about(other)
                    && one.data() == other.data()
                    && one.origins() == other.origins()
                    && same_entries(entries_of(one), entries_of(other))
            }
            (Self::ApiKey(one), Self::ApiKey(other)) => {
                let about = |key: &ApiKey| {
                    let instants = (key.insert_instant, key.last_update_instant);
                    (key.id, Arc::clone(&key.name), key.hash, instants, key.data.clone())
                };
                about(one) == about(other) && same_assignment(&one.assignment, &other.assignment)
            }
            (Self::Tenant(one), Self::Tenant(other)) => {
                (&one.id, &one.name, &one.hosts, one.default)
                    == (&other.id, &other.name, &other.hosts, other.default)
                    && same_assignment(&one.assignment, &other.assignment)
            }
            (Self::Application(one), Self::Application(other)) => {
                let tenant = |application: &Application| {
                    application.tenant.as_ref().map(|tenant| Arc::clone(&tenant.id))
                };
                (&one.id, &one.name, tenant(one)) == (&other.id, &other.name, tenant(other))
                    && same_assignment(&one.assignment, &other.assignment)
            }
            _ => false,
        }
    }

    /// Whether it is what was asked for.
    pub(super) fn is_object(&self, object: &Object) -> bool {
        let acl = |assignment: &Option<Assignment>| assignment.as_ref().map(|given| given.acl.id());
        match (self, object) {
            (Self::IpAcl(acl), Object::IpAcl(object)) => {
                let instants = (acl.insert_instant(), acl.last_update_instant());
                **acl.name() == *object.name
                    && acl.default_action() == object.default
                    && instants == (object.insert_instant, object.last_update_instant)
                    && acl.data() == object.data.as_ref()
                    && same_entries(entries_of(acl), object.entries.clone())
            }
            (Self::ApiKey(key), Object::ApiKey(object)) => {
                let instants = (key.insert_instant, key.last_update_instant);
                (*key.name == *object.name, key.hash) == (true, object.hash)
                    && acl(&key.assignment) == object.ip_acl
                    && instants == (object.insert_instant, object.last_update_instant)
                    && key.data.as_deref() == object.data.as_ref()
            }
            (Self::Tenant(tenant), Object::Tenant(object)) => {
                *tenant.name == *object.name && acl(&tenant.assignment) == object.ip_acl
            }
            (Self::Application(application), Object::Application(object)) => {
                let tenant = application.tenant.as_ref().map(|tenant| &*tenant.id);
                *application.name == *object.name
                    && tenant == object.tenant.as_deref()
                    && acl(&application.assignment) == object.ip_acl
            }
            _ => false,
        }
    }
}

/// Every entry of an ACL, in force or not.
pub(super) fn entries_of(acl: &IpAcl) -> Vec<EntryObject> {
    acl.written().iter().map(|(entry, details)| EntryObject::of(entry, *details)).collect()
}

/// Whether two lists have the same entries, in whatever order.
fn same_entries(mut one: Vec<EntryObject>, mut other: Vec<EntryObject>) -> bool {
    let order = |one: &EntryObject, other: &EntryObject| {
        fn plain(entry: &EntryObject) -> (AddressRange, bool) {
            (entry.range, entry.action == Action::Block)
        }
        fn details(entry: &EntryObject) -> (Option<Moment>, &Option<Arc<str>>, &Option<Arc<str>>) {
            let Details { expires, note, owner } = &entry.details;
            (*expires, note, owner)
        }
        plain(one).cmp(&plain(other)).then_with(|| details(one).cmp(&details(other)))
    };
    one.sort_unstable_by(order);
    other.sort_unstable_by(order);
    one == other
}
