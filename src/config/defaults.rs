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
/// `[server.timeouts] drain_idle`: what an idle connection gets meanwhile, to be told with its next answer that it closes.
pub const DRAIN_IDLE_TIMEOUT: Duration = Duration::from_secs(3);
/// `[upstream] connect_timeout`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// `[upstream] response_timeout`: from the request's end to the response's head, and between its bytes.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// `[policy] inspect_body_limit`.
pub const INSPECT_BODY_BYTES: usize = crate::policy::validate::INSPECT_BODY_BYTES;
/// `[server] listen`.
pub const LISTEN: &str = "127.0.0.1:8080";
/// `[upstream] idle_connections`: for each worker and address.
pub const IDLE_CONNECTIONS: usize = 64;
/// `[upstream] idle_timeout`: below the 60 s and more after which servers close idle connections.
pub const UPSTREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(55);
/// `[client_ip] trusted_proxies`.
pub const TRUSTED_PROXIES: &[&str] = &["loopback", "private"];
/// `[[decision]]` for nginx: `uri_header`, `method_header` and `host_header`.
pub const NGINX_HEADERS: [&str; 3] = ["X-Original-URI", "X-Original-Method", "X-Original-Host"];
/// `[[decision]]` for Traefik and Caddy: `uri_header`, `method_header` and `host_header`.
pub const FORWARD_AUTH_HEADERS: [&str; 3] = ["X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host"];
/// `[log] level`.
pub const LOG_LEVEL: &str = "info";
/// `error` of `[policy.blocked_token]`.
pub const TOKEN_ERROR: &str = "invalid_request";
/// `error` of the other `[policy.blocked_*]`.
pub const ACCESS_ERROR: &str = "access_denied";
/// `status` of `[policy.blocked_api_key]`.
pub const KEY_STATUS: u16 = 401;
/// `status` of `[policy.blocked_page]` and `[policy.blocked_path]`.
pub const FORBIDDEN_STATUS: u16 = 403;
/// `status` of `[policy.blocked_token]`.
pub const TOKEN_STATUS: u16 = 400;
/// `status` of an answer with `redirect`.
pub const REDIRECT_STATUS: u16 = 302;
