//! How spans reach their collector: a client for OpenTelemetry's exporter, on the exporter's own thread.

use crate::upstream::one_shot;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// The longest that a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Whom to trust, as OpenTelemetry names it.
const CERTIFICATE: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];

/// The client.
#[derive(Debug)]
pub(super) struct Collector {
    ca: Option<PathBuf>,
}

impl Collector {
    /// As the environment says.
    pub(super) fn from_environment() -> Self {
        Self { ca: CERTIFICATE.into_iter().find_map(env::var_os).map(PathBuf::from) }
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    /// Runs to its end at once: the exporter's thread has nothing else to do, and no runtime.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (mut parts, body) = request.into_parts();
        let origin = parts.uri.clone();
        parts.uri = origin.path_and_query().map_or("/", |path| path.as_str()).parse()?;
        let answered = one_shot(&origin, self.ca.as_deref(), Request::from_parts(parts, body), PATIENCE);
        match &answered {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => tracing::warn!(status = %response.status(), "the collector does not take traces"),
            Err(error) => tracing::warn!(%error, "the collector of traces cannot be reached"),
        }
        Ok(answered?)
    }
}
