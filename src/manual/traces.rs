//! # Traces
//!
//! How to turn them on: `docs/src/how-to/traces.md`.
//!
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
