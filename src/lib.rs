//! aclgate is a reverse proxy that stands in front of an identity server and enforces IP access control lists.
//!
//! # The story of a request
//! [`app`] builds everything once. A [`server`] accepts a connection, reads a head that has exactly one reading, and
//! hands the request to the [`gateway`], which is the page to read first: it takes the snapshot in force from the
//! [`store`], gathers the facts of the [`request`], asks the [`policy`] to decide, lets [`enforce`] turn the decision
//! into a permit or a refusal, and forwards what is permitted [`upstream`]. Whatever fails on the way becomes a response in
//! [`answer`].
//!
//! # Invariants
//! * [`policy`] is pure, and [`policy::decide`] is total: same facts, same decision.
//! * What was matched is what is forwarded, to the byte.
//! * A missing or malformed fact blocks where an ACL applies; a bad policy is refused whole.
//! * Only [`enforce`] makes a [`Permit`](enforce::Permit), and nothing goes upstream without one.
//! * One snapshot is loaded for a request, and nothing of another is seen by it.
//! * Keys and tokens reach neither log, error nor metric.
//!
//! Modules stand in the order of their dependencies; a test holds imports to the table in it. Decisions that a
//! newcomer would question have a page each in [`manual`].

pub mod policy;

pub mod config;

pub mod telemetry;

pub mod store;

pub mod http1;

pub mod request;

pub mod enforce;

pub mod upstream;

pub mod answer;

pub mod explain;

pub mod gateway;

pub mod server;

pub mod admin;

pub mod decision_service;

pub mod import;

pub mod app;

pub mod cli;

pub mod manual;
