//! The objects of the management API as they travel, in FusionAuth's shapes; policy objects in, JSON out.
//!
//! Requests have the same shapes, but are read field by field ([`fields`](super::fields)); these types describe both in the
//! OpenAPI document. What of an object has nothing to do with ACLs is left out of answers and ignored in requests.

use crate::policy::acl::{Action, Details, Entry, IpAcl};
use crate::policy::geo::Origin;
use crate::policy::moment::Moment;
use crate::policy::subject::{ApiKey, Application, Assignment, Tenant};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What an entry does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub enum EntryAction {
    /// Allows all addresses in the range.
    Allow,
    /// Blocks all addresses in the range.
    Block,
}

impl From<Action> for EntryAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Allow => Self::Allow,
            Action::Block => Self::Block,
        }
    }
}

/// A range of addresses and what is done with them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IPAccessControlEntry {
    /// What the entry does.
    pub action: EntryAction,
    /// The first address, or `*` for the default; requests may give a CIDR block here, and no end.
    #[serde(rename = "startIPAddress")]
    #[schema(examples("198.51.100.0"))]
    pub start: String,
    /// The last address; the default has none.
    #[serde(rename = "endIPAddress", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("198.51.100.255"))]
    pub end: Option<String>,
    /// From this instant on, in milliseconds since 1970, the entry is as if it were not there. Where a request leaves it
    /// out, an entry that is there already keeps its own; `null` takes it away. So do `note` and `owner`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_instant: Option<i64>,
    /// What the entry is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub note: Option<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub owner: Option<String>,
}

/// A named list of ranges, with one default.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "name": "office-only",
    "entries": [
        { "action": "Block", "startIPAddress": "*" },
        { "action": "Allow", "startIPAddress": "198.51.100.0", "endIPAddress": "198.51.100.255" },
    ],
})))]
pub struct IPAccessControlList {
    /// The unique name.
    #[schema(min_length = 1, max_length = 191)]
    pub name: String,
    /// The entries; exactly one has the start `*`.
    #[schema(min_items = 1)]
    pub entries: Vec<IPAccessControlEntry>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uuid")]
    pub id: Option<String>,
    /// When it was made, in milliseconds since 1970; ignored in requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub insert_instant: Option<i64>,
    /// When it was last changed, in milliseconds since 1970; ignored in requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_update_instant: Option<i64>,
    /// What its author keeps with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
    /// Countries and autonomous systems; they are changed in the file alone.
    #[serde(flatten)]
    pub geography: Geography,
}

/// The countries and autonomous systems of an ACL, beside its entries.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Geography {
    /// Countries that are allowed, as codes of ISO 3166-1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(read_only)]
    pub allow_countries: Vec<String>,
    /// Countries that are blocked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(read_only)]
    pub block_countries: Vec<String>,
    /// Autonomous systems that are allowed.
    #[serde(rename = "allowASNs", skip_serializing_if = "Vec::is_empty")]
    #[schema(read_only)]
    pub allow_asns: Vec<u32>,
    /// Autonomous systems that are blocked.
    #[serde(rename = "blockASNs", skip_serializing_if = "Vec::is_empty")]
    #[schema(read_only)]
    pub block_asns: Vec<u32>,
}

impl Geography {
    /// The names of its fields.
    pub const FIELDS: [&'static str; 4] = ["allowCountries", "blockCountries", "allowASNs", "blockASNs"];

    /// That of an ACL.
    pub fn of(acl: &IpAcl) -> Self {
        let mut geography = Self::default();
        for (origin, action) in acl.origins() {
            match (origin, action) {
                (Origin::Country(code), Action::Allow) => geography.allow_countries.push(code.to_string()),
                (Origin::Country(code), Action::Block) => geography.block_countries.push(code.to_string()),
                (Origin::Asn(number), Action::Allow) => geography.allow_asns.push(*number),
                (Origin::Asn(number), Action::Block) => geography.block_asns.push(*number),
                (Origin::Unread(_), _) => {}
            }
        }
        geography
    }
}

/// An API key.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct APIKey {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uuid")]
    pub id: Option<String>,
    /// The unique name; the id where a request has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The key, in the answer to its creation alone. A request may bring the key of an upstream; absent: a random one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[!-~]+$")]
    pub key: Option<String>,
    /// The ACL on its use.
    #[serde(rename = "ipAccessControlListId", skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    pub acl_id: Option<String>,
    /// When it was made, in milliseconds since 1970; ignored in requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub insert_instant: Option<i64>,
    /// When it was last changed, in milliseconds since 1970; ignored in requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_update_instant: Option<i64>,
}

