//! One request with a key, as every operation gets it: who, what, and on which snapshot.

use super::auth::Caller;
use super::errors::Problem;
use super::fields::{self, Object};
use super::query::{Options, Query};
use crate::store::{Reloader, Snapshot};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A request with a key.
#[derive(Debug)]
pub struct Call<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// What was in force when the request came.
    pub snapshot: Arc<Snapshot>,
    /// Stands in for instants that the file does not give, in milliseconds since 1970.
    pub file_time: i64,
    /// Its query.
    pub query: Query<'a>,
    /// Its header fields.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What a body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaType {
    /// `application/json`, or nothing said.
    Json,
    /// RFC 6902
    JsonPatch,
    /// RFC 7396
    MergePatch,
}

impl Call<'_> {
    /// The body, which must be JSON.
    ///
    /// # Errors
    /// It is of another type, or no object.
    pub fn object(&self) -> Result<Object, Problem> {
        match self.media_type() {
            Some(MediaType::Json) => fields::parse(&self.body),
            _ => Err(Problem::MediaType("application/json")),
        }
    }

    /// What the body is said to be; `None` is something else.
    pub fn media_type(&self) -> Option<MediaType> {
        let Some(value) = self.headers.get(CONTENT_TYPE) else { return Some(MediaType::Json) };
        let essence = value.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Some(MediaType::Json),
            "application/json-patch+json" => Some(MediaType::JsonPatch),
            "application/merge-patch+json" => Some(MediaType::MergePatch),
            _ => None,
        }
    }

    /// The options of a change; whether the caller may make one at all comes first.
    ///
    /// # Errors
    /// The key may only read, or an option is none.
    pub fn options(&self) -> Result<Options, Problem> {
        if self.caller.reader { Err(Problem::ReadOnly) } else { self.query.options() }
    }
}

/// The file's own time; where it cannot be had, when its content came into force.
pub fn file_time(reloader: &Reloader, snapshot: &Snapshot) -> i64 {
    let metadata = std::fs::metadata(reloader.loader().path());
    millis(metadata.and_then(|metadata| metadata.modified()).unwrap_or(snapshot.loaded_at))
}

/// Now, in milliseconds since 1970.
pub fn now() -> i64 {
    millis(SystemTime::now())
}

/// An instant as it travels: milliseconds since 1970.
pub fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
