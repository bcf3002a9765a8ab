//! What an ACL is assigned to: API keys, tenants, applications, resource servers, paths.

use super::acl::IpAcl;
use super::path::PathPrefix;
use ::uuid::Uuid;
use std::fmt;
use std::sync::Arc;

/// Whether a block is enforced, or only decided, logged and counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// A block blocks.
    #[default]
    Enforce,
    /// A block is reported and the request passes.
    Report,
}

/// An ACL given to a subject.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The ACL.
    pub acl: Arc<IpAcl>,
    /// Whether its blocks are enforced; the whole policy's mode is already folded in.
    pub mode: Mode,
}

/// SHA-256 of an API key. The key itself is never kept. Compared only after hashing, so that the time of a
/// comparison says nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    /// The hash of a key as a client sent it.
    pub fn of(key: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(key).into())
    }

    /// A hash from its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Hashes of weak keys can be guessed, so they are not printed either.
impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash(..)")
    }
}

/// An API key that the policy knows.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id, derived from the name where the file has none.
    pub id: Uuid,
    /// Its name, for people.
    pub name: Arc<str>,
    /// The hash of the key.
    pub hash: ApiKeyHash,
    /// Its ACL.
    pub assignment: Option<Assignment>,
    /// When it was made, in milliseconds since 1970, where the file says so.
    pub insert_instant: Option<i64>,
    /// When it was last changed, in milliseconds since 1970, where the file says so.
    pub last_update_instant: Option<i64>,
    /// What its author keeps with it, as it came.
    pub data: Option<Arc<serde_json::Value>>,
}

/// A tenant. Its id is kept as written; UUIDs are compared as [`uuid`](super::uuid) reads them.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id, as upstream and requests name it.
    pub id: Arc<str>,
    /// Its name, for people, and for path patterns such as `/realms/{tenant}/`.
    pub name: Arc<str>,
    /// Hosts that name this tenant: without port and trailing dot, in lower case.
    pub hosts: Vec<Arc<str>>,
    /// Whether requests that name nobody belong to it.
    pub default: bool,
    /// Its ACL.
    pub assignment: Option<Assignment>,
}

/// An application, that is an OAuth client (RFC 6749 §1.1).
#[derive(Clone, Debug)]
pub struct Application {
    /// The OAuth `client_id`.
    pub id: Arc<str>,
    /// Its name, for people; the id where the file has none.
    pub name: Arc<str>,
    /// The tenant that it belongs to.
    pub tenant: Option<Arc<Tenant>>,
    /// Its ACL; where absent, its tenant's holds.
    pub assignment: Option<Assignment>,
}

/// A resource server, that is an API audience (RFC 8707 §2).
#[derive(Clone, Debug)]
pub struct ResourceServer {
    /// Its identifier, as `audience`, `resource` or `target-entity:` names it.
    pub identifier: Arc<str>,
    /// Its name, for people; the identifier where the file has none.
    pub name: Arc<str>,
    /// Its ACL.
    pub assignment: Option<Assignment>,
}

/// A path prefix with an ACL of its own.
#[derive(Clone, Debug)]
pub struct PathRule {
    /// The prefix.
    pub prefix: PathPrefix,
    /// Its ACL.
    pub assignment: Assignment,
}
