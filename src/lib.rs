//! lib
pub mod config;
pub mod policy;
pub mod request;
pub mod server;
pub mod store;
