//! Ranges: what is read, what is refused and in which words.

use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<AddressRange, RangeError> {
    text.parse()
}

#[test]
fn reads_and_prints_canonically() {
    #[rustfmt::skip]
    let cases = [
        // text                                         start              end                canonical
        ("10.0.0.1",                                    "10.0.0.1",        "10.0.0.1",        "10.0.0.1"),
        ("10.0.0.1/32",                                 "10.0.0.1",        "10.0.0.1",        "10.0.0.1"),
        ("10.0.0.1-10.0.0.1",                           "10.0.0.1",        "10.0.0.1",        "10.0.0.1"),
        ("10.0.0.0/8",                                  "10.0.0.0",        "10.255.255.255",  "10.0.0.0/8"),
        ("10.0.0.0-10.255.255.255",                     "10.0.0.0",        "10.255.255.255",  "10.0.0.0/8"),
        ("10.0.0.1 - 10.0.0.9",                         "10.0.0.1",        "10.0.0.9",        "10.0.0.1-10.0.0.9"),
        (" 10.0.0.1\t-10.0.0.9 ",                       "10.0.0.1",        "10.0.0.9",        "10.0.0.1-10.0.0.9"),
        ("10.0.0.1-10.0.0.2",                           "10.0.0.1",        "10.0.0.2",        "10.0.0.1-10.0.0.2"),
        ("71.205.92.217-76.104.251.50",                 "71.205.92.217",   "76.104.251.50",   "71.205.92.217-76.104.251.50"),
        ("0.0.0.0/0",                                   "0.0.0.0",         "255.255.255.255", "0.0.0.0/0"),
        ("0.0.0.0-255.255.255.255",                     "0.0.0.0",         "255.255.255.255", "0.0.0.0/0"),
        ("255.255.255.255",                             "255.255.255.255", "255.255.255.255", "255.255.255.255"),
        ("2001:DB8:0::/48",                             "2001:db8::",      "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "2001:db8::/48"),
        ("2001:db8::1-2001:db8::9",                     "2001:db8::1",     "2001:db8::9",     "2001:db8::1-2001:db8::9"),
        ("::/0",                                        "::",              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
        ("::1/128",                                     "::1",             "::1",             "::1"),
        // folded
        ("::ffff:10.0.0.0/104",                         "10.0.0.0",        "10.255.255.255",  "10.0.0.0/8"),
        ("::ffff:0:0/96",                               "0.0.0.0",         "255.255.255.255", "0.0.0.0/0"),
        ("::ffff:a00:1",                                "10.0.0.1",        "10.0.0.1",        "10.0.0.1"),
        ("::ffff:10.0.0.1-::ffff:10.0.0.9",             "10.0.0.1",        "10.0.0.9",        "10.0.0.1-10.0.0.9"),
        ("::ffff:10.0.0.1-10.0.0.9",                    "10.0.0.1",        "10.0.0.9",        "10.0.0.1-10.0.0.9"),
        // over the mapped addresses, yet IPv6
        ("::fffe:0:0/95",                               "::fffe:0:0",      "::ffff:255.255.255.255", "::fffe:0:0/95"),
        ("::/80",                                       "::",              "::ffff:255.255.255.255", "::/80"),
        ("::-::ffff:255.255.255.255",                   "::",              "::ffff:255.255.255.255", "::/80"),
        ("::1-::1:0:0:0",                               "::1",             "::1:0:0:0",       "::1-::1:0:0:0"),
        // addresses of their own
        ("64:ff9b::a00:1",                              "64:ff9b::a00:1",  "64:ff9b::a00:1",  "64:ff9b::a00:1"),
        ("::10.0.0.1",                                  "::a00:1",         "::a00:1",         "::a00:1"),
    ];
    for (text, start, end, canonical) in cases {
        let range = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(range.start(), start.parse::<IpAddr>().unwrap(), "{text}");
        assert_eq!(range.end(), end.parse::<IpAddr>().unwrap(), "{text}");
        assert_eq!(range.to_string(), canonical, "{text}");
    }
}

#[test]
fn refuses_in_helpful_words() {
    #[rustfmt::skip]
    let cases = [
        ("",                              "empty; expected an address, a CIDR block or `start-end`"),
        (" \t",                           "empty; expected an address, a CIDR block or `start-end`"),
        ("10.0.0.5/8",                    "`10.0.0.5/8` has host bits set; the network is `10.0.0.0/8`"),
        ("::ffff:10.0.0.5/104",           "`::ffff:10.0.0.5/104` has host bits set; the network is `10.0.0.0/8`"),
        ("::ffff:0:0/95",                 "`::ffff:0:0/95` has host bits set; the network is `::fffe:0:0/95`"),
        ("::ffff:10.0.0.0/8",             "`::ffff:10.0.0.0/8` has host bits set; the network is `::/8`"),
        ("2001:db8::1/64",                "`2001:db8::1/64` has host bits set; the network is `2001:db8::/64`"),
        ("1.2.3.4/0",                     "`1.2.3.4/0` has host bits set; the network is `0.0.0.0/0`"),
        ("010.0.0.1",                     "`010.0.0.1` has a zero-padded octet, which some read as octal; write it without leading zeros"),
        ("10.0.0.1-10.0.0.010",           "`10.0.0.010` has a zero-padded octet, which some read as octal; write it without leading zeros"),
        ("10.00.0.0/8",                   "`10.00.0.0` has a zero-padded octet, which some read as octal; write it without leading zeros"),
        ("::ffff:010.0.0.1",              "`::ffff:010.0.0.1` has a zero-padded octet, which some read as octal; write it without leading zeros"),
        ("10.0.0.9-10.0.0.1",             "start `10.0.0.9` is above end `10.0.0.1`"),
        ("::2-::1",                       "start `::2` is above end `::1`"),
        ("10.0.0.1-::2",                  "`10.0.0.1` and `::2` are not of one family"),
        ("::1-::ffff:10.0.0.1",           "`::1` and `::ffff:10.0.0.1` are not of one family"),
        ("::ffff:10.0.0.1-::1:0:0:0",     "`::ffff:10.0.0.1` and `::1:0:0:0` are not of one family"),
        ("::ffff:255.255.255.255-::",     "`::ffff:255.255.255.255` and `::` are not of one family"),
        ("fe80::1%eth0",                  "`fe80::1%eth0` has a zone id, which means nothing to another host; write the address without it"),
        ("fe80::%eth0/64",                "`fe80::%eth0` has a zone id, which means nothing to another host; write the address without it"),
        ("fe80::1%a-fe80::2%a",           "`fe80::1%a` has a zone id, which means nothing to another host; write the address without it"),
        ("10.0.0.0/255.0.0.0",            "`10.0.0.0/255.0.0.0` has a dotted mask; write a prefix length, as in `10.0.0.0/8`"),
        ("10.0.0.0/33",                   "prefix length `33` is too long; an address of this family has 32 bits"),
        ("::/129",                        "prefix length `129` is too long; an address of this family has 128 bits"),
        ("::/999",                        "prefix length `999` is too long; an address of this family has 128 bits"),
        ("10.0.0.0/",                     "`` is not a prefix length"),
        ("10.0.0.0/+8",                   "`+8` is not a prefix length"),
        ("10.0.0.0/08",                   "`08` is not a prefix length"),
        ("10.0.0.0/00",                   "`00` is not a prefix length"),
        ("10.0.0.0/8/8",                  "`8/8` is not a prefix length"),
        ("10.0.0.0/ 8",                   "` 8` is not a prefix length"),
        ("10.0.0.0/1000",                 "`1000` is not a prefix length"),
        ("/8",                            "`` is not an IP address"),
        ("-",                             "`` is not an IP address"),
        ("10.0.0.1-",                     "`` is not an IP address"),
        ("10.0.0.0/8-11.0.0.0/8",         "`10.0.0.0/8` is not an IP address"),
        ("1-2-3",                         "`1` is not an IP address"),
        ("*",                             "`*` is not an IP address"),
        ("10.0.0",                        "`10.0.0` is not an IP address"),
        ("10.0.0.256",                    "`10.0.0.256` is not an IP address"),
        ("0x0a.0.0.1",                    "`0x0a.0.0.1` is not an IP address"),
        ("167772161",                     "`167772161` is not an IP address"),
        ("10.0.0.1:80",                   "`10.0.0.1:80` is not an IP address"),
        ("[::1]",                         "`[::1]` is not an IP address"),
        ("localhost",                     "`localhost` is not an IP address"),
        ("１0.0.0.1",                     "`１0.0.0.1` is not an IP address"),
        ("10.0.0.1\n10.0.0.2",            "`10.0.0.1\\n10.0.0.2` is not an IP address"),
        ("10.0.0.1\u{a0}",                "`10.0.0.1\u{a0}` is not an IP address"),
    ];
    for (text, message) in cases {
        assert_eq!(parse(text).map_err(|error| error.to_string()), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn long_texts_are_cut_in_messages() {
    let message = parse(&"x".repeat(100_000)).unwrap_err().to_string();
    assert_eq!(message, format!("`{}…` is not an IP address", "x".repeat(64)));
}

#[test]
fn covers_clients_of_its_family_alone() {
    #[rustfmt::skip]
    let cases = [
        ("10.0.0.0/8",        "10.0.0.0",             true),
        ("10.0.0.0/8",        "10.255.255.255",       true),
        ("10.0.0.0/8",        "9.255.255.255",        false),
        ("10.0.0.0/8",        "11.0.0.0",             false),
        ("10.0.0.0/8",        "::ffff:10.1.2.3",      true),
        ("10.0.0.0/8",        "::10.1.2.3",           false),
        ("::/0",              "10.0.0.1",             false),
        ("::/0",              "::ffff:10.0.0.1",      false),
        ("::/0",              "::1",                  true),
        ("::fffe:0:0/95",     "::ffff:10.0.0.1",      false),
        ("::fffe:0:0/95",     "::fffe:10.0.0.1",      true),
        ("0.0.0.0/0",         "::",                   false),
    ];
    for (range, client, expected) in cases {
        assert_eq!(parse(range).unwrap().contains(client.parse().unwrap()), expected, "{range} {client}");
    }
}

#[test]
fn compares_sizes() {
    let compare = |a: &str, b: &str| parse(a).unwrap().compare_size(&parse(b).unwrap());
    assert_eq!(compare("10.0.0.0/24", "192.0.2.0/24"), Ordering::Equal);
    assert_eq!(compare("10.0.0.0/25", "192.0.2.0/24"), Ordering::Less);
    assert_eq!(compare("0.0.0.0/0", "0.0.0.0-255.255.255.254"), Ordering::Greater);
    assert_eq!(compare("::/0", "::/1"), Ordering::Greater);
}

#[test]
fn an_address_is_a_range() {
    assert_eq!(AddressRange::from("::ffff:10.0.0.1".parse::<IpAddr>().unwrap()), parse("10.0.0.1").unwrap());
}

/// Any address, the mapped ones and the edges often.
fn address() -> impl Strategy<Value = IpAddr> {
    let mapped = |bits: u32| Ipv4Addr::from_bits(bits).to_ipv6_mapped().into();
    prop_oneof![
        any::<Ipv4Addr>().prop_map(IpAddr::V4),
        any::<Ipv6Addr>().prop_map(IpAddr::V6),
        any::<u32>().prop_map(mapped),
        prop_oneof![Just(0), Just(u32::MAX)].prop_map(mapped),
        prop_oneof![Just(0), Just(u128::MAX)].prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
    ]
}

proptest! {
    #[test]
    fn prints_what_it_reads(start in address(), end in address()) {
        if let Ok(range) = AddressRange::new(start, end) {
            prop_assert_eq!(parse(&range.to_string()), Ok(range));
            prop_assert_eq!(AddressRange::new(range.start(), range.end()), Ok(range));
            prop_assert_eq!(parse(&format!("{start} - {end}")), Ok(range));
        }
    }

    #[test]
    fn blocks_print_what_they_read(address in address(), prefix in 0_u8..=128) {
        let network = match parse(&format!("{address}/{prefix}")) {
            Ok(range) | Err(RangeError::HostBits { network: range, .. }) => range,
            Err(error) => {
                prop_assert_eq!(error, RangeError::PrefixTooLong { prefix: prefix.into(), bits: 32 });
                return Ok(());
            }
        };
        prop_assert_eq!(parse(&network.to_string()), Ok(network));
        prop_assert!(network.prefix_length().is_some());
        // A block under the mapped addresses' own prefix may lie around one without covering it as a client.
        prop_assert!(network.contains(address) || (prefix < 96 && address.to_canonical().is_ipv4()));
    }

    #[test]
    fn never_panics(text in "[0-9a-f:./% -]{0,40}|.*") {
        let _ = parse(&text).map_err(|error| error.to_string());
    }
}
