//! The compiled form of an ACL's ranges.

use super::acl::IpAcl;
use std::net::IpAddr;
use std::sync::Arc;

/// Whether any of several ACLs blocks an address, as one look-up.
#[derive(Debug)]
pub struct BlockUnion;

impl BlockUnion {
    /// The union of what these ACLs block; the same ACL may come more than once.
    pub fn of<'a>(_acls: impl Iterator<Item = &'a Arc<IpAcl>>) -> Self {
        Self
    }

    /// Whether any of them blocks the client; `None`, an unknown address, is blocked wherever there is an ACL.
    pub fn any_blocks(&self, _client: Option<IpAddr>) -> bool {
        true
    }
}
