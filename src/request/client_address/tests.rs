//! One line a case: header, lines, select → client.

use super::*;
use crate::request::fixture::trusted;
use proptest::prelude::*;
use std::sync::Arc;

const PEER: &str = "10.0.0.1";

fn settings(header: ClientIpHeader, select: ClientIpSelect) -> ClientIp {
    ClientIp { header, select, trusted_proxies: trusted(&["10.0.0.0/8", "127.0.0.0/8", "::1/128"]) }
}

fn run(settings: &ClientIp, name: &str, lines: &[&str]) -> String {
    let mut fields = Fields::default();
    lines.iter().for_each(|line| fields.append(name, line.as_bytes()));
    let client = resolve(settings, PEER.parse().unwrap(), &fields);
    assert_eq!(client.peer_trusted, settings.header != ClientIpHeader::None);
    match (client.source, client.address) {
        (Source::Peer, Some(address)) => {
            assert_eq!(address.to_string(), PEER);
            "peer".into()
        }
        (Source::Header, Some(address)) => address.to_string(),
        (_, None) => "none".into(),
    }
}

/// Lines, then the answer of `first`, then that of `rightmost-untrusted`.
type Case = (&'static [&'static str], &'static str, &'static str);

fn check_all(header: &ClientIpHeader, name: &str, cases: &[Case]) {
    for (lines, first, rightmost) in cases {
        let answer = |select| run(&settings(header.clone(), select), name, lines);
        assert_eq!(answer(ClientIpSelect::First), *first, "first of {lines:?}");
        assert_eq!(answer(ClientIpSelect::RightmostUntrusted), *rightmost, "rightmost of {lines:?}");
    }
}

#[test]
fn x_forwarded_for() {
    check_all(
        &ClientIpHeader::XForwardedFor,
        "x-forwarded-for",
        &[
            (&[], "peer", "peer"),
            (&[""], "peer", "peer"),
            (&[" , ,", ","], "peer", "peer"),
            (&["192.0.2.1"], "192.0.2.1", "192.0.2.1"),
            (&["192.0.2.1, 198.51.100.2"], "192.0.2.1", "198.51.100.2"),
            (&["192.0.2.1, 198.51.100.2, 10.1.1.1"], "192.0.2.1", "198.51.100.2"),
            (&["192.0.2.1", "198.51.100.2"], "192.0.2.1", "198.51.100.2"),
            (&[",,192.0.2.1,\t,", "", "10.9.9.9,,"], "192.0.2.1", "192.0.2.1"),
            (&["10.0.0.7, 10.0.0.8"], "10.0.0.7", "10.0.0.7"),
            (&["192.0.2.1:4711"], "192.0.2.1", "192.0.2.1"),
            (&["192.0.2.1:"], "none", "none"),
            (&["192.0.2.1:65536"], "none", "none"),
            (&["192.0.2.1:+1"], "none", "none"),
            (&["192.0.2.1:000080"], "none", "none"),
            (&["192.0.2.1:_x"], "none", "none"),
            (&["2001:db8::1"], "2001:db8::1", "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1", "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1", "2001:db8::1"),
            (&["[2001:db8::1]4711"], "none", "none"),
            (&["[2001:db8::1"], "none", "none"),
            (&["[192.0.2.1]"], "none", "none"),
            (&["::ffff:192.0.2.1"], "192.0.2.1", "192.0.2.1"),
            (&["[::ffff:c000:201]:1"], "192.0.2.1", "192.0.2.1"),
            (&["192.0.2.1, ::ffff:10.0.0.3"], "192.0.2.1", "192.0.2.1"),
            (&["::192.0.2.1"], "::c000:201", "::c000:201"),
            (&["64:ff9b::192.0.2.1"], "64:ff9b::c000:201", "64:ff9b::c000:201"),
            (&["2002:c000:201::"], "2002:c000:201::", "2002:c000:201::"),
            (&["fe80::1%eth0"], "none", "none"),
            (&["[fe80::1%25eth0]:1"], "none", "none"),
            (&["010.0.0.1"], "none", "none"),
            (&["0x0a.0.0.1"], "none", "none"),
            (&["192.0.2.01"], "none", "none"),
            (&["::ffff:192.0.02.1"], "none", "none"),
            (&["3221225985"], "none", "none"),
            (&["192.0.513"], "none", "none"),
            (&["unknown"], "none", "none"),
            (&["_hidden"], "none", "none"),
            (&["\"192.0.2.1\""], "none", "none"),
            (&["192.0.2.1\u{a0}"], "none", "none"),
            (&["192.0.2.1 192.0.2.2"], "none", "none"),
            (&["192.0.2.1;for=x"], "none", "none"),
            (&["\u{661}92.0.2.1"], "none", "none"),
            (&["unknown, 198.51.100.2"], "none", "198.51.100.2"),
            (&["192.0.2.1, unknown"], "192.0.2.1", "none"),
            (&["192.0.2.1, unknown, 10.0.0.9"], "192.0.2.1", "none"),
            (&["192.0.2.1, \"198.51.100.2, 10.0.0.9"], "192.0.2.1", "none"),
            (&["10.0.0.3, unknown", "10.0.0.4"], "10.0.0.3", "none"),
        ],
    );
}

