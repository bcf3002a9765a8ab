//! Address ranges: an address, a CIDR block or an inclusive `start-end`; IPv4 or IPv6.
//!
//! Text in, an [`AddressRange`] or a [`RangeError`] that says what was meant out.
//!
//! INVARIANT: `start <= end`, both of one family. IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2) are folded to
//! IPv4 here, once, for entries and clients alike: `::ffff:10.0.0.0/104` is `10.0.0.0/8`. A block that merely
//! reaches over the mapped addresses (`::/0`, `::fffe:0:0/95`) stays what it is, an IPv6 block, and covers no
//! IPv4 client.
//!
//! Refused, because two readers could differ over them: host bits (RFC 4632 §3.1), zero-padded octets (octal
//! to some, RFC 6943 §3.1.1), zone ids (RFC 4007 §11), dotted masks, mixed families, `start > end`. There is no
//! way to write a host name, a port or a wildcard.

use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An inclusive, never empty range of addresses of one family, IPv4-mapped addresses folded to IPv4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AddressRange(Bounds);

/// First and last address of a range.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Bounds {
    V4 { start: Ipv4Addr, end: Ipv4Addr },
    V6 { start: Ipv6Addr, end: Ipv6Addr },
}

/// Why a text, or a pair of addresses, is no range.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RangeError {
    /// There is nothing but blanks.
    #[error("empty; expected an address, a CIDR block or `start-end`")]
    Empty,
    /// A part that should be an address is none.
    #[error("`{0}` is not an IP address")]
    NotAnAddress(Box<str>),
    /// An octet begins with a zero, which some read as octal.
    #[error("`{0}` has a zero-padded octet, which some read as octal; write it without leading zeros")]
    ZeroPadded(Box<str>),
    /// A zone id means something on one host alone.
    #[error("`{0}` has a zone id, which means nothing to another host; write the address without it")]
    ZoneId(Box<str>),
    /// A mask in place of a prefix length.
    #[error("`{0}` has a dotted mask; write a prefix length, as in `10.0.0.0/8`")]
    DottedMask(Box<str>),
    /// What stands behind the slash is no number.
    #[error("`{0}` is not a prefix length")]
    NotAPrefix(Box<str>),
    /// More bits than the address has.
    #[error("prefix length `{prefix}` is too long; an address of this family has {bits} bits")]
    PrefixTooLong {
        /// As written.
        prefix: u16,
        /// 32 or 128.
        bits: u8,
    },
    /// The address of a block is not its first one.
    #[error("`{text}` has host bits set; the network is `{network}`")]
    HostBits {
        /// As written.
        text: Box<str>,
        /// The block that it lies in.
        network: AddressRange,
    },
    /// An IPv4 and an IPv6 address.
    #[error("`{start}` and `{end}` are not of one family")]
    MixedFamilies {
        /// As written.
        start: IpAddr,
        /// As written.
        end: IpAddr,
    },
    /// The end lies before the start.
    #[error("start `{start}` is above end `{end}`")]
    Reversed {
        /// As written.
        start: IpAddr,
        /// As written.
        end: IpAddr,
    },
}

impl AddressRange {
    /// The range from `start` to `end`, both included.
    ///
    /// One IPv4-mapped end alone makes a range only where both together are a whole IPv6 block (`::/80`):
    /// everything else of that kind is a slip.
    ///
    /// # Errors
    /// [`RangeError::MixedFamilies`], [`RangeError::Reversed`].
    pub fn new(start: IpAddr, end: IpAddr) -> Result<Self, RangeError> {
        let range = match (start.to_canonical(), end.to_canonical(), start, end) {
            (IpAddr::V4(start), IpAddr::V4(end), ..) => Self(Bounds::V4 { start, end }),
            (IpAddr::V6(start), IpAddr::V6(end), ..) => Self(Bounds::V6 { start, end }),
            (.., IpAddr::V6(first), IpAddr::V6(last)) => Self(Bounds::V6 { start: first, end: last })
                .if_block()
                .ok_or(RangeError::MixedFamilies { start, end })?,
            _ => return Err(RangeError::MixedFamilies { start, end }),
        };
        if range.start() > range.end() { Err(RangeError::Reversed { start, end }) } else { Ok(range) }
    }

    /// Whether another range begins right behind this one.
    pub(super) fn is_followed_by(&self, next: &Self) -> bool {
        match (self.0, next.0) {
            (Bounds::V4 { end, .. }, Bounds::V4 { start, .. }) => {
                end.to_bits().checked_add(1) == Some(start.to_bits())
            }
            (Bounds::V6 { end, .. }, Bounds::V6 { start, .. }) => {
                end.to_bits().checked_add(1) == Some(start.to_bits())
            }
            _ => false,
        }
    }

    /// The first address.
    pub fn start(&self) -> IpAddr {
        match self.0 {
            Bounds::V4 { start, .. } => start.into(),
            Bounds::V6 { start, .. } => start.into(),
        }
    }

    /// The last address.
    pub fn end(&self) -> IpAddr {
        match self.0 {
            Bounds::V4 { end, .. } => end.into(),
            Bounds::V6 { end, .. } => end.into(),
        }
    }

