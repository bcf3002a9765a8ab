//! The union against asking every ACL.

use super::*;
use crate::policy::acl::{IpAclBuilder, Place};
use ::uuid::Uuid;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn acl(default: Action, ranges: &[(IpAddr, IpAddr, Action)]) -> Arc<IpAcl> {
    let mut builder = IpAclBuilder::new(Uuid::nil(), "test", default);
    for (start, end, action) in ranges {
        let range = crate::policy::range::AddressRange::new(*start, *end).unwrap();
        builder.push(range, *action, Place { file: 0, line: 1 });
    }
    Arc::new(builder.build())
}

fn v4(bits: u32) -> IpAddr {
    Ipv4Addr::from_bits(bits).into()
}

fn v6(bits: u32) -> IpAddr {
    Ipv6Addr::from_bits(u128::from(bits) << 96 | u128::from(bits)).into()
}

use Action::{Allow, Block};

#[test]
fn without_an_acl_nobody_is_blocked() {
    let union = BlockUnion::of([].into_iter());
    assert!(!union.any_blocks(None));
    assert!(!union.any_blocks(Some(v4(1))));
}

#[test]
fn one_acl_is_not_copied() {
    let only = acl(Allow, &[(v4(1), v4(5), Block)]);
    let union = BlockUnion::of([&only, &only, &Arc::clone(&only)].into_iter());
    assert!(matches!(&union.0, Form::One(acl) if Arc::ptr_eq(acl, &only)));
    assert!(union.any_blocks(None));
    assert!(union.any_blocks(Some(v4(5))));
    assert!(!union.any_blocks(Some(v4(6))));
}

#[test]
fn an_unknown_client_is_blocked_by_any_acl() {
    let (a, b) = (acl(Allow, &[]), acl(Allow, &[]));
    let union = BlockUnion::of([&a, &b].into_iter());
    assert!(union.any_blocks(None));
    assert!(!union.any_blocks(Some(v4(7))));
    assert!(!union.any_blocks(Some(v6(7))));
}

#[test]
fn mapped_clients_are_ipv4() {
    let (a, b) = (acl(Allow, &[(v4(1), v4(5), Block)]), acl(Allow, &[(v6(1), v6(5), Block)]));
    let union = BlockUnion::of([&a, &b].into_iter());
    assert!(union.any_blocks(Some(Ipv4Addr::from_bits(3).to_ipv6_mapped().into())));
    assert!(!union.any_blocks(Some(Ipv4Addr::from_bits(6).to_ipv6_mapped().into())));
    assert!(union.any_blocks(Some(v6(1))));
}

#[test]
fn a_crowd_of_small_acls_is_merged() {
    let acls: Vec<_> = (0..20_000_u32)
        .map(|at| acl(if at % 2 == 0 { Allow } else { Block }, &[(v4(at * 10), v4(at * 10 + 5), Block)]))
        .collect();
    let allowing = acls.iter().step_by(2);
    let union = BlockUnion::of(allowing.clone());
    for probe in (0..300).chain([199_979, 199_980, 199_985, 199_986, u32::MAX]) {
        let expected = allowing.clone().any(|acl| acl.test(Some(v4(probe))).action == Block);
        assert_eq!(union.any_blocks(Some(v4(probe))), expected, "{probe}");
    }
    let Form::Merged(families) = &union.0 else { panic!("several") };
    assert_eq!(families.0.toggles.len(), 20_000);
    // One that blocks everything leaves one span.
    let Form::Merged(families) = BlockUnion::of(acls.iter()).0 else { panic!("several") };
    assert_eq!((&*families.0.toggles, &*families.1.toggles), (&[0][..], &[0][..]));
}

type Ranges = Vec<(IpAddr, IpAddr, Action)>;

fn acls() -> impl Strategy<Value = Vec<(Action, Ranges)>> {
    let bound = prop_oneof![4 => 0_u32..60, 1 => Just(u32::MAX), 1 => any::<u32>()];
    let action = prop_oneof![Just(Allow), Just(Block)];
    let range = (bound.clone(), bound, any::<bool>(), action.clone()).prop_map(|(a, b, narrow, action)| {
        let address = if narrow { v4 } else { v6 };
        (address(a.min(b)), address(a.max(b)), action)
    });
    prop::collection::vec((action, prop::collection::vec(range, 0..6)), 0..5)
}

proptest! {
    #[test]
    fn answers_as_all_acls_together(acls in acls()) {
        let compiled: Vec<_> = acls.iter().map(|(default, ranges)| acl(*default, ranges)).collect();
        let union = BlockUnion::of(compiled.iter());
        let edges = acls.iter().flat_map(|(_, ranges)| ranges).flat_map(|(start, end, _)| [*start, *end]);
        let around = |edge: IpAddr| match edge {
            IpAddr::V4(edge) => [edge.to_bits().previous(), edge.to_bits(), edge.to_bits().saturating_add(1)].map(v4),
            IpAddr::V6(edge) => [edge.to_bits().previous(), edge.to_bits(), edge.to_bits().saturating_add(1)]
                .map(|bits| Ipv6Addr::from_bits(bits).into()),
        };
        let clients = edges.flat_map(around).chain([v4(0), v4(u32::MAX), v6(0), v6(u32::MAX)]).map(Some);
        for client in clients.chain([None]) {
            let expected = compiled.iter().any(|acl| acl.test(client).action == Block);
            prop_assert_eq!(union.any_blocks(client), expected, "{:?}", client);
        }
    }
}
