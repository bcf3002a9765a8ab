//! Tenants: `/api/tenant`, `accessControlConfiguration.uiIPAccessControlListId`.

use super::{canonical_id, ui_acl};
use crate::admin::call::Call;
use crate::admin::errors::Errors;
use crate::admin::fields::Fields;
use crate::admin::ip_acl::shown;
use crate::admin::resource::{Draft, Resource};
use crate::admin::search::Keys;
use crate::admin::wire;
use crate::policy::subject::Tenant;
use crate::store::Snapshot;
use crate::store::edit::{Change, Object, TenantObject};
use serde_json::Value;
use std::sync::Arc;

/// The kind.
#[derive(Debug)]
pub struct Tenants;

impl Resource for Tenants {
    type Item = Arc<Tenant>;

    const NAME: &'static str = "tenant";
    const PLURAL: &'static str = "tenants";
    const ID: &'static str = "tenantId";

    fn canonical_id(text: &str) -> Option<String> {
        canonical_id(text)
    }

    fn all(snapshot: &Snapshot) -> impl Iterator<Item = Self::Item> {
        snapshot.policy.parts().tenants.iter().cloned()
    }

    fn find(snapshot: &Snapshot, id: &str) -> Option<Self::Item> {
        let found = snapshot.policy.tenants().listed(id)?;
        snapshot.policy.parts().tenants.iter().find(|tenant| tenant.id == found.id).cloned()
    }

    fn keys(item: &Self::Item, file_time: i64) -> Keys {
        Keys {
            id: item.id.to_string(),
            name: item.name.to_string(),
            insert_instant: file_time,
            last_update_instant: file_time,
        }
    }

    fn show(item: &Self::Item, _: i64) -> Value {
        shown(&wire::tenant(item))
    }

    fn read(
        fields: &Fields<'_>,
        call: &Call<'_>,
        (id, existing): (&str, Option<&Self::Item>),
        errors: &mut Errors,
    ) -> Option<Draft> {
        // The file may write the id in another form.
        let id = existing.map_or(id, |tenant| &*tenant.id);
        let name = fields.required_name(errors);
        // Names and ids of tenants are one namespace.
        let other = name.and_then(|name| call.snapshot.policy.tenants_by_name().listed(name));
        if let Some(other) = other.filter(|other| *other.id != *id) {
            errors.field("duplicate", fields.path("name"), format!("this means the tenant `{}`", other.id));
        }
        if existing.is_none() && call.snapshot.policy.tenants_by_name().listed(id).is_some() {
            errors.field("duplicate", fields.path("id"), "there is a tenant with this id or name");
        }
        let ip_acl = ui_acl(fields, call, errors);
        let object = TenantObject { id: id.to_owned(), name: name?.to_owned(), ip_acl };
        Some(Draft { object: Object::Tenant(object), secret: None })
    }

    fn deletion(item: &Self::Item) -> Change {
        Change::DeleteTenant(item.id.to_string())
    }

    fn users(snapshot: &Snapshot, item: &Self::Item) -> Vec<String> {
        let applications = snapshot.policy.parts().applications.iter();
        let its = |tenant: Option<&Arc<Tenant>>| tenant.is_some_and(|tenant| tenant.id == item.id);
        let its = applications.filter(|application| its(application.tenant.as_ref()));
        its.map(|application| format!("application `{}`", application.name)).collect()
    }
}