#[test]
fn forwarded_field() {
    check_all(
        &ClientIpHeader::Forwarded,
        "forwarded",
        &[
            (&[], "peer", "peer"),
            (&["", " , "], "peer", "peer"),
            (&["for=192.0.2.1"], "192.0.2.1", "192.0.2.1"),
            (&["For=192.0.2.1;proto=https;by=203.0.113.43"], "192.0.2.1", "192.0.2.1"),
            (&["proto=https;FOR=\"192.0.2.1\""], "192.0.2.1", "192.0.2.1"),
            (&["for=192.0.2.1, for=198.51.100.2"], "192.0.2.1", "198.51.100.2"),
            (&["for=192.0.2.1 ,\tfor=10.1.1.1", "for=10.1.1.2"], "192.0.2.1", "192.0.2.1"),
            (&["for=\"192.0.2.1:80\""], "192.0.2.1", "192.0.2.1"),
            (&["for=\"192.0.2.1:_obf\""], "192.0.2.1", "192.0.2.1"),
            (&["for=\"192.0.2.1:80:_obf\""], "none", "none"),
            (&["for=\"192.0.2.1:_\""], "none", "none"),
            (&["for=\"[2001:db8::1]\""], "2001:db8::1", "2001:db8::1"),
            (&["for=\"[2001:db8::1]:80\""], "2001:db8::1", "2001:db8::1"),
            (&["for=\"[2001:db8::1]:_a.b-c\""], "2001:db8::1", "2001:db8::1"),
            (&["for=\"[::ffff:192.0.2.1]\""], "192.0.2.1", "192.0.2.1"),
            (&["for=\"\\1\\92.0.2.1\""], "192.0.2.1", "192.0.2.1"),
            (&["for=\"2001:db8::1\""], "none", "none"),
            (&["for=2001:db8::1"], "none", "none"),
            (&["for=[2001:db8::1]"], "none", "none"),
            (&["for=192.0.2.1:80"], "none", "none"),
            (&["for=unknown"], "none", "none"),
            (&["for=_hidden"], "none", "none"),
            (&["for=\"\""], "none", "none"),
            (&["for="], "none", "none"),
            (&["for"], "none", "none"),
            (&["proto=https"], "none", "none"),
            (&[";"], "none", "none"),
            (&["for=192.0.2.1;"], "192.0.2.1", "192.0.2.1"),
            (&[";for=192.0.2.1"], "192.0.2.1", "192.0.2.1"),
            (&["for=192.0.2.1; proto=https"], "none", "none"),
            (&["for =192.0.2.1"], "none", "none"),
            (&["for= 192.0.2.1"], "none", "none"),
            (&["for=192.0.2.1 x"], "none", "none"),
            (&["for='192.0.2.1'"], "none", "none"),
            (&["for=\"192.0.2.1\"x"], "none", "none"),
            (&["for=\"192.0.2.1"], "none", "none"),
            (&["for=\"192.0.2.1\\"], "none", "none"),
            (&["for=192.0.2.1;for=192.0.2.1"], "none", "none"),
            (&["for=192.0.2.1;proto=a;For=198.51.100.2"], "none", "none"),
            (&["for=192.0.2.1, for=x"], "192.0.2.1", "none"),
            (&["for=x, for=192.0.2.1"], "none", "192.0.2.1"),
            (&["for=\"x, for=192.0.2.1"], "none", "none"),
            (&["for=192.0.2.1, for=\""], "192.0.2.1", "none"),
            (&["host=\"a, for=198.51.100.7\";for=192.0.2.1"], "192.0.2.1", "192.0.2.1"),
            (&["for=192.0.2.1;host=\"a;for=b\""], "192.0.2.1", "192.0.2.1"),
            (&["for=\"", "for=192.0.2.1"], "none", "none"),
            (&["for=\"00000000000000000000000000000000000000000000000000000000192.0.2.1\""], "none", "none"),
        ],
    );
}