    /// Whether an address lies in the range; an IPv4-mapped address is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.0, address.to_canonical()) {
            (Bounds::V4 { start, end }, IpAddr::V4(address)) => start <= address && address <= end,
            (Bounds::V6 { start, end }, IpAddr::V6(address)) => start <= address && address <= end,
            _ => false,
        }
    }

    /// Which of two ranges has fewer addresses.
    pub fn compare_size(&self, other: &Self) -> Ordering {
        self.last_offset().cmp(&other.last_offset())
    }

    /// The prefix length, where the range is exactly one block.
    pub fn prefix_length(&self) -> Option<u8> {
        let (start, hosts) = match self.0 {
            Bounds::V4 { start, .. } => (start.to_bits().into(), self.last_offset()),
            Bounds::V6 { start, .. } => (start.to_bits(), self.last_offset()),
        };
        let is_block = hosts & hosts.wrapping_add(1) == 0 && start & hosts == 0;
        is_block.then(|| self.width() - u8::try_from(hosts.count_ones()).unwrap_or(u8::MAX))
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.0
    }

    /// The range of bounds that came from a range.
    pub(super) fn from_bounds(bounds: Bounds) -> Self {
        Self(bounds)
    }

    /// The number of addresses, less one; wraps where the bounds are reversed.
    fn last_offset(&self) -> u128 {
        match self.0 {
            Bounds::V4 { start, end } => end.to_bits().wrapping_sub(start.to_bits()).into(),
            Bounds::V6 { start, end } => end.to_bits().wrapping_sub(start.to_bits()),
        }
    }

    fn width(&self) -> u8 {
        match self.0 {
            Bounds::V4 { .. } => 32,
            Bounds::V6 { .. } => 128,
        }
    }

    fn if_block(self) -> Option<Self> {
        (self.start() <= self.end() && self.prefix_length().is_some()).then_some(self)
    }
}

/// The range of one address.
impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(Bounds::V4 { start: address, end: address }),
            IpAddr::V6(address) => Self(Bounds::V6 { start: address, end: address }),
        }
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let text = trim(text);
        if text.is_empty() {
            return Err(RangeError::Empty);
        }
        if let Some((start, end)) = text.split_once('-') {
            return Self::new(parse_address(trim(start))?, parse_address(trim(end))?);
        }
        match text.split_once('/') {
            Some((address, prefix)) => parse_block(text, parse_address(address)?, prefix),
            None => parse_address(text).map(Self::from),
        }
    }
}

/// The canonical form: an address, a CIDR block where the range is exactly one, else `start-end`.
impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix_length() {
            Some(prefix) if prefix == self.width() => write!(f, "{}", self.start()),
            Some(prefix) => write!(f, "{}/{prefix}", self.start()),
            None => write!(f, "{}-{}", self.start(), self.end()),
        }
    }
}

/// A block, worked out on 128 bits for either family: an IPv4 block is the mapped one, folded again.
fn parse_block(text: &str, address: IpAddr, prefix: &str) -> Result<AddressRange, RangeError> {
    if prefix.contains('.') {
        return Err(RangeError::DottedMask(quote(text)));
    }
    let (address, unused, bits) = match address {
        IpAddr::V4(address) => (address.to_ipv6_mapped(), 96, 32),
        IpAddr::V6(address) => (address, 0, 128),
    };
    let prefix = parse_prefix(prefix)?;
    if prefix > u16::from(bits) {
        return Err(RangeError::PrefixTooLong { prefix, bits });
    }
    let hosts = u128::MAX.checked_shr(u32::from(prefix + unused)).unwrap_or(0);
    let start = Ipv6Addr::from_bits(address.to_bits() & !hosts);
    let end = Ipv6Addr::from_bits(address.to_bits() | hosts);
    let network = AddressRange(match (start.to_ipv4_mapped(), end.to_ipv4_mapped()) {
        (Some(start), Some(end)) => Bounds::V4 { start, end },
        _ => Bounds::V6 { start, end },
    });
    if start == address { Ok(network) } else { Err(RangeError::HostBits { text: quote(text), network }) }
}

/// A prefix length as everybody writes it: up to three digits, no sign, no leading zero.
fn parse_prefix(text: &str) -> Result<u16, RangeError> {
    let plain = (1..=3).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    match text.parse() {
        Ok(prefix) if plain => Ok(prefix),
        _ => Err(RangeError::NotAPrefix(quote(text))),
    }
}

fn parse_address(text: &str) -> Result<IpAddr, RangeError> {
    text.parse().map_err(|_| explain(text))
}

/// Why the standard parser refused an address.
fn explain(text: &str) -> RangeError {
    if text.split_once('%').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok()) {
        return RangeError::ZoneId(quote(text));
    }
    let octets = text.rsplit_once(':').map_or(text, |(_, octets)| octets);
    let numbers = octets.split('.').all(|octet| octet.bytes().all(|byte| byte.is_ascii_digit()));
    let padded = octets.split('.').any(|octet| octet.len() > 1 && octet.starts_with('0'));
    if numbers && padded && octets.split('.').count() == 4 {
        return RangeError::ZeroPadded(quote(text));
    }
    RangeError::NotAnAddress(quote(text))
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// At most this much of a wrong text is repeated in a message, in characters.
const QUOTED_LENGTH: usize = 64;

/// A wrong text, fit for a message: short and without control characters.
fn quote(text: &str) -> Box<str> {
    let mut quoted = String::new();
    for character in text.chars().take(QUOTED_LENGTH) {
        if character.is_control() {
            quoted.extend(character.escape_default());
        } else {
            quoted.push(character);
        }
    }
    if text.chars().nth(QUOTED_LENGTH).is_some() {
        quoted.push('…');
    }
    quoted.into()
}

impl RangeError {
    /// The error for bytes that are not even UTF-8.
    pub(super) fn not_text(bytes: &[u8]) -> Self {
        Self::NotAnAddress(quote(&String::from_utf8_lossy(bytes)))
    }
}

#[cfg(test)]
mod tests;
