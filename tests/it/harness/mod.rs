//! The gateway on a free port, an upstream that does as it is told, and a client that sends bytes as they are.

mod client;
mod gateway;
mod upstream;

pub use client::{Answer, Client};
pub use gateway::Gateway;
pub use upstream::{Received, Upstream};
