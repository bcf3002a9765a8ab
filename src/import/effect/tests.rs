//! The sweep against its naive twin: rules are asked one after the other.

use super::*;
use proptest::prelude::*;

/// Ranges of a small space, so that they overlap; at both ends of it, and around the IPv4-mapped addresses.
fn range() -> impl Strategy<Value = AddressRange> {
    let space = prop_oneof![
        Just(0_u128),
        Just(0x0a00_0000),
        Just(u128::from(u32::MAX) - 31),
        Just(1 << 80),
        Just((1 << 80) + (0xffff_0000_0000 - 16)),
        Just(0xffff_0000_0000 - 16),
        Just(0xffff_ffff_ffff - 8),
        Just(u128::MAX - 31),
    ];
    (space, 0..24_u128, 0..8_u128).prop_filter_map("a range", |(base, start, length)| {
        let v6 = base > u128::from(u32::MAX);
        let (start, end) = (base.checked_add(start)?, base.checked_add(start)?.checked_add(length)?);
        AddressRange::new(address(start, v6), address(end, v6)).ok()
    })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![Just(Action::Allow), Just(Action::Block)]
}

/// Every address near a range.
fn probes(rules: &[Rule]) -> Vec<IpAddr> {
    let near = |at: IpAddr| {
        let (bits, v6) = (bits(at), at.is_ipv6());
        let around = [bits.checked_sub(1), Some(bits), bits.checked_add(1)].into_iter().flatten();
        around.filter(move |bits| v6 || *bits <= u32::MAX.into()).map(move |bits| address(bits, v6))
    };
    let ends = ["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];
    let ends = ends.into_iter().map(|end| end.parse().unwrap());
    rules.iter().flat_map(|(range, _)| near(range.start()).chain(near(range.end()))).chain(ends).collect()
}

fn first_match(rules: &[Rule], default: Action, address: IpAddr) -> Action {
    rules.iter().find(|(range, _)| range.contains(address)).map_or(default, |(_, action)| *action)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_effect_is_that_of_the_first_match(
        rules in prop::collection::vec((range(), action()), 0..12), default in action(),
    ) {
        let (entries, _) = of_ordered(&rules, default);
        let acl = compiled(&entries, default);
        for probe in probes(&rules) {
            prop_assert_eq!(acl.test(Some(probe)).action, first_match(&rules, default, probe), "{}", probe);
        }
        prop_assert!(acl.crossings(1).is_empty() || entries.len() <= rules.len());
    }

    #[test]
    fn a_complement_is_everything_else(ranges in prop::collection::vec(range(), 0..8)) {
        let others = complement(&ranges);
        let rules: Vec<Rule> = ranges.iter().map(|range| (*range, Action::Allow)).collect();
        for probe in probes(&rules) {
            let inside = ranges.iter().any(|range| range.contains(probe));
            prop_assert_eq!(others.iter().any(|range| range.contains(probe)), !inside, "{}", probe);
        }
    }
}

#[test]
fn the_authors_ranges_stay_where_they_say_the_same() {
    let rule = |text: &str, action| (text.parse::<AddressRange>().unwrap(), action);
    let narrow_first = [rule("10.0.0.1", Action::Block), rule("10.0.0.0/8", Action::Allow)];
    let (entries, worked_out) = of_ordered(&narrow_first, Action::Block);
    assert_eq!((entries.as_slice(), worked_out), (narrow_first.as_slice(), false));
    let wide_first = [rule("10.0.0.0/8", Action::Allow), rule("10.0.0.1", Action::Block)];
    let (entries, worked_out) = of_ordered(&wide_first, Action::Block);
    assert_eq!((entries.as_slice(), worked_out), ([rule("10.0.0.0/8", Action::Allow)].as_slice(), true));
}

#[test]
fn a_long_list_takes_no_longer_than_it_must() {
    let rules: Vec<Rule> = (0..50_000_u32)
        .map(|number| {
            let start = Ipv4Addr::from_bits(number << 4);
            let range =
                AddressRange::new(start.into(), Ipv4Addr::from_bits((number << 4) + 40).into()).unwrap();
            (range, if number % 2 == 0 { Action::Allow } else { Action::Block })
        })
        .collect();
    let begun = std::time::Instant::now();
    assert!(of_ordered(&rules, Action::Allow).1);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
