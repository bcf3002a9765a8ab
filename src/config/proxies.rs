//! `trusted_proxies`: whose word counts. Texts of the file in, [`TrustedProxies`] out.
//!
//! | word | ranges |
//! | --- | --- |
//! | `loopback` | `127.0.0.0/8`, `::1` |
//! | `private` | `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918), `fc00::/7` (RFC 4193), link-local: `169.254.0.0/16`, `fe80::/10` |
//! | `all` | everybody |
//!
//! `100.64.0.0/10` (RFC 6598) is not `private`: behind a carrier's NAT it is full of strangers.

use super::settings::TrustedProxies;
use crate::policy::range::{AddressRange, RangeError};
use std::net::IpAddr;

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1"];
const PRIVATE: &[&str] =
    &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "169.254.0.0/16", "fe80::/10"];
const ALL: &[&str] = &["0.0.0.0/0", "::/0"];

/// The words of the file.
pub(super) const WORDS: &[&str] = &["loopback", "private", "all"];

/// What a word or range stands for.
///
/// # Errors
/// It is neither.
pub(super) fn ranges(text: &str) -> Result<Vec<AddressRange>, RangeError> {
    match text {
        "loopback" => parse(LOOPBACK),
        "private" => parse(PRIVATE),
        "all" => parse(ALL),
        range => range.parse().map(|range| vec![range]),
    }
}

fn parse(texts: &[&str]) -> Result<Vec<AddressRange>, RangeError> {
    texts.iter().map(|text| text.parse()).collect()
}

/// Whether a range has addresses outside of `loopback` and `private`.
pub(super) fn is_public(range: &AddressRange) -> bool {
    let known = parse(&[LOOPBACK, PRIVATE].concat()).unwrap_or_default();
    !known.iter().any(|known| known.contains(range.start()) && known.contains(range.end()))
}

impl TrustedProxies {
    /// Whether an address is believed; IPv4-mapped addresses are folded first. Linear in the number of ranges: the
    /// default's eight take a few nanoseconds.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.ranges.iter().any(|range| range.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(words: &[&str]) -> TrustedProxies {
        TrustedProxies { ranges: words.iter().flat_map(|word| ranges(word).unwrap()).collect() }
    }

    #[test]
    fn words_mean_their_ranges() {
        let cases = [
            ("127.0.0.1", true, false),
            ("127.255.255.255", true, false),
            ("::ffff:127.0.0.1", true, false),
            ("::1", true, false),
            ("::2", false, false),
            ("10.255.0.1", false, true),
            ("::ffff:10.0.0.1", false, true),
            ("172.15.255.255", false, false),
            ("172.16.0.0", false, true),
            ("172.32.0.0", false, false),
            ("192.168.1.1", false, true),
            ("169.254.169.254", false, true),
            ("100.64.0.1", false, false),
            ("fd00::1", false, true),
            ("fe80::1", false, true),
            ("2001:db8::1", false, false),
            ("0.0.0.0", false, false),
        ];
        let (loopback, private, all) = (trust(&["loopback"]), trust(&["private"]), trust(&["all"]));
        for (address, in_loopback, in_private) in cases {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(loopback.contain(address), in_loopback, "{address}");
            assert_eq!(private.contain(address), in_private, "{address}");
            assert!(all.contain(address), "{address}");
            assert!(!TrustedProxies::default().contain(address), "{address}");
        }
    }

    #[test]
    fn ranges_stand_beside_words() {
        let both = trust(&["loopback", "192.0.2.0/24"]);
        assert!(both.contain("192.0.2.9".parse().unwrap()) && both.contain("::1".parse().unwrap()));
        assert!(ranges("everyone").is_err());
    }

    #[test]
    fn public_ranges_are_told_from_private_ones() {
        for (range, expected) in [
            ("10.1.0.0/16", false),
            ("::1", false),
            ("192.0.2.1", true),
            ("10.0.0.0-11.0.0.0", true),
            ("100.64.0.0/10", true),
            ("0.0.0.0/0", true),
            ("fe80::/10", false),
        ] {
            assert_eq!(is_public(&range.parse().unwrap()), expected, "{range}");
        }
    }
}
