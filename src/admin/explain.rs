//! `POST /api/explain`: a question in, the object of `aclgate explain --json` out.

use super::call::{Call, MediaType};
use super::errors::{Errors, Problem};
use super::reply;
use crate::explain::{InvalidQuestion, explain, question_from_json, to_json};
use bytes::Bytes;
use http::Response;

/// Explains what would become of a request.
///
/// # Errors
/// The body is no question.
pub fn answer(call: &Call<'_>) -> Result<Response<Bytes>, Problem> {
    if call.media_type() != Some(MediaType::Json) {
        return Err(Problem::MediaType("application/json"));
    }
    let question = question_from_json(&call.body).map_err(|error| match error {
        InvalidQuestion::Json(error) => Problem::Invalid(Errors::general("invalidJSON", error.to_string())),
        InvalidQuestion::Field { field, error } => Problem::field("invalid", field, error.to_string()),
    })?;
    let explanation = explain(&call.snapshot.config, &call.snapshot.policy, &question);
    Ok(reply::ok(&to_json(&explanation)))
}
