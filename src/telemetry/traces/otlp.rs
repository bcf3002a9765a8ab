//! Spans by OpenTelemetry's own crates, over OTLP/HTTP in protobuf.
//!
//! Settings are OpenTelemetry's environment variables: `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) turns it
//! on, `OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`, `OTEL_BSP_…` and the others mean what they mean everywhere. Spans
//! wait in a bounded queue for a thread that sends them; what finds it full is dropped. Names of attributes are those of the
//! semantic conventions for HTTP servers.

use super::{collector_is_named, is_set};
use crate::telemetry::SubjectKind;
use crate::telemetry::access_log::RequestRecord;
use crate::telemetry::redaction;
use crate::telemetry::trace_context::TraceParent;
use http::{HeaderValue, Method};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use std::env;
use std::fmt;
use std::str::FromStr;

const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// Traces that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent: {0}")]
pub struct TracesError(#[from] ExporterBuildError);

/// Where spans go; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Exporting>);

#[derive(Clone)]
struct Exporting {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl fmt::Debug for Exporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporting").finish_non_exhaustive()
    }
}

/// The span of one request.
#[derive(Debug)]
pub struct RequestSpan(Span);

impl Traces {
    /// As the environment says; off where it names no collector. Spans are sent with this client.
    ///
    /// # Errors
    /// The environment makes no sense.
    pub fn from_environment(client: impl HttpClient + 'static) -> Result<Self, TracesError> {
        let off = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"))
            || env::var("OTEL_TRACES_EXPORTER").is_ok_and(|value| value == "none");
        if off || !collector_is_named() {
            return Ok(Self(None));
        }
        let exporter = SpanExporter::builder().with_http().with_http_client(client);
        let exporter = exporter.with_protocol(Protocol::HttpBinary).build()?;
        let mut resource = Resource::builder();
        if !is_set(SERVICE_NAME) {
            resource = resource.with_service_name("aclgate");
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        let tracer = provider.tracer("aclgate");
        Ok(Self(Some(Exporting { provider, tracer })))
    }

    /// Begins a span, under the parent that the request names. `values` are those of a field of it.
    pub fn begin<'a, V: Iterator<Item = &'a [u8]>>(
        &self,
        method: &Method,
        values: impl Fn(&'static str) -> V,
    ) -> Option<RequestSpan> {
        let Exporting { tracer, .. } = self.0.as_ref()?;
        let mut context = Context::new();
        if let Some(TraceParent { trace_id, span_id, sampled }) = TraceParent::of(values(TraceParent::FIELD))
        {
            let state = values("tracestate").next().and_then(|state| std::str::from_utf8(state).ok());
            let state = state.and_then(|state| TraceState::from_str(state).ok()).unwrap_or_default();
            let flags = TraceFlags::default().with_sampled(sampled);
            let (trace, span) = (TraceId::from(trace_id.0), SpanId::from(span_id));
            context = context.with_remote_span_context(SpanContext::new(trace, span, flags, true, state));
        }
        let builder = tracer.span_builder(method_name(method)).with_kind(SpanKind::Server);
        let span = builder.start_with_context(tracer, &context);
        span.is_recording().then_some(RequestSpan(span))
    }

    /// Sends what waits. Blocks.
    pub fn flush(&self) {
        if let Some(Exporting { provider, .. }) = &self.0
            && let Err(error) = provider.force_flush()
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Of the methods that are known: what clients make up is no name.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "HTTP",
    }
}

impl RequestSpan {
    /// The trace that it is in: the request's own, or a new one.
    pub fn trace_id(&self) -> String {
        self.0.span_context().trace_id().to_string()
    }

    /// The place in the trace, for upstream.
    pub fn traceparent(&self) -> Option<HeaderValue> {
        let context = self.0.span_context();
        let (trace, span) = (context.trace_id(), context.span_id());
        HeaderValue::from_str(&format!("00-{trace}-{span}-{:02x}", context.trace_flags().to_u8())).ok()
    }

    /// Ends the span, with what is known of the request now.
    pub fn end(self, record: &RequestRecord<'_>) {
        let Self(mut span) = self;
        let mut add = |name: &'static str, value: String| span.set_attribute(KeyValue::new(name, value));
        add("network.peer.address", record.peer.to_string());
        add("aclgate.request_id", redaction::text(record.request_id));
        add("url.scheme", if record.tls { "https" } else { "http" }.to_owned());
        if let Some(client) = record.client {
            add("client.address", client.to_string());
        }
        if let Some((method, target, _)) = record.line {
            add("http.request.method", redaction::text(method));
            let target = redaction::target(target);
            add("url.path", target.split('?').next().unwrap_or_default().to_owned());
        }
        if let Some(host) = record.host {
            add("server.address", redaction::text(host));
        }
        if let Some(agent) = record.user_agent {
            add("user_agent.original", redaction::text(agent));
        }
        if let Some(kind) = record.blocked_by {
            add("aclgate.blocked_by", SubjectKind::label(kind).to_owned());
        }
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(record.status)));
        if record.status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}
