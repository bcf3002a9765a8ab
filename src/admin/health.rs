//! `/healthz`, `/readyz` and `/metrics`: no key needed.
//!
//! `/readyz` is 200 while the gateway serves, also on its last good policy: its body says what is wrong with a newer one. It is 503
//! once draining has begun, unless another process serves the same address; before the gateway listens nobody answers at all.

use super::reply;
use crate::server::Stage;
use crate::store::Reloader;
use crate::telemetry::metrics::{Format, Metrics};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Serialize;
use std::sync::Arc;
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

/// The body of `/healthz`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    pub status: &'static str,
}

/// The body of `/readyz`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// `ready` or `draining`
    pub status: &'static str,
    /// The revision that is in force.
    pub revision: u64,
    /// SHA-256 over the file and its list files.
    pub digest: String,
    /// Since when it is in force.
    pub loaded_at: Option<String>,
    /// The last attempt to load the file.
    pub reload: ReloadState,
}

/// How the last attempt to load the file went.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReloadState {
    /// When it was made.
    pub at: Option<String>,
    /// Why it failed, with places; `null` if it did not.
    pub failure: Option<String>,
    /// Settings that change with a restart only.
    pub pending_restart: Vec<String>,
}

/// Whether the process is alive.
pub fn alive() -> Response<Bytes> {
    reply::ok(&Health { status: "ok" })
}

/// Where a gateway stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// In its own life.
    pub stage: Stage,
    /// Whether another process serves the same address.
    pub relieved: bool,
}

/// Whether its address should be sent requests: another process may be there already.
pub fn ready(reloader: &Reloader, standing: Standing) -> Response<Bytes> {
    let (snapshot, last) = (reloader.store().load(), reloader.status());
    let (status, word) = match standing {
        Standing { stage: Stage::Serving, .. } => (StatusCode::OK, "ready"),
        Standing { relieved: true, .. } => (StatusCode::OK, "draining"),
        Standing { .. } => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    let readiness = Readiness {
        status: word,
        revision: snapshot.revision,
        digest: snapshot.digest.clone(),
        loaded_at: text(snapshot.loaded_at),
        reload: ReloadState {
            at: text(last.at),
            failure: last.failure.clone(),
            pending_restart: last.pending_restart.clone(),
        },
    };
    reply::json(status, &readiness)
}

/// What is counted, in the format that the scraper accepts.
pub fn metrics(metrics: &Arc<Metrics>, headers: &HeaderMap) -> Response<Bytes> {
    let format = Format::accepted(headers);
    let media_type = HeaderValue::from_static(format.media_type());
    reply::with_body(StatusCode::OK, media_type, metrics.render(format).into())
}

fn text(time: SystemTime) -> Option<String> {
    let time = OffsetDateTime::from(time);
    time.replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}
