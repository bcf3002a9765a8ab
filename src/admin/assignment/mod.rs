//! What ACLs are assigned to: `/api/api-key`, `/api/tenant`, `/api/application`, in FusionAuth's shapes.
//!
//! As much of these objects as concerns ACLs: what else a client sends is ignored, and what else the file says of them (a
//! tenant's hosts, a `mode`) stays. An object that the file does not list does not exist here, whatever the upstream has.

mod api_key;
mod application;
mod tenant;

pub use api_key::ApiKeys;
pub use application::Applications;
pub use tenant::Tenants;

use super::call::Call;
use super::errors::Errors;
use super::fields::Fields;
use super::ip_acl;
use crate::policy::uuid::lenient_uuid;
use uuid::Uuid;

/// The field of an ACL's id that a tenant's or application's configuration has.
const UI_ACL: &str = "uiIPAccessControlListId";

/// The ACL that a field names, which must be there.
fn acl_of(fields: &Fields<'_>, name: &str, call: &Call<'_>, errors: &mut Errors) -> Option<Uuid> {
    let id = fields.uuid(name, errors)?;
    if ip_acl::find(&call.snapshot, id).is_none() {
        errors.field("invalid", fields.path(name), format!("there is no IP ACL with the id `{id}`"));
    }
    Some(id)
}

/// The ACL of a tenant or application.
fn ui_acl(fields: &Fields<'_>, call: &Call<'_>, errors: &mut Errors) -> Option<Uuid> {
    let configuration = fields.within("accessControlConfiguration", errors);
    acl_of(&configuration, UI_ACL, call, errors)
}

/// The id of a tenant or application: any text without control characters or blanks around it; a UUID in its usual form.
fn canonical_id(text: &str) -> Option<String> {
    if let Some(id) = lenient_uuid(text) {
        return Some(Uuid::from_u128(id).to_string());
    }
    let fine = !text.is_empty() && text.trim() == text && !text.contains(char::is_control);
    fine.then(|| text.to_owned())
}
