//! List files, good and bad.

use super::super::{ListFormat, read_list};
use super::*;
use crate::policy::acl::{Action, IpAcl, IpAclBuilder};
use ::uuid::Uuid;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> (IpAcl, BadLines) {
    let mut builder = IpAclBuilder::new(Uuid::nil(), "test", Action::Allow);
    let sink = Sink { builder: &mut builder, action: Action::Block, file: 3 };
    let bad = read_list(bytes, &ListFormat::Plain, sink);
    (builder.build(), bad)
}

/// Canonical ranges with their lines, in order of address.
fn entries(bytes: &[u8]) -> Vec<(String, u32)> {
    let (acl, bad) = read(bytes);
    assert_eq!(bad, BadLines::default());
    acl.entries()
        .inspect(|entry| assert_eq!((entry.place.file, entry.action), (3, Action::Block)))
        .map(|entry| (entry.range.to_string(), entry.place.line))
        .collect()
}

#[test]
fn reads_good_lines() {
    #[rustfmt::skip]
    let cases: &[(&str, &[(&str, u32)])] = &[
        ("",                                             &[]),
        ("\n\r\n \t\n",                                  &[]),
        ("# nothing\n  # here\r\n",                      &[]),
        ("10.0.0.1",                                     &[("10.0.0.1", 1)]),
        ("10.0.0.1\n",                                   &[("10.0.0.1", 1)]),
        ("10.0.0.1\r\n10.0.0.2\r\n",                     &[("10.0.0.1", 1), ("10.0.0.2", 2)]),
        ("10.0.0.1\r",                                   &[("10.0.0.1", 1)]),
        ("\n\n10.0.0.0/8\n",                             &[("10.0.0.0/8", 3)]),
        ("\u{feff}10.0.0.0/8",                           &[("10.0.0.0/8", 1)]),
        ("\u{feff}# list\n10.0.0.0/8",                   &[("10.0.0.0/8", 2)]),
        ("  10.0.0.1 # mine\n",                          &[("10.0.0.1", 1)]),
        ("; DROP\n10.0.0.0/8 ; SBL1 # x\n;\n",          &[("10.0.0.0/8", 2)]),
        ("10.0.0.1;mine",                                &[("10.0.0.1", 1)]),
        ("10.0.0.1#mine",                                &[("10.0.0.1", 1)]),
        ("10.0.0.1 - 10.0.0.9\n",                        &[("10.0.0.1-10.0.0.9", 1)]),
        ("10.0.0.1-10.0.0.9#x\n10.0.0.77\n",             &[("10.0.0.1-10.0.0.9", 1), ("10.0.0.77", 2)]),
        ("0.0.0.0/0\n::/0\n",                            &[("0.0.0.0/0", 1), ("::/0", 2)]),
        ("0.0.0.0-255.255.255.255",                      &[("0.0.0.0/0", 1)]),
        ("::ffff:10.0.0.0/104\n2001:db8::1 # v6\n",      &[("10.0.0.0/8", 1), ("2001:db8::1", 2)]),
    ];
    for (text, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(range, line)| ((*range).to_owned(), *line)).collect();
        assert_eq!(entries(text.as_bytes()), expected, "{text:?}");
    }
}

/// Text, line, bytes, message.
type BadCase = (&'static [u8], u32, Range<usize>, &'static str);

#[test]
fn points_at_bad_lines() {
    #[rustfmt::skip]
    let cases: &[BadCase] = &[
        (b"10.0.0.1\n\n  10.0.0.5/8 # x\n",  3, 12..22, "`10.0.0.5/8` has host bits set; the network is `10.0.0.0/8`"),
        (b"010.0.0.1",                       1, 0..9,   "`010.0.0.1` has a zero-padded octet, which some read as octal; write it without leading zeros"),
        (b"\xef\xbb\xbfx\n",                 1, 3..4,   "`x` is not an IP address"),
        (b"1.2.3.4\n\xef\xbb\xbf1.2.3.4\n",  2, 8..18,  "`\u{feff}1.2.3.4` is not an IP address"),
        (b"10.0.0.9-10.0.0.1\r\n",           1, 0..17,  "start `10.0.0.9` is above end `10.0.0.1`"),
        (b"10.0.0.1/33",                     1, 0..11,  "prefix length `33` is too long; an address of this family has 32 bits"),
        (b"10.0.0.0/08",                     1, 0..11,  "`08` is not a prefix length"),
        (b"10.0.0.1 10.0.0.2",               1, 0..17,  "`10.0.0.1 10.0.0.2` is not an IP address"),
        (b"10.0.0.1\r10.0.0.2",              1, 0..17,  "`10.0.0.1\\r10.0.0.2` is not an IP address"),
        (b"10.0.0.1,",                       1, 0..9,   "`10.0.0.1,` is not an IP address"),
        (b"10.0.0.\0",                       1, 0..8,   "`10.0.0.\\u{0}` is not an IP address"),
        (b"10.0.0.1000",                     1, 0..11,  "`10.0.0.1000` is not an IP address"),
        (b" \xff\xfe1",                      1, 1..4,   "`\u{fffd}\u{fffd}1` is not an IP address"),
        (b"10.0.0.1 , drop",                 1, 0..15,  "`10.0.0.1 , drop` is not an IP address"),
    ];
    for (bytes, line, span, message) in cases {
        let (_, bad) = read(bytes);
        let shown: Vec<_> =
            bad.shown.iter().map(|bad| (bad.line, bad.span.clone(), bad.error.to_string())).collect();
        assert_eq!(shown, [(*line, span.clone(), (*message).to_owned())], "{:?}", bytes.escape_ascii());
        assert_eq!(bad.more, 0);
        assert!(!bad.is_empty());
    }
}

