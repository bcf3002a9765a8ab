//! Decisions that a newcomer would question, a page each: context, decision, consequences, what was rejected.

pub mod decision_service;
pub mod geography;
pub mod hints;
pub mod importing;
pub mod live_requests;
pub mod management_api;
pub mod metrics;
pub mod recorded_decisions;
pub mod scale;
pub mod strict_heads;
pub mod traces;
pub mod upgrades;
pub mod workers;
