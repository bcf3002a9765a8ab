//! Every default, once. The documentation and `gateway.toml.example` quote these and a test compares them.

use std::time::Duration;

/// `[server.limits] head`: bytes of a request head.
pub const HEAD_BYTES: usize = 32 * 1024;
/// `[server.limits] fields`: header fields of a request.
pub const FIELDS: usize = 100;
/// `[server.limits] target`: bytes of a request target.
pub const TARGET_BYTES: usize = 8 * 1024;
/// `[server.limits] connections`.
pub const CONNECTIONS: usize = 10_000;
/// `[server.limits] h2_streams`: concurrent streams of one HTTP/2 connection.
pub const H2_STREAMS: u32 = 100;
/// `[server.limits] h2_header_list`: bytes of a decoded header list.
pub const H2_HEADER_LIST_BYTES: u32 = 32 * 1024;
/// `[server.timeouts] head`: from the first byte of a head to its last.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// `[server.timeouts] body`: without a byte of it.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// `[server.timeouts] idle`: between requests.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// `[server.timeouts] drain`: what running requests get after SIGTERM.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// `[upstream] connect_timeout`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// `[upstream] response_timeout`: from the request's end to the response's head, and between its bytes.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// `[policy] inspect_body_limit`.
pub const INSPECT_BODY_BYTES: usize = 64 * 1024;
