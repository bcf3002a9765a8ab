//! lib
pub mod app;
pub mod cli;
pub mod config;
pub mod explain;
pub mod policy;
pub mod request;
pub mod server;
pub mod store;
pub mod telemetry;