#[test]
fn shows_some_bad_lines_and_counts_the_rest() {
    let (acl, bad) = read(b"bad\n192.0.2.1\n".repeat(50).as_slice());
    assert_eq!((bad.shown.len(), bad.more, acl.len()), (20, 30, 50));
    assert_eq!(bad.shown.last().map(|bad| bad.line), Some(39));
}

/// Lines that are nearly right, so that both paths meet their edges.
fn line() -> impl Strategy<Value = String> {
    let octet = prop_oneof![8 => (0_u16..=260).prop_map(|octet| octet.to_string()), 1 => Just("00".to_owned()), 1 => "[0-9]{0,4}"];
    let address = prop::collection::vec(octet, 4..=4).prop_map(|octets| octets.join("."));
    let mapped = address.clone().prop_map(|address| format!("::ffff:{address}"));
    let address = prop_oneof![8 => address, 1 => mapped, 1 => "[0-9a-f:.]{0,12}"];
    let rest = prop_oneof![
        3 => Just(String::new()),
        2 => "/[0-9]{1,3}",
        3 => address.clone().prop_map(|end| format!("-{end}")),
        1 => address.clone().prop_map(|end| format!(" - {end}")),
        1 => "[ #;/\\-0-9.]{0,5}",
    ];
    (address, rest, prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\r"), 1 => Just(" # x")])
        .prop_map(|(address, rest, end)| format!("{address}{rest}{end}"))
}

proptest! {
    #[test]
    fn reads_each_line_as_a_range_does(lines in prop::collection::vec(line(), 0..30)) {
        let (acl, bad) = read(lines.join("\n").as_bytes());
        let (mut good, mut errors) = (Vec::new(), Vec::new());
        for (number, line) in (1_u32..).zip(&lines) {
            let value = line.split(['#', ';']).next().unwrap_or_default().trim();
            if value.is_empty() {
                continue;
            }
            match value.parse::<AddressRange>() {
                Ok(range) => good.push((range, number)),
                Err(error) => errors.push((number, super::super::ListError::from(error))),
            }
        }
        let mut entries: Vec<_> = acl.entries().map(|entry| (entry.range, entry.place.line)).collect();
        entries.sort_unstable();
        good.sort_unstable();
        prop_assert_eq!(entries, good);
        prop_assert_eq!(bad.shown.len() + bad.more, errors.len());
        let shown: Vec<_> = bad.shown.into_iter().map(|bad| (bad.line, bad.error)).collect();
        prop_assert_eq!(&shown, &errors[..shown.len()]);
    }

    #[test]
    fn a_cut_changes_nothing(
        mark in "\u{feff}?",
        lines in prop::collection::vec(line(), 0..30),
        lengths in prop::collection::vec(0_usize..40, 0..40),
    ) {
        let text = mark + &lines.join("\n");
        let (whole, bad) = read(text.as_bytes());
        let mut builder = IpAclBuilder::new(Uuid::nil(), "test", Action::Allow);
        let mut reader = PlainReader::new(Sink { builder: &mut builder, action: Action::Block, file: 3 });
        let mut rest = text.as_bytes();
        for length in lengths {
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            reader.read(text.len(), piece);
            rest = behind;
        }
        reader.read(text.len(), rest);
        prop_assert_eq!(reader.end(), bad);
        prop_assert!(builder.build().entries().eq(whole.entries()));
    }

    #[test]
    fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (_, bad) = read(&bytes);
        for bad in bad.shown {
            prop_assert!(bytes.get(bad.span).is_some_and(|value| !value.is_empty()));
        }
    }
}