/// Without the key.
impl std::fmt::Debug for APIKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("APIKey").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// The ACL of a tenant's or application's sign-on pages.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct AccessControlConfiguration {
    /// The ACL's id.
    #[serde(rename = "uiIPAccessControlListId", skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    pub acl_id: Option<String>,
}

/// A tenant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantObject {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<String>,
    /// The unique name.
    #[schema(min_length = 1, max_length = 191)]
    pub name: String,
    /// Its ACL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_configuration: Option<AccessControlConfiguration>,
}

/// An application, that is an OAuth client.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationObject {
    /// The OAuth `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<String>,
    /// Its name.
    #[schema(min_length = 1, max_length = 191)]
    pub name: String,
    /// The tenant that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Its ACL; without one its tenant's holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_configuration: Option<AccessControlConfiguration>,
}

/// An ACL. `file_time` stands in for instants that the file does not give.
pub fn acl(acl: &IpAcl, file_time: i64) -> IPAccessControlList {
    let default = everybody(acl.default_action());
    let ranges = acl.written().into_iter().map(|(range, details)| entry(&range, details));
    IPAccessControlList {
        name: acl.name().to_string(),
        entries: std::iter::once(default).chain(ranges).collect(),
        id: Some(acl.id().to_string()),
        insert_instant: Some(acl.insert_instant().unwrap_or(file_time)),
        last_update_instant: Some(acl.last_update_instant().unwrap_or(file_time)),
        data: acl.data().cloned(),
        geography: Geography::of(acl),
    }
}

/// An entry.
pub fn entry(entry: &Entry, details: Option<&Details>) -> IPAccessControlEntry {
    let details = details.cloned().unwrap_or_default();
    IPAccessControlEntry {
        action: entry.action.into(),
        start: entry.range.start().to_string(),
        end: Some(entry.range.end().to_string()),
        expiration_instant: details.expires.map(Moment::millis),
        note: details.note.map(|note| note.to_string()),
        owner: details.owner.map(|owner| owner.to_string()),
    }
}

/// The default, as an entry.
pub fn everybody(action: Action) -> IPAccessControlEntry {
    IPAccessControlEntry {
        action: action.into(),
        start: "*".to_owned(),
        end: None,
        expiration_instant: None,
        note: None,
        owner: None,
    }
}

/// An API key, as far as it may be shown.
pub fn api_key(key: &ApiKey, file_time: i64) -> APIKey {
    let (inserted, updated) = key_instants(key);
    APIKey {
        id: Some(key.id.to_string()),
        name: Some(key.name.to_string()),
        key: None,
        acl_id: acl_id(key.assignment.as_ref()),
        insert_instant: Some(inserted.unwrap_or(file_time)),
        last_update_instant: Some(updated.unwrap_or(file_time)),
    }
}

/// When a key was made and last changed, where the file says so.
pub fn key_instants(key: &ApiKey) -> (Option<i64>, Option<i64>) {
    (key.insert_instant, key.last_update_instant)
}

/// What the author of a key keeps with it.
pub fn key_data(key: &ApiKey) -> Option<Value> {
    key.data.as_deref().cloned()
}

/// A tenant.
pub fn tenant(tenant: &Tenant) -> TenantObject {
    TenantObject {
        id: Some(tenant.id.to_string()),
        name: tenant.name.to_string(),
        access_control_configuration: Some(configuration(tenant.assignment.as_ref())),
    }
}

/// An application.
pub fn application(application: &Application) -> ApplicationObject {
    ApplicationObject {
        id: Some(application.id.to_string()),
        name: application.name.to_string(),
        tenant_id: application.tenant.as_ref().map(|tenant| tenant.id.to_string()),
        access_control_configuration: Some(configuration(application.assignment.as_ref())),
    }
}

fn configuration(assignment: Option<&Assignment>) -> AccessControlConfiguration {
    AccessControlConfiguration { acl_id: acl_id(assignment) }
}

fn acl_id(assignment: Option<&Assignment>) -> Option<String> {
    assignment.map(|assignment| assignment.acl.id().to_string())
}

/// `{ "name": object }`
pub fn wrapped(name: &str, object: &impl Serialize) -> Value {
    // The types of this module always become JSON.
    let value = serde_json::to_value(object).unwrap_or_default();
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}
