//! # Traces
//!
//! Built with the cargo feature `otlp` (the release image is), the gateway sends a span for each request to an OpenTelemetry
//! collector, over OTLP/HTTP in protobuf. OpenTelemetry's own environment variables say where and what:
//!
//! ```sh
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 \
//! OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1 \
//! aclgate run -c gateway.toml
//! ```
//!
//! Without `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) nothing is sent. For https, the CA is that of
//! `OTEL_EXPORTER_OTLP_CERTIFICATE`, else the system's.
//!
//! ## Decisions
//! **Context.** A login crosses an edge, this gateway and an identity server; whoever looks for a slow or blocked one wants them
//! in one picture.
//!
//! **Decision.** The parent of a span is what the request's `traceparent` names, whoever sent it: it decides nothing. Upstream gets
//! the span as its parent. Where no span is recorded (no feature, no collector, not sampled), `traceparent` and
//! `tracestate` go on as they came. A span has what the access log has, redacted alike.
//!
//! **Consequences.** A recorded request costs some allocations more. What the queue cannot take is dropped: traces never hold
//! up a request.
//!
//! **Rejected.** Keys in the file: every other component of a fleet is configured by these variables, sampling included. gRPC: a
//! second HTTP stack for what protobuf over HTTP does as well.
