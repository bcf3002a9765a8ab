//! API keys: `/api/api-key`, `ipAccessControlListId`.
//!
//! A key is made here, or brought along by whoever registers one that the upstream knows. It is in the answer to its creation and
//! nowhere else: the file has its hash. It cannot be changed afterwards; a `key` in an update is ignored. What FusionAuth
//! keeps of a key beside (permissions, expiry) is the upstream's.

use super::acl_of;
use crate::admin::call::{Call, now};
use crate::admin::errors::Errors;
use crate::admin::fields::Fields;
use crate::admin::ip_acl::{canonical_uuid, shown};
use crate::admin::resource::{Draft, Resource};
use crate::admin::search::Keys;
use crate::admin::wire;
use crate::policy::subject::{ApiKey, ApiKeyHash};
use crate::store::Snapshot;
use crate::store::edit::{ApiKeyObject, Change, Object};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

/// Random bytes of a key; 64 characters.
const KEY_BYTES: usize = 48;

/// The kind.
#[derive(Debug)]
pub struct ApiKeys;

impl Resource for ApiKeys {
    type Item = ApiKey;

    const NAME: &'static str = "apiKey";
    const PLURAL: &'static str = "apiKeys";
    const ID: &'static str = "apiKeyId";

    fn canonical_id(text: &str) -> Option<String> {
        canonical_uuid(text)
    }

    fn all(snapshot: &Snapshot) -> impl Iterator<Item = Self::Item> {
        snapshot.policy.parts().api_keys.iter().cloned()
    }

    fn find(snapshot: &Snapshot, id: &str) -> Option<Self::Item> {
        let id: Uuid = id.parse().ok()?;
        snapshot.policy.parts().api_keys.iter().find(|key| key.id == id).cloned()
    }

    fn keys(item: &Self::Item, file_time: i64) -> Keys {
        let (inserted, updated) = wire::key_instants(item);
        Keys {
            id: item.id.to_string(),
            name: item.name.to_string(),
            insert_instant: inserted.unwrap_or(file_time),
            last_update_instant: updated.unwrap_or(file_time),
        }
    }

    fn show(item: &Self::Item, file_time: i64) -> Value {
        shown(&wire::api_key(item, file_time))
    }

    fn read(
        fields: &Fields<'_>,
        call: &Call<'_>,
        (id, existing): (&str, Option<&Self::Item>),
        errors: &mut Errors,
    ) -> Option<Draft> {
        let name = fields.name(errors).unwrap_or(id);
        let mut others = call.snapshot.policy.parts().api_keys.iter().filter(|key| key.id.to_string() != id);
        if others.any(|key| *key.name == *name) {
            errors.field(
                "duplicate",
                fields.path("name"),
                format!("there is an API key with the name `{name}`"),
            );
        }
        let acl = acl_of(fields, "ipAccessControlListId", call, errors);
        let (hash, secret) = match existing {
            Some(key) => (key.hash, None),
            None => {
                let key = new_key(fields, call, errors)?;
                (ApiKeyHash::of(key.as_bytes()), Some(key))
            }
        };
        let inserted = existing.map_or_else(now, |key| wire::key_instants(key).0.unwrap_or(call.file_time));
        let object = Object::ApiKey(ApiKeyObject {
            id: id.parse().ok()?,
            name: name.to_owned(),
            hash,
            ip_acl: acl,
            insert_instant: Some(inserted),
            last_update_instant: Some(now().max(inserted)),
            data: existing.and_then(wire::key_data),
        });
        Some(Draft { object, secret })
    }

    fn deletion(item: &Self::Item) -> Change {
        Change::DeleteApiKey(item.id)
    }

    fn users(_: &Snapshot, _: &Self::Item) -> Vec<String> {
        Vec::new()
    }
}

/// The key that came along, or a random one; `None` only with errors.
fn new_key(fields: &Fields<'_>, call: &Call<'_>, errors: &mut Errors) -> Option<String> {
    let before = errors.field_errors.len();
    let Some(key) = fields.text("key", errors) else {
        return if errors.field_errors.len() == before { random_key() } else { None };
    };
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        // It could never come in a header field.
        errors.field("invalid", fields.path("key"), "expected visible ASCII characters, without blanks");
        return None;
    }
    if call.snapshot.policy.api_key(&ApiKeyHash::of(key.as_bytes())).is_some() {
        errors.field("duplicate", fields.path("key"), "this key is there already");
    }
    Some(key.to_owned())
}

fn random_key() -> Option<String> {
    let mut bytes = [0; KEY_BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Some(URL_SAFE_NO_PAD.encode(bytes)),
        Err(error) => {
            tracing::error!(%error, "the system has no random bytes");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_keys_are_long_and_unlike() {
        let (one, other) = (random_key().unwrap(), random_key().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
