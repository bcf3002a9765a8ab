//! JSON bodies, looked at field by field, so that all that is wrong with one is said at once.
//!
//! In: the bytes of a body. Out: fields, and [`Errors`] with their paths. What is unknown is ignored, as clients send whole
//! objects; `null` is like absent.

use super::errors::{Errors, Problem};
use crate::policy::uuid::lenient_uuid;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The longest name, in characters; what FusionAuth's database takes.
pub const LONGEST_NAME: usize = 191;

/// An object of JSON.
pub type Object = Map<String, Value>;

/// Reads a body: an object, or nothing, which is an empty object.
///
/// # Errors
/// 400 `[invalidJSON]`
pub fn parse(body: &[u8]) -> Result<Object, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Object::new());
    }
    let invalid = |message: String| Problem::Invalid(Errors::general("invalidJSON", message));
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(invalid("expected an object".to_owned())),
        Err(error) => Err(invalid(error.to_string())),
    }
}

/// One object within a body, and where it is.
#[derive(Debug)]
pub struct Fields<'a> {
    object: Option<&'a Object>,
    path: String,
}

impl<'a> Fields<'a> {
    /// An object of this name within a body. A missing one is like an empty one; what is no object is an error.
    pub fn of(body: &'a Object, name: &str, errors: &mut Errors) -> Self {
        Fields { object: Some(body), path: String::new() }.within(name, errors)
    }

    /// An item of a list; `None` if it is no object, which is an error.
    pub fn item(value: &'a Value, path: String, errors: &mut Errors) -> Option<Self> {
        let object = value.as_object();
        if object.is_none() {
            errors.field("invalid", &path, "expected an object");
        }
        object.map(|object| Self { object: Some(object), path })
    }

    /// An object within this one.
    pub fn within(&self, name: &str, errors: &mut Errors) -> Self {
        let (value, path) = (self.value(name), self.path(name));
        if value.is_some_and(|value| !value.is_object()) {
            errors.field("invalid", &path, "expected an object");
        }
        Self { object: value.and_then(Value::as_object), path }
    }

    /// The path of a field.
    pub fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A field as it came.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.and_then(|object| object.get(name)).filter(|value| !value.is_null())
    }

    /// A field, also one that is `null`.
    pub fn given(&self, name: &str) -> Option<&'a Value> {
        self.object.and_then(|object| object.get(name))
    }

    /// A text, if it is there and not blank.
    pub fn text(&self, name: &str, errors: &mut Errors) -> Option<&'a str> {
        let value = self.value(name)?;
        match value {
            Value::String(text) => Some(&**text).filter(|text| !text.trim().is_empty()),
            _ => {
                errors.field("invalid", self.path(name), "expected a text");
                None
            }
        }
    }

    /// A text that must be there.
    pub fn required_text(&self, name: &str, errors: &mut Errors) -> Option<&'a str> {
        let text = self.text(name, errors);
        if text.is_none() && self.value(name).is_none_or(Value::is_string) {
            errors.field("blank", self.path(name), format!("`{}` must be given", self.path(name)));
        }
        text
    }

    /// A name that people may read and files may hold.
    pub fn name(&self, errors: &mut Errors) -> Option<&'a str> {
        let name = self.text("name", errors)?;
        let path = self.path("name");
        if name.chars().count() > LONGEST_NAME {
            errors.field("tooLong", path, format!("a name has at most {LONGEST_NAME} characters"));
            return None;
        }
        if name.contains(char::is_control) || name.trim() != name {
            errors.field("invalid", path, "a name has no control characters and no blanks around it");
            return None;
        }
        Some(name)
    }

    /// A name that must be there.
    pub fn required_name(&self, errors: &mut Errors) -> Option<&'a str> {
        let before = errors.field_errors.len();
        let name = self.name(errors);
        if name.is_none() && errors.field_errors.len() == before {
            self.required_text("name", errors);
        }
        name
    }

    /// A UUID, if it is there.
    pub fn uuid(&self, name: &str, errors: &mut Errors) -> Option<Uuid> {
        let text = self.text(name, errors)?;
        let found = lenient_uuid(text).map(Uuid::from_u128);
        if found.is_none() {
            errors.field("invalid", self.path(name), "expected a UUID");
        }
        found
    }
}
