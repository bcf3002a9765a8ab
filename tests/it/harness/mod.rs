//! The gateway on a free port, an upstream that does as it is told, and a client that sends bytes as they are.

mod client;
mod gateway;
mod upstream;

pub(crate) use client::{Answer, Client};
pub(crate) use gateway::Gateway;
pub(crate) use upstream::{Received, Upstream};
