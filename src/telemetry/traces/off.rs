//! No traces: the interface of the feature `otlp` without the feature.

use crate::telemetry::access_log::RequestRecord;
use http::HeaderValue;

/// Where spans would go.
#[derive(Clone, Debug, Default)]
pub struct Traces;

/// A span; there is none.
#[derive(Debug)]
pub enum RequestSpan {}

impl Traces {
    /// Begins no span.
    pub fn begin<'a, V: Iterator<Item = &'a [u8]>>(
        &self,
        _method: &http::Method,
        _values: impl Fn(&'static str) -> V,
    ) -> Option<RequestSpan> {
        None
    }

    /// Nothing waits to be sent.
    pub fn flush(&self) {}
}

impl RequestSpan {
    /// The trace that it is in.
    pub fn trace_id(&self) -> String {
        match *self {}
    }

    /// The place in the trace, for upstream.
    pub fn traceparent(&self) -> Option<HeaderValue> {
        match *self {}
    }

    /// Ends the span.
    pub fn end(self, _record: &RequestRecord<'_>) {
        match self {}
    }
}
