//! A range that is accepted contains both of its ends and reads the same when it is written out.
//!
//! But for IPv6 blocks that reach over the IPv4-mapped addresses, however they are written (`::/80`, `::-::ffff:ffff:ffff`):
//! an end among these is IPv4 by itself, of which such a block has none.
#![no_main]

use aclgate::policy::range::AddressRange;
use libfuzzer_sys::fuzz_target;
use std::net::IpAddr;

fuzz_target!(|text: &str| {
    let Ok(range) = text.parse::<AddressRange>() else { return };
    assert!(range.start() <= range.end());
    let is_mapped = |end: IpAddr| end.to_canonical() != end;
    if is_mapped(range.start()) || is_mapped(range.end()) {
        assert!(range.prefix_length().is_some(), "no ends of two families but those of a block: {text}");
        return;
    }
    assert!(range.contains(range.start()) && range.contains(range.end()));
    let again: AddressRange = format!("{}-{}", range.start(), range.end()).parse().unwrap();
    assert_eq!((again.start(), again.end()), (range.start(), range.end()));
});
