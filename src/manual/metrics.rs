//! # Metrics
//!
//! All of them, made from [the table](crate::telemetry::metrics::families): `docs/src/reference/metrics.md`.
//!
//! **Context.** A scrape must cost the requests nothing, and attackers choose what requests say.
//!
//! **Decision.** Every worker counts for itself and a scrape adds up. No label holds anything of a request: no path, host,
//! client or subject, only its kind; an ACL is the operator's own. Ages are given as instants, so that they are right between scrapes too.
//!
//! **Rejected.** A metric for each subject or entry: a policy may have 100,000 of the one and a million of the other.
//! Entries are counted all the same ([`crate::telemetry::hits`]), and shown a page at a time.
