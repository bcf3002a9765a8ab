//! Expectations are what Java 17.0.15 answered.

use super::{lenient_uuid, loose_uuid};

#[rustfmt::skip]
const CASES: &[(&str, Option<u128>)] = &[
    ("85a03867-dccf-4882-adde-1a79aeec50df", Some(0x85a03867dccf4882_adde1a79aeec50df)),
    ("85A03867-DCCF-4882-ADDE-1A79AEEC50DF", Some(0x85a03867dccf4882_adde1a79aeec50df)),
    ("1-1-1-1-1", Some(0x0000000100010001_0001000000000001)),
    ("0-0-0-0-0", Some(0x0000000000000000_0000000000000000)),
    ("+1-+1-+1-+1-+1", Some(0x0000000100010001_0001000000000001)),
    ("--1-1-1-1", None),
    ("-1-1-1-1", None),
    ("1-1-1-1-", None),
    ("1--1-1-1", None),
    ("1-1-1-1", None),
    ("1-1-1-1-1-1", None),
    ("", None),
    ("----", None),
    ("-----", None),
    ("+-1-1-1-1", None),
    (" 85a03867-dccf-4882-adde-1a79aeec50df", None),
    ("85a03867-dccf-4882-adde-1a79aeec50df ", None),
    ("1-1-1-1- 1", None),
    ("{5a03867-dccf-4882-adde-1a79aeec50df", None),
    ("85a03867dccf4882adde1a79aeec50df", None),
    ("f85a03867-dccf-4882-adde-1a79aeec50d", Some(0x85a03867dccf4882_adde01a79aeec50d)),
    ("185a03867-1dccf-14882-1adde-11a79", Some(0x85a03867dccf4882_adde000000011a79)),
    ("123456789-1-1-1-1", Some(0x2345678900010001_0001000000000001)),
    ("7fffffffffffffff-1-1-1-1", Some(0xffffffff00010001_0001000000000001)),
    ("8000000000000000-1-1-1-1", None),
    ("ffffffffffffffff-1-1-1-1", None),
    ("00000000000000000001-1-1-1-1", Some(0x0000000100010001_0001000000000001)),
    ("0000000000000000000000000001-1-1-1-1", Some(0x0000000100010001_0001000000000001)),
    ("00000000000000000000000000001-1-1-1-1", None),
    ("1-1-1-1-7fffffffffffffff", Some(0x0000000100010001_0001ffffffffffff)),
    ("1-1-1-1-8000000000000000", None),
    ("1-1-1-1-1000000000001", Some(0x0000000100010001_0001000000000001)),
    ("1-12345-1-1-1", Some(0x0000000123450001_0001000000000001)),
    ("1-1-12345-1-1", Some(0x0000000100012345_0001000000000001)),
    ("1-1-1-12345-1", Some(0x0000000100010001_2345000000000001)),
    ("g-1-1-1-1", None),
    ("0x1-1-1-1-1", None),
    ("1-1-1-1-1L", None),
    ("\u{ff11}-\u{ff21}-\u{ff41}-1-1", Some(0x00000001000a000a_0001000000000001)),
    ("\u{ff11}\u{ff12}-1-1-1-\u{ff26}", Some(0x0000001200010001_000100000000000f)),
    ("\u{661}-1-1-1-1", Some(0x0000000100010001_0001000000000001)),
    ("\u{967}-\u{9e7}-1-1-1", Some(0x0000000100010001_0001000000000001)),
    ("\u{1d7ce}-1-1-1-1", None),
    ("\u{1d7d9}-1-1-1-1", None),
    ("\u{ff27}-1-1-1-1", None),
    ("\u{ff0b}1-1-1-1-1", None),
    ("1\u{2010}1-1-1-1-1", None),
    ("\u{b2}-1-1-1-1", None),
    ("\u{2460}-1-1-1-1", None),
    ("1\u{0}-1-1-1-1", None),
    ("1-1-1-1-1\u{a}", None),
    ("\u{ff18}5a03867-dccf-4882-adde-1a79aeec50df", Some(0x85a03867dccf4882_adde1a79aeec50df)),
    ("\u{668}5a03867-dccf-4882-adde-1a79aeec50df", Some(0x85a03867dccf4882_adde1a79aeec50df)),
    ("++1-1-1-1-1", None),
    ("1+-1-1-1-1", None),
    ("+85a0386-dccf-4882-adde-1a79aeec50df", Some(0x085a0386dccf4882_adde1a79aeec50df)),
    ("85a03867-dccf-4882-adde-+1a79aeec50d", Some(0x85a03867dccf4882_adde01a79aeec50d)),
    ("85a0386-7dccf-4882-adde-1a79aeec50df", Some(0x085a0386dccf4882_adde1a79aeec50df)),
    ("85a03867-dccf-4882-adde-1a79aeec50dff", None),
    ("85A03867-dCCf-4882-adde-1a79aeec50dF", Some(0x85a03867dccf4882_adde1a79aeec50df)),
    ("85a03867_dccf_4882_adde_1a79aeec50df", None),
    ("urn:uuid:dccf-4882-adde-1a79aeec50df", None),
    ("\u{e9}-1-1-1-1", None),
    ("0-0-0-0-0000000000000000000000000000", Some(0x0000000000000000_0000000000000000)),
    ("0-0-0-0-00000000000000000000000000001", None),
    ("\u{a9f1}-1-1-1-1", Some(0x0000000100010001_0001000000000001)),
    ("\u{17b1}-1-1-1-1", None),
    ("\u{abf9}-1-1-1-1", Some(0x0000000900010001_0001000000000001)),
    ("\u{1089}-1-1-1-1", None),
];

