//! Traces: a span for each request, sent to a collector by OTLP. The cargo feature `otlp` has it; without the feature
//! there is the same interface and nothing behind it.
//!
//! In: the head of a request when it begins, its [`RequestRecord`](super::access_log::RequestRecord) when it is over.
//! Out: a span whose parent the request's `traceparent` names, and the `traceparent` that upstream gets in its place.
//! Nothing but the record gets into a span, redacted as in the access log.

#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod otlp;

#[cfg(not(feature = "otlp"))]
pub use off::{RequestSpan, Traces};
#[cfg(feature = "otlp")]
pub use otlp::{RequestSpan, Traces, TracesError};

use std::env;

/// Either of these turns traces on.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Whether the environment names a collector.
pub fn collector_is_named() -> bool {
    ENDPOINTS.into_iter().any(is_set)
}

fn is_set(name: &str) -> bool {
    env::var(name).is_ok_and(|value| !value.is_empty())
}
