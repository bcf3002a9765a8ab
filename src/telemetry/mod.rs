//! What the gateway tells the people who run it: log, decisions, access log, metrics.
//!
//! Nothing in here decides anything, and nothing in here may hold up a request: lines go through bounded queues,
//! counters belong to one worker each. Deliberately absent: keys, tokens, query values and unredacted `Referer`s;
//! [`redaction`] is the one door by which a request target gets into a line.

pub mod access_log;
pub mod audit_log;
pub mod check_report;
pub mod decision_log;
pub mod hits;
pub mod line_queue;
pub mod logging;
pub mod metrics;
pub mod redaction;
pub mod trace_context;
pub mod traces;

pub use check_report::{CheckReport, EntryReport, SubjectKind};