#[test]
fn reads_as_java_does() {
    for (text, expected) in CASES {
        assert_eq!(lenient_uuid(text), *expected, "{text:?}");
    }
}

/// The sum over all characters of a plane, with the sum that Java 17 gives.
#[test]
fn knows_the_digits_that_java_knows() {
    let known = ('\0'..='\u{ffff}').filter_map(super::digit);
    assert_eq!(known.clone().count(), 370 + 24);
    assert_eq!(known.sum::<u64>(), 37 * 45 + 4 * 75);
    assert_eq!(('\u{10000}'..=char::MAX).find_map(super::digit), None);
}

/// What Python 3.11, Go's google/uuid, .NET 8 or PostgreSQL 15 read, each in its own way.
#[test]
fn reads_loosely_what_any_other_reader_does() {
    let uuid = 0x85a03867dccf4882_adde1a79aeec50df;
    for text in [
        "85a03867-dccf-4882-adde-1a79aeec50df",
        "85a03867dccf4882adde1a79aeec50df",
        "{85A03867-DCCF-4882-ADDE-1A79AEEC50DF}",
        "(85a03867-dccf-4882-adde-1a79aeec50df)",
        "urn:uuid:85a03867-dccf-4882-adde-1a79aeec50df",
        "URN:UUID:85a03867dccf4882adde1a79aeec50df",
        "uuid:85a03867-dccf-4882-adde-1a79aeec50df",
        "{85a0-3867-dccf-4882-adde-1a79-aeec-50df}",
        "8-5a03867dccf4882adde1a79aeec50df",
        "\u{ff18}5a03867dccf4882adde1a79aeec50df",
        "{0x85a03867,0xdccf,0x4882,{0xad,0xde,0x1a,0x79,0xae,0xec,0x50,0xdf}}",
    ] {
        assert_eq!(loose_uuid(text), Some(uuid), "{text}");
    }
    for text in [
        "",
        "85a03867dccf4882adde1a79aeec50d",
        "85a03867dccf4882adde1a79aeec50df0",
        "x5a",
        "85a03867dccf4882adde1a79aeec50dg",
    ] {
        assert_eq!(loose_uuid(text), None, "{text}");
    }
}
