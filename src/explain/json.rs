//! The JSON of `POST /api/explain` and `aclgate explain --json` (SPEC §7): questions in, explanations out.
//!
//! The same object for both, so there is one place where it is made. Wire shapes only; no decision is made here.

use super::{Client, Explanation, Question, QuestionError};
use crate::policy::acl::Action;
use crate::policy::decide::Effect;
use crate::policy::subject::Mode;
use crate::telemetry::{CheckReport, EntryReport};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// A body that is not a question.
#[derive(Debug, thiserror::Error)]
pub enum InvalidQuestion {
    /// Not JSON, or not this object.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A field whose value cannot be used.
    #[error("{error}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        error: QuestionError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct QuestionDocument {
    /// `null` is a client whose address cannot be determined; absent is an error.
    #[serde(rename = "clientIPAddress", deserialize_with = "Option::deserialize")]
    client_ip_address: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default, deserialize_with = "headers")]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: Option<String>,
}

/// Reads a question. `headers` is an object of strings or of lists of strings.
///
/// # Errors
/// Says what is wrong and where.
pub fn question_from_json(text: &[u8]) -> Result<Question, InvalidQuestion> {
    let QuestionDocument { client_ip_address, method, path, headers, body } = serde_json::from_slice(text)?;
    let at = |field| move |error| InvalidQuestion::Field { field, error };
    let client = client_ip_address
        .map_or(Ok(Client::Undetermined), |text| Client::parse(&text))
        .map_err(at("clientIPAddress"))?;
    let mut question = Question::new(client)
        .with_method(method.as_deref().unwrap_or("GET"))
        .map_err(at("method"))?
        .with_target(path.as_deref().unwrap_or("/"))
        .map_err(at("path"))?
        .with_body(body.unwrap_or_default());
    for (name, value) in headers {
        question = question.with_header(&name, &value).map_err(at("headers"))?;
    }
    Ok(question)
}

fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let object = Option::<Map<String, Value>>::deserialize(deserializer)?.unwrap_or_default();
    let mut lines = Vec::new();
    for (name, value) in object {
        let values = match value {
            Value::Array(values) => values,
            other => vec![other],
        };
        for value in values {
            let Value::String(value) = value else {
                let message = format!("header `{name}`: expected a string or a list of strings");
                return Err(serde::de::Error::custom(message));
            };
            lines.push((name.clone(), value));
        }
    }
    Ok(lines)
}

/// The object that answers a question.
pub fn to_json(explanation: &Explanation) -> Value {
    let decision = match explanation.effect() {
        Effect::Allow => "allow",
        Effect::Block => "block",
    };
    let mut object = json!({
        "clientIPAddress": explanation.client.map(|address| address.to_string()),
        "decision": decision,
    });
    if let Some(object) = object.as_object_mut() {
        match explanation.cause() {
            Some(cause) => object.extend(check_fields(cause)),
            None => object.extend(
                ["subject", "ipAccessControlList", "entry"].map(|name| (name.to_owned(), Value::Null)),
            ),
        }
        object.insert("checks".to_owned(), explanation.checks.iter().map(check_object).collect());
        object.insert("response".to_owned(), json!({ "status": explanation.status() }));
    }
    object
}

fn check_object(check: &CheckReport) -> Value {
    let decision = match check.action {
        Action::Allow => "allow",
        Action::Block => "block",
    };
    let mut object = Map::from_iter([("decision".to_owned(), Value::from(decision))]);
    object.extend(check_fields(check));
    if check.mode == Mode::Report {
        object.insert("mode".to_owned(), Value::from("report"));
    }
    Value::Object(object)
}

fn check_fields(check: &CheckReport) -> [(String, Value); 3] {
    let acl = check.acl.as_ref().map(|(id, name)| json!({ "id": id.to_string(), "name": **name }));
    [
        ("subject".to_owned(), json!({ "kind": check.kind.label(), "id": check.id, "name": check.name })),
        ("ipAccessControlList".to_owned(), acl.unwrap_or(Value::Null)),
        ("entry".to_owned(), entry(check)),
    ]
}

/// An entry as the management API shows it; the default entry has `*` and no end. Without an ACL there is none,
/// but an undetermined client always shows its Block.
fn entry(check: &CheckReport) -> Value {
    let action = match check.action {
        Action::Allow => "Allow",
        Action::Block => "Block",
    };
    match &check.entry {
        EntryReport::Range { entry, details, .. } => {
            let mut object = Map::from_iter([
                ("action".to_owned(), Value::from(action)),
                ("startIPAddress".to_owned(), entry.range.start().to_string().into()),
                ("endIPAddress".to_owned(), entry.range.end().to_string().into()),
            ]);
            if let Some(origin) = entry.origin {
                object.insert("origin".to_owned(), origin.to_string().into());
            }
            let details = details.as_deref().cloned().unwrap_or_default();
            let details = [
                ("expirationInstant", details.expires.map(|expires| expires.millis().into())),
                ("note", details.note.as_deref().map(Value::from)),
                ("owner", details.owner.as_deref().map(Value::from)),
            ];
            object.extend(details.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            Value::Object(object)
        }
        EntryReport::Default if check.acl.is_none() => Value::Null,
        EntryReport::Default => json!({ "action": action, "startIPAddress": "*" }),
        EntryReport::Undetermined => json!({ "action": action }),
    }
}
