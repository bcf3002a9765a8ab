//! Databases that the tests write, and a naive twin: the database asked address by address.

use super::mmdb::{Said, write};
use super::*;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn country(code: &str) -> Origin {
    Origin::Country(code.parse().unwrap())
}

fn read(bytes: &[u8], kind: OriginKind, origin: Origin) -> Vec<String> {
    let mut all = ranges(bytes, kind, |wanted| wanted == origin).unwrap();
    all.remove(&origin).unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn countries_become_ranges() {
    let bytes = write(
        "GeoLite2-Country",
        &[
            ("192.0.2.0/25", Said::Country("CH")),
            ("192.0.2.128/26", Said::Country("CH")),
            ("192.0.2.192/26", Said::Country("DE")),
            ("192.0.3.0/24", Said::Country("CH")),
            ("198.51.100.0/24", Said::Code("CH")),
            ("203.0.113.0/24", Said::Registered("CH")),
            ("2001:db8::/33", Said::Country("CH")),
            ("2001:db8:8000::/33", Said::Country("CH")),
            ("2001:db9::/32", Said::Country("DE")),
        ],
    );
    let kind = OriginKind::Country;
    let swiss = ["192.0.2.0-192.0.2.191", "192.0.3.0/24", "198.51.100.0/24", "2001:db8::/32"];
    assert_eq!(
        read(&bytes, kind, country("CH")),
        swiss,
        "neighbours are one; where it is registered does not count"
    );
    assert_eq!(read(&bytes, kind, country("DE")), ["192.0.2.192/26", "2001:db9::/32"]);
    assert_eq!(read(&bytes, kind, country("FR")), Vec::<String>::new());
}

#[test]
fn autonomous_systems_become_ranges() {
    let bytes = write(
        "ASN",
        &[
            ("192.0.2.0/24", Said::Asn(64496)),
            ("198.51.100.0/24", Said::ShortAsn(64496)),
            ("2001:db8::/32", Said::Asn(4_200_000_000)),
        ],
    );
    assert_eq!(read(&bytes, OriginKind::Asn, Origin::Asn(64496)), ["192.0.2.0/24", "198.51.100.0/24"]);
    assert_eq!(read(&bytes, OriginKind::Asn, Origin::Asn(4_200_000_000)), ["2001:db8::/32"]);
}

#[test]
fn what_is_no_such_database_is_refused() {
    let bytes = write("GeoLite2-ASN", &[("192.0.2.0/24", Said::Asn(64496))]);
    let error = ranges(&bytes, OriginKind::Country, |_| true).unwrap_err().to_string();
    assert_eq!(error, "it is a database of type `GeoLite2-ASN`, which says nothing of countries");
    for bytes in [&b""[..], b"192.0.2.0/24 CH\n", &bytes[..bytes.len() / 2], &bytes[20..]] {
        let error = ranges(bytes, OriginKind::Asn, |_| true).unwrap_err();
        assert!(matches!(error, DatabaseError::Broken(_)), "{error}");
    }
}

/// The databases of `tests/cases` and `tests/invalid`. Run with `BLESS=1` to write them anew.
#[test]
fn databases_of_the_cases_are_what_the_writer_makes() {
    let countries = [
        ("198.51.100.0/24", Said::Country("CH")),
        ("203.0.113.0/25", Said::Country("CH")),
        ("203.0.113.128/25", Said::Country("DE")),
        ("192.0.2.0/24", Said::Country("DE")),
        ("192.0.2.64/28", Said::Country("FR")),
        ("2001:db8::/32", Said::Country("CH")),
        ("2001:db9::/32", Said::Country("FR")),
    ];
    let asns = [
        ("198.51.100.0/25", Said::Asn(64496)),
        ("203.0.113.0/24", Said::Asn(64497)),
        ("192.0.2.0/24", Said::Asn(64496)),
        ("2001:db8:1::/48", Said::Asn(64496)),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (name, kind, networks) in
        [("country.mmdb", "GeoLite2-Country", &countries[..]), ("asn.mmdb", "GeoLite2-ASN", &asns[..])]
    {
        let bytes = write(kind, networks);
        for path in [folder.join("cases/geography").join(name), folder.join("invalid/geo").join(name)] {
            if std::env::var_os("BLESS").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &bytes).unwrap();
            }
            assert!(std::fs::read(&path).unwrap_or_default() == bytes, "{}", path.display());
        }
    }
}

/// Networks near each other, in both families.
fn networks() -> impl Strategy<Value = Vec<(String, u8)>> {
    let v4 = (any::<u8>(), 24_u8..=32).prop_map(|(last, bits)| {
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        format!("{}/{bits}", Ipv4Addr::from_bits((0xc000_0200 | u32::from(last)) & mask))
    });
    let v6 = (any::<u8>(), 33_u8..=48).prop_map(|(part, bits)| {
        let address = 0x2001_0db8_u128 << 96 | u128::from(part) << 88;
        format!("{}/{bits}", Ipv6Addr::from_bits(address & u128::MAX << (128 - bits)))
    });
    prop::collection::vec((prop_oneof![v4, v6], 0_u8..4), 1..40)
}

proptest! {
    #[test]
    fn ranges_say_what_the_database_says(networks in networks()) {
        let codes = ["CH", "DE", "FR", "AT"];
        let said: Vec<_> =
            networks.iter().map(|(network, code)| (&**network, Said::Country(codes[usize::from(*code)]))).collect();
        let bytes = write("Country", &said);
        let all = ranges(&bytes, OriginKind::Country, |_| true).unwrap();
        let reader = Reader::from_source(&bytes[..]).unwrap();
        let v4 = (0..=255_u8).map(|last| IpAddr::from([192, 0, 2, last]));
        let v6 = (0..=255_u128).map(|part| Ipv6Addr::from_bits(0x2001_0db8 << 96 | part << 88 | 7).into());
        for address in v4.chain(v6) {
            let record: Option<Record<'_>> = reader.lookup(address).unwrap().decode().unwrap();
            let expected = record.and_then(|record| record.origin(OriginKind::Country));
            let found: Vec<_> = all
                .iter()
                .filter(|(_, ranges)| ranges.iter().any(|range| range.contains(address)))
                .map(|(origin, _)| *origin)
                .collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{}", address);
        }
    }

    #[test]
    fn any_bytes_are_answered(mut bytes in prop::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>()) {
        let good = write("Country", &[("192.0.2.0/24", Said::Country("CH")), ("2001:db8::/32", Said::Country("DE"))]);
        let at = at.index(good.len());
        bytes.splice(0..0, good[..at].iter().copied());
        bytes.extend(&good[at..]);
        // Whatever it is, it ends, and does not panic.
        let _ = ranges(&bytes, OriginKind::Country, |_| true);
        let _ = ranges(&bytes, OriginKind::Asn, |_| true);
    }
}