#[test]
fn single_value_header() {
    let header = ClientIpHeader::Single(Arc::from("cf-connecting-ip"));
    check_all(
        &header,
        "cf-connecting-ip",
        &[
            (&[], "peer", "peer"),
            (&[" "], "peer", "peer"),
            (&["192.0.2.1"], "192.0.2.1", "192.0.2.1"),
            (&["[2001:db8::1]:1"], "2001:db8::1", "2001:db8::1"),
            (&["10.0.0.9"], "10.0.0.9", "10.0.0.9"),
            (&["192.0.2.1, 192.0.2.2"], "none", "none"),
            (&["192.0.2.1,"], "none", "none"),
            (&["192.0.2.1", "192.0.2.1"], "none", "none"),
            (&["", "192.0.2.1"], "none", "none"),
            (&["x"], "none", "none"),
        ],
    );
    check_all(&ClientIpHeader::None, "x-forwarded-for", &[(&["192.0.2.1"], "peer", "peer")]);
}

#[test]
fn an_untrusted_peer_is_the_client() {
    let mut fields = Fields::default();
    fields.append("x-forwarded-for", b"10.0.0.1");
    let settings = settings(ClientIpHeader::XForwardedFor, ClientIpSelect::First);
    let client = resolve(&settings, "::ffff:192.0.2.9".parse().unwrap(), &fields);
    let expected = ClientAddress {
        address: Some("192.0.2.9".parse().unwrap()),
        source: Source::Peer,
        peer_trusted: false,
        chained: false,
    };
    assert_eq!(client, expected);
    let mapped = resolve(&settings, "::ffff:10.0.0.1".parse().unwrap(), &fields);
    assert!(mapped.peer_trusted);
}

/// What SPEC says of `rightmost-untrusted`, walked from the right.
fn naive(values: &[&str]) -> String {
    let proxies = trusted(&["10.0.0.0/8"]);
    let mut last = "peer".to_owned();
    for value in values.iter().rev().map(|value| value.trim()).filter(|value| !value.is_empty()) {
        match value.parse::<IpAddr>() {
            Err(_) => return "none".into(),
            Ok(address) if proxies.contain(address) => last = address.to_string(),
            Ok(address) => return address.to_string(),
        }
    }
    last
}

proptest! {
    #[test]
    fn ipv4_is_read_as_the_standard_library_reads_it(
        any_text in "[0-9.]{0,16}|[0-9a-f:.% \\[\\]]{0,12}",
        address: Ipv4Addr,
        at: prop::sample::Index,
        sign in "[0-9.]",
    ) {
        let mut text = address.to_string();
        prop_assert_eq!(ipv4(text.as_bytes()), Some(address));
        text.insert_str(at.index(text.len() + 1), &sign);
        for text in [any_text, text] {
            prop_assert_eq!(ipv4(text.as_bytes()), text.parse().ok(), "{}", text);
        }
    }
}

proptest! {
    #[test]
    fn rightmost_as_walked_from_the_right(
        values in prop::collection::vec(prop::sample::select(vec!["", " ", "10.0.0.2", "10.0.0.3", "192.0.2.1", "x", "::5"]), 0..7),
        cut in 0_usize..7,
    ) {
        let (left, right) = values.split_at(cut.min(values.len()));
        let lines = [left.join(","), right.join(" , ")];
        let settings = settings(ClientIpHeader::XForwardedFor, ClientIpSelect::RightmostUntrusted);
        let answer = run(&settings, "x-forwarded-for", &[&lines[0], &lines[1]]);
        prop_assert_eq!(answer, naive(&values));
    }

    #[test]
    fn never_panics(line in "[ -~\u{80}]{0,60}") {
        for header in [ClientIpHeader::XForwardedFor, ClientIpHeader::Forwarded] {
            for name in ["x-forwarded-for", "forwarded"] {
                run(&settings(header.clone(), ClientIpSelect::RightmostUntrusted), name, &[&line]);
            }
        }
    }

    #[test]
    fn what_is_well_formed_is_read_to_its_end(line in "(for=|\"|[1;,= ]|\\\\|192\\.0\\.2\\.1){0,12}") {
        let hops: Vec<Hop> = forwarded::hops(line.as_bytes()).collect();
        if !forwarded::is_well_formed(line.as_bytes()) {
            prop_assert_eq!(hops.last(), Some(&Hop::Unknown));
        }
    }
}
