//! How often an address may present a wrong key.
//!
//! Each address (IPv6: each /64, which one host may have all of) has a bucket of [`BURST`] failures that refills by one
//! each [`REFILL`]. While it is empty no key from there is looked at, right or wrong: an answer would say which. The
//! table has at most [`ADDRESSES`] buckets; full ones are forgotten first, and if all are in use the oldest goes.
//!
//! Deliberately absent: a limit on requests without a key, which guess nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Failures in a row.
pub const BURST: u32 = 10;
/// After which one more is allowed.
pub const REFILL: Duration = Duration::from_secs(6);
/// Addresses that are remembered.
const ADDRESSES: usize = 4096;

/// Failures by address.
#[derive(Debug, Default)]
pub struct Throttle {
    buckets: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When all of its failures will be forgiven.
    forgiven: Instant,
}

impl Throttle {
    /// How long an address has to wait, if it has to.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let owed = self.buckets.get(&network(address))?.forgiven.saturating_duration_since(now);
        let most = REFILL * (BURST - 1);
        owed.checked_sub(most).filter(|wait| !wait.is_zero())
    }

    /// Notes a wrong key.
    pub fn failed(&mut self, address: IpAddr, now: Instant) {
        self.make_room(now);
        let bucket = self.buckets.entry(network(address)).or_insert(Bucket { forgiven: now });
        bucket.forgiven = bucket.forgiven.max(now) + REFILL;
    }

    fn make_room(&mut self, now: Instant) {
        if self.buckets.len() < ADDRESSES {
            return;
        }
        self.buckets.retain(|_, bucket| bucket.forgiven > now);
        if self.buckets.len() >= ADDRESSES
            && let Some(first) =
                self.buckets.iter().min_by_key(|(_, bucket)| bucket.forgiven).map(|(key, _)| *key)
        {
            self.buckets.remove(&first);
        }
    }
}

/// What one host has: an IPv4 address, or an IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_at_a_time() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..BURST {
            assert_eq!(throttle.wait(one, start), None);
            throttle.failed(one, start);
        }
        assert_eq!(throttle.wait(one, start), Some(REFILL));
        assert_eq!(throttle.wait("::ffff:192.0.2.1".parse().unwrap(), start), Some(REFILL));
        assert_eq!(throttle.wait("192.0.2.2".parse().unwrap(), start), None, "others are not held up");
        assert_eq!(throttle.wait(one, start + REFILL), None);
        throttle.failed(one, start + REFILL);
        assert_eq!(throttle.wait(one, start + REFILL), Some(REFILL));
        let later = start + REFILL * (BURST + 1);
        for _ in 0..BURST {
            assert_eq!(throttle.wait(one, later), None, "all is forgiven");
            throttle.failed(one, later);
        }
    }

    #[test]
    fn a_host_has_a_whole_network_and_the_table_is_bounded() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for host in 0..u128::from(BURST) {
            throttle.failed(IpAddr::V6((0x2001_0db8_u128 << 96 | host).into()), now);
        }
        assert!(throttle.wait("2001:db8::ffff".parse().unwrap(), now).is_some());
        for network in 0..10_000_u128 {
            throttle.failed(IpAddr::V6((network << 64).into()), now);
        }
        assert!(throttle.buckets.len() <= ADDRESSES);
        assert!(throttle.wait("2001:db8::1".parse().unwrap(), now).is_some(), "who failed most is kept");
    }
}
