//! Exchanges with scripted upstreams, over real sockets.

mod bench;
mod bodies;
mod exchanges;
mod failures;
mod hostile;
mod protocols;
mod tunnels;
