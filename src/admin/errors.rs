//! What a request gets that is not done: FusionAuth's errors object, and the status that it comes with.
//!
//! In: kinds, paths of fields and sentences. Out: `{"fieldErrors": {"PATH": [{"code": "[KIND]PATH", "message": …}]},
//! "generalErrors": []}`. All errors of a request go into one answer. INVARIANT: a message repeats what the client has
//! sent or may read anyway, never a key or a hash.

use super::reply;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is wrong with a request.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    /// By the path of the field.
    pub field_errors: BTreeMap<String, Vec<ErrorItem>>,
    /// What belongs to no field.
    pub general_errors: Vec<ErrorItem>,
}

/// One error.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ErrorItem {
    /// `[blank]`, `[missing]`, `[invalid]`, `[duplicate]`, `[inUse]` …, and the path of the field behind it.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Errors {
    /// Adds an error of a field.
    pub fn field(&mut self, kind: &str, path: impl Into<String>, message: impl Into<String>) {
        let path = path.into();
        let item = ErrorItem { code: format!("[{kind}]{path}"), message: message.into() };
        self.field_errors.entry(path).or_default().push(item);
    }

    /// One error that belongs to no field.
    pub fn general(kind: &str, message: impl Into<String>) -> Self {
        let item = ErrorItem { code: format!("[{kind}]"), message: message.into() };
        Self { field_errors: BTreeMap::new(), general_errors: vec![item] }
    }

    /// One error of a field.
    pub fn of_field(kind: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.field(kind, path, message);
        errors
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.field_errors.is_empty() && self.general_errors.is_empty()
    }

    /// Nothing, or [`Problem::Invalid`].
    ///
    /// # Errors
    /// Anything is wrong.
    pub fn check(self) -> Result<(), Problem> {
        if self.is_empty() { Ok(()) } else { Err(Problem::Invalid(self)) }
    }
}

/// Why a request is not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// 400
    Invalid(Errors),
    /// 403: the key may only read.
    ReadOnly,
    /// 404, empty.
    NotFound,
    /// 405, with what is allowed.
    Method(&'static str),
    /// 409
    Conflict(Errors),
    /// 415
    MediaType(&'static str),
    /// 500, empty; the cause is in the log.
    Internal,
}

impl Problem {
    /// One error of a field.
    pub fn field(kind: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(Errors::of_field(kind, path, message))
    }

    /// The response.
    pub fn into_response(self) -> Response<Bytes> {
        match self {
            Self::Invalid(errors) => reply::json(StatusCode::BAD_REQUEST, &errors),
            Self::ReadOnly => {
                let errors = Errors::general("forbidden", "this key may only read");
                reply::json(StatusCode::FORBIDDEN, &errors)
            }
            Self::NotFound => reply::empty(StatusCode::NOT_FOUND),
            Self::Method(allowed) => reply::method_not_allowed(allowed),
            Self::Conflict(errors) => reply::json(StatusCode::CONFLICT, &errors),
            Self::MediaType(expected) => {
                let errors = Errors::general("invalidContentType", format!("expected {expected}"));
                reply::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, &errors)
            }
            Self::Internal => reply::empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shape_is_that_of_the_original() {
        let mut errors = Errors::default();
        assert!(errors.is_empty());
        errors.field("blank", "ipAccessControlList.name", "a name is needed");
        errors.field("invalid", "ipAccessControlList.name", "no");
        let expected = json!({
            "fieldErrors": { "ipAccessControlList.name": [
                { "code": "[blank]ipAccessControlList.name", "message": "a name is needed" },
                { "code": "[invalid]ipAccessControlList.name", "message": "no" },
            ] },
            "generalErrors": [],
        });
        assert_eq!(serde_json::to_value(&errors).unwrap(), expected);
        let response = Problem::Invalid(errors).into_response();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (400, &"application/json".parse().unwrap())
        );
    }

    #[test]
    fn what_is_not_there_and_what_broke_are_empty() {
        for (problem, status) in
            [(Problem::NotFound, 404), (Problem::Internal, 500), (Problem::Method("GET"), 405)]
        {
            let response = problem.into_response();
            assert_eq!((response.status().as_u16(), response.body().len()), (status, 0));
            assert!(!response.headers().contains_key("content-type"));
        }
    }
}
