//! PATCH in its three forms: the object as it is and a patch in, the request document that a PUT would have had out.
//!
//! | `Content-Type` | what it does |
//! | --- | --- |
//! | `application/json` | merges: objects into objects, lists behind lists, `null` removes |
//! | `application/json-patch+json` | RFC 6902, on the request document: `/ipAccessControlList/name` |
//! | `application/merge-patch+json` | RFC 7396 |
//!
//! INVARIANT: a patch is bounded in operations, and what it makes in size and depth: a `copy` doubles what is there.
//! The result is validated like any other request; nothing is judged here but whether the patch can be applied.

use super::call::{Call, MediaType};
use super::errors::{Errors, Problem};
use super::fields::{self, Object};
use serde_json::Value;

/// Operations of one RFC 6902 patch.
const OPERATIONS: usize = 1000;
/// Values in what a patch makes.
const VALUES: usize = 1_000_000;
/// Levels in what a patch makes; what the JSON parser takes.
const LEVELS: usize = 127;

/// The request document after the patch.
///
/// # Errors
/// Not a patch, or not one for this document.
pub fn apply(call: &Call<'_>, document: Value) -> Result<Object, Problem> {
    let mut document = document;
    match call.media_type() {
        Some(MediaType::Json) => merge(&mut document, Value::Object(fields::parse(&call.body)?)),
        Some(MediaType::MergePatch) => {
            json_patch::merge(&mut document, &Value::Object(fields::parse(&call.body)?));
        }
        Some(MediaType::JsonPatch) => operate(&mut document, &call.body)?,
        None => {
            let expected = "application/json, application/json-patch+json or application/merge-patch+json";
            return Err(Problem::MediaType(expected));
        }
    }
    match document {
        Value::Object(object) => Ok(object),
        _ => Err(invalid("the document is no object any more")),
    }
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::Invalid(Errors::general("invalidPatch", message))
}

/// FusionAuth's own form.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                match target.get_mut(&name) {
                    _ if value.is_null() => drop(target.shift_remove(&name)),
                    Some(existing) => merge(existing, value),
                    None => drop(target.insert(name, value)),
                }
            }
        }
        (Value::Array(target), Value::Array(more)) => target.extend(more),
        (target, value) => *target = value,
    }
}

fn operate(document: &mut Value, body: &[u8]) -> Result<(), Problem> {
    let patch: json_patch::Patch = serde_json::from_slice(body)
        .map_err(|error| Problem::Invalid(Errors::general("invalidJSON", error.to_string())))?;
    if patch.0.len() > OPERATIONS {
        return Err(invalid(format!("a patch has at most {OPERATIONS} operations")));
    }
    for operation in &patch.0 {
        json_patch::patch(document, std::slice::from_ref(operation))
            .map_err(|error| invalid(error.to_string()))?;
        let mut left = VALUES;
        if !fits(document, LEVELS, &mut left) {
            return Err(invalid("the document would be too large"));
        }
    }
    Ok(())
}

/// Whether a value has so few values and levels.
fn fits(value: &Value, levels: usize, left: &mut usize) -> bool {
    let (Some(levels), Some(rest)) = (levels.checked_sub(1), left.checked_sub(1)) else { return false };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| fits(item, levels, left)),
        Value::Object(object) => object.values().all(|item| fits(item, levels, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({ "acl": { "name": "a", "entries": [1], "data": { "x": 1, "y": { "z": 2 } } } })
    }

    #[test]
    fn merging() {
        let cases = [
            (json!({}), document()),
            (
                json!({ "acl": { "name": "b" } }),
                json!({ "acl": { "name": "b", "entries": [1], "data": { "x": 1, "y": { "z": 2 } } } }),
            ),
            (
                json!({ "acl": { "entries": [2, 3] } }),
                json!({ "acl": { "name": "a", "entries": [1, 2, 3], "data": { "x": 1, "y": { "z": 2 } } } }),
            ),
            (
                json!({ "acl": { "data": { "x": null, "y": { "w": 3 } } } }),
                json!({ "acl": { "name": "a", "entries": [1], "data": { "y": { "z": 2, "w": 3 } } } }),
            ),
            (
                json!({ "acl": { "data": null, "none": null } }),
                json!({ "acl": { "name": "a", "entries": [1] } }),
            ),
        ];
        for (patch, expected) in cases {
            let mut target = document();
            merge(&mut target, patch.clone());
            assert_eq!(target, expected, "{patch}");
        }
    }

    fn operated(patch: &Value) -> Result<Value, Problem> {
        let mut target = document();
        operate(&mut target, patch.to_string().as_bytes()).map(|()| target)
    }

    #[test]
    fn operations() {
        let patch = json!([
            { "op": "test", "path": "/acl/name", "value": "a" },
            { "op": "replace", "path": "/acl/name", "value": "b" },
            { "op": "add", "path": "/acl/entries/-", "value": 2 },
            { "op": "remove", "path": "/acl/data" },
        ]);
        assert_eq!(operated(&patch).unwrap(), json!({ "acl": { "name": "b", "entries": [1, 2] } }));
        for patch in [
            json!([{ "op": "test", "path": "/acl/name", "value": "x" }]),
            json!([{ "op": "remove", "path": "/acl/none" }]),
            json!([{ "op": "dance", "path": "/acl" }]),
            json!({ "acl": {} }),
            json!("x"),
        ] {
            assert!(matches!(operated(&patch), Err(Problem::Invalid(_))), "{patch}");
        }
    }

    #[test]
    fn a_patch_cannot_blow_up() {
        let wide =
            vec![json!({ "op": "copy", "from": "/acl/entries", "path": "/acl/entries/-" }); OPERATIONS];
        assert!(operated(&Value::Array(wide)).is_err());
        let deep: Vec<_> =
            (0..200).map(|_| json!({ "op": "copy", "from": "/acl", "path": "/acl/data" })).collect();
        assert!(operated(&Value::Array(deep)).is_err());
        let many = vec![json!({ "op": "test", "path": "/acl/name", "value": "a" }); OPERATIONS + 1];
        assert!(operated(&Value::Array(many)).is_err());
    }
}
