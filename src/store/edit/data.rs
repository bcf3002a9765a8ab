//! `data`, which its author keeps with an object and we give back as it came: JSON → TOML.
//!
//! What TOML can say is written as TOML, in one line (`data = { owner = "ops" }`). What it cannot say (null, whole
//! numbers beyond 64 bits with sign, very deep nesting) is written whole as a JSON text: `data_json = '{"owner":null}'`.
//! Either way the reader makes the same JSON of it, to the order of keys.

use serde_json::Value as Json;
use toml_edit::{Array, InlineTable, Value};

/// Nesting beyond this is left to JSON.
const DEEPEST: usize = 32;

/// How `data` is written.
#[derive(Debug)]
pub(super) enum Data {
    /// `data`
    Toml(Value),
    /// `data_json`
    Json(String),
}

impl Data {
    /// The form that says it all.
    pub(super) fn of(json: &Json) -> Self {
        toml(json, DEEPEST).map_or_else(|| Self::Json(json.to_string()), Self::Toml)
    }
}

fn toml(json: &Json, depth: usize) -> Option<Value> {
    let deeper = depth.checked_sub(1)?;
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None if number.is_u64() => return None,
            None => Value::from(number.as_f64()?),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            let mut array = Array::new();
            for item in items {
                array.push(toml(item, deeper)?);
            }
            Value::from(array)
        }
        Json::Object(members) => {
            let mut table = InlineTable::new();
            for (key, value) in members {
                table.insert(key, toml(value, deeper)?);
            }
            Value::from(table)
        }
    })
}
