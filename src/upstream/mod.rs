//! The upstream: permitted requests out, responses back.
//!
//! The story, in file order: `headers` (with `names`, `hop` and `forwarded`) and `response_fields` say which fields go on, `origin` which
//! address is tried, `health` whether it is worth it, `connect` (with `tls`, `stream`, `pool`) how it is reached,
//! `forward` runs the exchange (`http1` by itself, HTTP/2 by hyper), `upload`, `body` and `deadline` keep it streaming and in
//! time, `upgrade` turns it into a tunnel.
//! Everything here belongs to one worker: cells, no locks. Nothing is cached but connections and addresses.
//! `one_shot` stands aside: what the gateway asks in its own name.

mod body;
mod connect;
mod deadline;
mod error;
mod forward;
mod forwarded;
mod headers;
mod health;
mod hop;
pub mod http1;
mod names;
mod one_shot;
mod origin;
mod pool;
mod response_fields;
mod stream;
mod tls;
mod upgrade;
mod upload;

pub use body::UpstreamBody;
pub use error::{BodyError, BreakOff, UpstreamError};
pub use headers::Forwarding;
pub use one_shot::one_shot;
pub use upgrade::TUNNEL_IDLE;

/// One worker's connections to the upstream.
#[derive(Debug, Default)]
pub struct Upstream {
    origins: origin::Origins,
    connector: connect::Connector,
}

impl Upstream {
    /// Without a connection yet.
    pub fn new() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests;
