//! The compiled list decides as its naive twin does: the narrowest range wins, Block among equals.
#![no_main]

use aclgate::policy::acl::{Action, IpAclBuilder, Place};
use aclgate::policy::range::AddressRange;
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn address(bytes: &[u8]) -> IpAddr {
    let [kind, high, low] = *bytes else { return IpAddr::V4(Ipv4Addr::LOCALHOST) };
    if kind & 1 == 0 {
        IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
    } else {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, u16::from(high), u16::from(low)))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let default = if bytes.first().is_some_and(|byte| byte & 1 == 1) { Action::Allow } else { Action::Block };
    let mut builder = IpAclBuilder::new(uuid::Uuid::nil(), "fuzz", default);
    let mut entries = Vec::new();
    for (line, piece) in bytes.get(1..).unwrap_or_default().chunks_exact(6).take(64).enumerate() {
        let (first, second) = piece.split_at(3);
        let action = if first[0] & 2 == 0 { Action::Allow } else { Action::Block };
        let Ok(range) = AddressRange::new(address(first), address(second)) else { continue };
        builder.push(range, action, Place { file: 0, line: u32::try_from(line).unwrap() });
        entries.push((range, action));
    }
    let acl = builder.build();
    for probe in bytes.windows(3).take(200).map(address) {
        let twin = entries
            .iter()
            .filter(|(range, _)| range.contains(probe))
            .min_by(|(a, a_action), (b, b_action)| {
                a.compare_size(b).then((*a_action == Action::Allow).cmp(&(*b_action == Action::Allow)))
            })
            .map_or(default, |(_, action)| *action);
        assert_eq!(acl.test(Some(probe)).action, twin, "{probe} in {entries:?}");
    }
});
