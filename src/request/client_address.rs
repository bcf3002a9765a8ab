//! The client's address, from the peer and the forwarding header.

use crate::config::ClientIp;
use http::HeaderMap;
use std::net::IpAddr;

/// Stub.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress {
    /// The address.
    pub address: Option<IpAddr>,
}

/// Stub.
pub fn resolve(config: &ClientIp, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
    let value = headers.get("x-forwarded-for").filter(|_| config.trusted_proxies.contain(peer));
    ClientAddress {
        address: value.map_or(Some(peer), |v| v.to_str().ok()?.split(',').next()?.trim().parse().ok()),
    }
}
