//! Address ranges: an address, a CIDR block or an inclusive `start-end`; IPv4 or IPv6. (Stub.)

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An inclusive range.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AddressRange {
    start: IpAddr,
    end: IpAddr,
}

impl AddressRange {
    /// First address.
    pub fn start(&self) -> IpAddr {
        self.start
    }
    /// Last address.
    pub fn end(&self) -> IpAddr {
        self.end
    }
    /// Stub.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.start.is_ipv4() == address.is_ipv4() && self.start <= address && address <= self.end
    }
}

impl FromStr for AddressRange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |text: &str| text.parse::<IpAddr>().map_err(|e| e.to_string());
        if let Ok(network) = text.parse::<ipnetwork::IpNetwork>() {
            return Ok(match network {
                ipnetwork::IpNetwork::V4(n) => Self { start: n.network().into(), end: n.broadcast().into() },
                ipnetwork::IpNetwork::V6(n) => Self { start: n.network().into(), end: n.broadcast().into() },
            });
        }
        let (start, end) = text.split_once('-').unwrap_or((text, text));
        Ok(Self { start: parse(start)?, end: parse(end)? })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            write!(f, "{}", self.start)
        } else {
            write!(f, "{}-{}", self.start, self.end)
        }
    }
}
