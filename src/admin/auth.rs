//! Who is asking: an admin key and the address that it comes from → a [`Caller`], or nothing.
//!
//! 1. The key is all of `Authorization`; it is hashed, and its hash compared with every key's, in constant time.
//! 2. An address that has presented too many wrong keys is not listened to ([`throttle`](super::throttle)).
//! 3. A key with an ACL that blocks the address is answered like a wrong one, and counts as one.
//!
//! The address is the connection's peer: no forwarding header counts here.

use super::throttle::Throttle;
use crate::config::AdminKey;
use crate::policy::acl::Action;
use crate::policy::subject::ApiKeyHash;
use crate::store::Snapshot;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// Somebody with a key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key's name.
    pub key_name: Arc<str>,
    /// Whether it may only read.
    pub reader: bool,
    /// Where the request came from.
    pub address: IpAddr,
    hash: ApiKeyHash,
}

/// Why somebody is nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stranger {
    /// No key, a wrong one, or one that may not be used from there: 401.
    Unknown,
    /// Too many wrong keys: 429.
    TooMany(Duration),
}

/// Finds out who asks.
///
/// # Errors
/// [`Stranger`]
pub fn identify(
    snapshot: &Snapshot,
    headers: &HeaderMap,
    address: IpAddr,
    throttle: &mut Throttle,
) -> Result<Caller, Stranger> {
    let address = address.to_canonical();
    // The server has refused requests with several of these already.
    let key = headers.get(AUTHORIZATION).filter(|key| !key.is_empty()).ok_or(Stranger::Unknown)?;
    let now = Instant::now();
    if let Some(wait) = throttle.wait(address, now) {
        return Err(Stranger::TooMany(wait));
    }
    let hash = ApiKeyHash::of(key.as_bytes());
    let known = find(snapshot, &hash);
    match known.filter(|key| may_be_used_from(key, address)) {
        Some(key) => Ok(Caller { key_name: Arc::clone(&key.name), reader: key.reader, address, hash }),
        None => {
            let name = known.map(|key| &*key.name);
            tracing::warn!(client = %address, key = name, "management API: no admission");
            throttle.failed(address, now);
            Err(Stranger::Unknown)
        }
    }
}

impl Caller {
    /// Whether the same key from the same address would still be admitted under another snapshot.
    pub fn is_admitted_by(&self, candidate: &Snapshot) -> bool {
        find(candidate, &self.hash).is_some_and(|key| may_be_used_from(key, self.address))
    }
}

/// Looks at every key, whichever it is.
fn find<'a>(snapshot: &'a Snapshot, hash: &ApiKeyHash) -> Option<&'a AdminKey> {
    let keys = snapshot.config.admin.iter().flat_map(|admin| &admin.api_keys);
    keys.fold(
        None,
        |found, key| {
            if bool::from(key.hash.as_bytes().ct_eq(hash.as_bytes())) { Some(key) } else { found }
        },
    )
}

fn may_be_used_from(key: &AdminKey, address: IpAddr) -> bool {
    key.ip_acl.as_ref().is_none_or(|acl| acl.test(Some(address)).action == Action::Allow)
}
