//! The policy: which address may do what, decided without doing anything else.
//!
//! Pure: no sockets, files, clock, environment or logging. Text comes in, a [`Policy`] or findings come
//! out ([`document`], [`validate`]); facts come in, a [`Decision`](decide::Decision) comes out
//! ([`decide`]).
//!
//! # Which ACL applies
//! All that apply must allow; the first block, in this order, names the answer.
//!
//! | step | subject | where |
//! | --- | --- | --- |
//! | 1 | API key | every path |
//! | 2 | application (or its tenant), tenant, default tenant | sign-on pages |
//! | 3 | resource server | client-credentials requests to a token path |
//! | 4 | path rule | its prefix |
//! | 5 | loopback | paths that the upstream leaves open to local clients |
//!
//! # Words
//! An *ACL* has *entries* (a range and an *action*) and a *default* action. It is *assigned* to a *subject*.
//! A *reading* is one way in which an upstream could understand a request target. A *naming place* is
//! where the protocol defines the name of an application or tenant; a *hint* is where an upstream may or may
//! not look. A *client* is the believed origin of a request, a *peer* the other end of the connection.

pub mod acl;
pub mod block_union;
pub mod decide;
pub mod directory;
pub mod document;
pub mod facts;
pub mod files;
pub mod finding;
pub mod geo;
pub mod list;
pub mod moment;
pub mod path;
pub mod preset;
pub mod range;
pub mod subject;
pub mod uuid;
pub mod validate;

mod compiled;
mod range_map;
mod renewal;

pub use compiled::{ApiKeySources, Policy, PolicyParts, Rules, comparable_identifier};
pub use files::{FileError, Files, NoFiles};
