//! The settings as the running gateway uses them.

use super::answers::Answers;
use crate::policy::range::AddressRange;
use crate::policy::subject::ApiKeyHash;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything of the file that is not policy.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[upstream]`
    pub upstream: Upstream,
    /// `[client_ip]`
    pub client_ip: ClientIp,
    /// `[admin]`; absent: no management listener.
    pub admin: Option<Admin>,
    /// `[[decision]]`: listeners that answer other proxies; mostly none.
    pub decisions: Vec<Decision>,
    /// `[log]`
    pub log: Log,
    /// `[policy.blocked_*]`
    pub answers: Answers,
}

/// `[server]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Where to listen; never empty.
    pub listen: Vec<Listener>,
    /// Worker threads; `None`: one for each CPU.
    pub workers: Option<usize>,
    /// `[server.limits]`
    pub limits: Limits,
    /// `[server.timeouts]`
    pub timeouts: Timeouts,
}

/// One listening address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// `host:port` or `[v6]:port`; port 0 takes a free one.
    pub address: String,
    /// TLS, if the listener speaks it.
    pub tls: Option<TlsSettings>,
    /// Whether connections begin with a PROXY protocol header.
    pub proxy_protocol: bool,
}

/// Certificates of a TLS listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsSettings {
    /// Never empty; the first is the one for clients that send no server name.
    pub certificates: Vec<CertificateFiles>,
    /// CA that client certificates must come from, if they are asked for.
    pub client_ca: Option<PathBuf>,
}

/// A certificate chain and its key, as PEM files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFiles {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The key.
    pub private_key: PathBuf,
}

/// `[server.limits]`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of a head.
    pub head: usize,
    /// Header fields of a request.
    pub fields: usize,
    /// Bytes of a target.
    pub target: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Streams at a time of an HTTP/2 connection.
    pub h2_streams: u32,
    /// Bytes of a decoded HTTP/2 header list.
    pub h2_header_list: u32,
}

/// `[server.timeouts]`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// Without a byte of a body, in either direction.
    pub body: Duration,
    /// Between requests.
    pub idle: Duration,
    /// What running requests get after SIGTERM.
    pub drain: Duration,
    /// For the next request on an idle connection meanwhile.
    pub drain_idle: Duration,
}

/// `[upstream]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upstream {
    /// Never empty; taken in turn.
    pub urls: Vec<UpstreamUrl>,
    /// For a connection, TLS handshake included.
    pub connect_timeout: Duration,
    /// For the response's head, and between bytes of its body.
    pub response_timeout: Duration,
    /// CA file for https upstreams; `None`: the system's roots.
    pub ca: Option<PathBuf>,
    /// Whether cleartext upstreams are spoken to in HTTP/2 with prior knowledge. https upstreams choose by ALPN.
    pub h2c: bool,
    /// Idle connections kept for each worker and address.
    pub idle_connections: usize,
    /// How long an idle upstream connection is kept.
    pub idle_timeout: Duration,
    /// Whether upstream also gets a `Forwarded` field (RFC 7239).
    pub forwarded: bool,
    /// Header names, in lower case, that are stripped from what an untrusted peer sent, beside those of SPEC §3.
    pub strip_headers: Vec<Arc<str>>,
}

/// One upstream address: scheme, host and port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UpstreamUrl {
    /// Whether it is https.
    pub tls: bool,
    /// Host name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// `[client_ip]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientIp {
    /// Where a trusted proxy says who the client is.
    pub header: ClientIpHeader,
    /// Which of several values counts.
    pub select: ClientIpSelect,
    /// Who is believed.
    pub trusted_proxies: TrustedProxies,
}

/// `[client_ip] header`
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientIpHeader {
    /// A comma-separated list: `X-Forwarded-For`.
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
    /// A field with one address, such as `CF-Connecting-IP`; the name in lower case.
    Single(Arc<str>),
    /// No header counts: the peer is the client.
    None,
}

/// `[client_ip] select`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientIpSelect {
    /// The first value.
    First,
    /// From the right, the first that is not a trusted proxy; the leftmost where all are trusted.
    RightmostUntrusted,
}

/// `[client_ip] trusted_proxies`, the words unfolded: `loopback`, `private`, `all`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrustedProxies {
    /// Ranges that are believed, of either family.
    pub ranges: Vec<AddressRange>,
}

/// `[admin]`
#[derive(Clone, Debug)]
pub struct Admin {
    /// `host:port`.
    pub listen: String,
    /// TLS of its own.
    pub tls: Option<TlsSettings>,
    /// Who may use it; never empty.
    pub api_keys: Vec<AdminKey>,
    /// Audit records as JSON lines, beside the log.
    pub audit_log: Option<PathBuf>,
}

/// A key of the management API.
#[derive(Clone, Debug)]
pub struct AdminKey {
    /// Its name in audit records.
    pub name: Arc<str>,
    /// Hash of the key.
    pub hash: ApiKeyHash,
    /// Whether it may only read (`role = "reader"`).
    pub reader: bool,
    /// ACL on the client's address, if it has one.
    pub ip_acl: Option<Arc<crate::policy::acl::IpAcl>>,
}

/// `[[decision]]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Where it listens.
    pub listener: Listener,
    /// Which proxy asks.
    pub dialect: Dialect,
    /// Where the request that is asked about stands.
    pub original: Original,
}

/// `[[decision]] dialect`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `auth_request`: knows 2xx, 401 and 403, and sends no bodies.
    Nginx,
    /// ForwardAuth: hands every answer on.
    Traefik,
    /// `forward_auth`: hands every answer on, and sends no bodies.
    Caddy,
    /// `ext_authz` over HTTP: 200 allows, and every other answer is handed on.
    Envoy,
}

impl Dialect {
    /// Every word.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("nginx", Self::Nginx), ("traefik", Self::Traefik), ("caddy", Self::Caddy), ("envoy", Self::Envoy)];

    /// The word for it.
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, dialect)| *dialect == self).map_or("", |(word, _)| word)
    }

    /// Whether the proxy can send the body of the request that it asks about.
    pub fn sends_bodies(self) -> bool {
        matches!(self, Self::Traefik | Self::Envoy)
    }
}

/// Where a proxy that asks for a decision puts the request that it asks about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Original {
    /// In header fields; the names in lower case.
    Headers {
        /// `uri_header`: path and query, or an absolute URL.
        uri: Arc<str>,
        /// `method_header`
        method: Arc<str>,
        /// `host_header`
        host: Arc<str>,
    },
    /// It asks with the same method, host and path, this `path_prefix` in front of it.
    Itself {
        /// Empty, or begins with a slash and does not end with one.
        path_prefix: Arc<str>,
    },
}

/// `[log]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// A `tracing` filter such as `info`.
    pub level: String,
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// The access log.
    pub access: AccessLog,
    /// Whether each blocked request is logged.
    pub blocked_requests: bool,
    /// Which decisions get a line.
    pub decisions: DecisionLines,
}

/// `[log] decisions`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecisionLines {
    /// Those that block, and those that would block in report mode.
    Blocked,
    /// All, and none is held back: a recording that another policy can be tried on.
    All,
}

/// `[log] format`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// `[log] access`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessLog {
    /// None.
    Off,
    /// A JSON object a line.
    Json,
    /// Apache's combined format.
    Combined,
}
