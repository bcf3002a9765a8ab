//! Applications: `/api/application`, `accessControlConfiguration.uiIPAccessControlListId`.
//!
//! The tenant is `tenantId` of the application, else the header `X-FusionAuth-TenantId`, as with FusionAuth. Whether a DELETE
//! asks for `hardDelete` makes no difference: the gateway knows no inactive applications.

use super::{canonical_id, ui_acl};
use crate::admin::call::Call;
use crate::admin::errors::Errors;
use crate::admin::fields::Fields;
use crate::admin::ip_acl::shown;
use crate::admin::resource::{Draft, Resource};
use crate::admin::search::Keys;
use crate::admin::wire;
use crate::policy::subject::Application;
use crate::store::Snapshot;
use crate::store::edit::{ApplicationObject, Change, Object};
use serde_json::Value;
use std::sync::Arc;

/// The header by which FusionAuth's clients choose a tenant.
const TENANT_HEADER: &str = "x-fusionauth-tenantid";

/// The kind.
#[derive(Debug)]
pub struct Applications;

impl Resource for Applications {
    type Item = Arc<Application>;

    const NAME: &'static str = "application";
    const PLURAL: &'static str = "applications";
    const ID: &'static str = "applicationId";

    fn canonical_id(text: &str) -> Option<String> {
        canonical_id(text)
    }

    fn all(snapshot: &Snapshot) -> impl Iterator<Item = Self::Item> {
        snapshot.policy.parts().applications.iter().cloned()
    }

    fn find(snapshot: &Snapshot, id: &str) -> Option<Self::Item> {
        let found = snapshot.policy.applications().listed(id)?;
        snapshot.policy.parts().applications.iter().find(|application| application.id == found.id).cloned()
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
        shown(&wire::application(item))
    }

    fn read(
        fields: &Fields<'_>,
        call: &Call<'_>,
        (id, existing): (&str, Option<&Self::Item>),
        errors: &mut Errors,
    ) -> Option<Draft> {
        // The file may write the id in another form.
        let id = existing.map_or(id, |application| &*application.id);
        let name = fields.required_name(errors);
        let tenant = tenant(fields, call, errors);
        let ip_acl = ui_acl(fields, call, errors);
        let object = ApplicationObject { id: id.to_owned(), name: name?.to_owned(), tenant, ip_acl };
        Some(Draft { object: Object::Application(object), secret: None })
    }

    fn deletion(item: &Self::Item) -> Change {
        Change::DeleteApplication(item.id.to_string())
    }

    fn users(_: &Snapshot, _: &Self::Item) -> Vec<String> {
        Vec::new()
    }
}

/// The id of the tenant, as the file writes it.
fn tenant(fields: &Fields<'_>, call: &Call<'_>, errors: &mut Errors) -> Option<String> {
    let header = || call.headers.get(TENANT_HEADER).and_then(|value| value.to_str().ok());
    let id = fields.text("tenantId", errors).or_else(header)?;
    let found = call.snapshot.policy.tenants().listed(id).map(|tenant| tenant.id.to_string());
    if found.is_none() {
        errors.field("invalid", fields.path("tenantId"), "there is no tenant with this id");
    }
    found
}
