//! What all formats have in common: the same addresses in any of them are the same list, and a wrong value is found
//! where it stands.

use super::*;
use crate::policy::acl::IpAclBuilder;
use crate::policy::range::AddressRange;
use proptest::prelude::*;
use proptest::sample::Index;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Lines of a file, and how it is read.
fn written(ranges: &[String], format: usize) -> (Vec<String>, ListFormat) {
    let lines = |line: fn(&String) -> String| ranges.iter().map(line).collect::<Vec<_>>();
    let table = |column, delimiter| ListFormat::Csv(Table { column, delimiter });
    match format {
        0 => (lines(String::clone), ListFormat::Plain),
        1 => (lines(|range| format!(" {range}\t; somebody # said so\r")), ListFormat::Plain),
        2 => (lines(|range| format!("x,{range},y")), table(Column::Number(2), b',')),
        3 => (lines(|range| format!("\"{range}\";\" x\"\r")), table(Column::Number(1), b';')),
        4 => {
            let mut lines = lines(|range| format!("{range}\t\"a\"\"b\""));
            lines.insert(0, "network\twhy".to_owned());
            (lines, table(Column::Named("network".to_owned()), b'\t'))
        }
        _ => (amazons(ranges), ListFormat::Aws(Selection::default())),
    }
}

fn amazons(ranges: &[String]) -> Vec<String> {
    let of = |name: &str, wanted: bool| {
        let among = ranges.iter().filter(|range| range.contains(':') == wanted);
        let mut lines: Vec<_> = among
            .map(|range| format!("{{\"{name}\": \"{range}\", \"service\": \"S3\", \"region\": \"eu\"}},"))
            .collect();
        if let Some(last) = lines.last_mut() {
            last.pop();
        }
        lines
    };
    let mut lines = vec!["{\"syncToken\": \"1\", \"prefixes\": [".to_owned()];
    lines.extend(of("ip_prefix", false));
    lines.push("], \"ipv6_prefixes\": [".to_owned());
    lines.extend(of("ipv6_prefix", true));
    lines.push("]}".to_owned());
    lines
}

/// Lines and what stands in them.
type Places<T> = Vec<(u32, T)>;

/// Where each entry stands and what it is; where the wrong values stand and what they are.
fn read(lines: &[String], format: &ListFormat) -> (Places<AddressRange>, Places<String>) {
    let text = lines.join("\n");
    let mut builder = IpAclBuilder::new(uuid::Uuid::nil(), "a", Action::Block);
    let bad =
        read_list(text.as_bytes(), format, Sink { builder: &mut builder, action: Action::Allow, file: 1 });
    let mut entries: Vec<_> =
        builder.build().entries().map(|entry| (entry.place.line, entry.range)).collect();
    entries.sort_unstable();
    (entries, bad.shown.into_iter().map(|bad| (bad.line, text.get(bad.span).unwrap().to_owned())).collect())
}

fn block() -> impl Strategy<Value = String> {
    let v4 = (any::<u32>(), 0_u32..=32).prop_map(|(bits, length)| {
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        format!("{}/{length}", Ipv4Addr::from_bits(bits & mask))
    });
    let v6 = (any::<u128>(), 0_u32..=128).prop_map(|(bits, length)| {
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        format!("{}/{length}", Ipv6Addr::from_bits(bits & mask))
    });
    prop_oneof![v4, v6]
}

proptest! {
    #[test]
    fn the_same_blocks_are_the_same_list_in_every_format(
        blocks in prop::collection::btree_set(block(), 1..12),
        wrong: Index,
    ) {
        let blocks: Vec<_> = blocks.into_iter().collect();
        let mut expected: Vec<AddressRange> = blocks.iter().map(|block| block.parse().unwrap()).collect();
        expected.sort_unstable();
        for format in 0..=5 {
            let (lines, list_format) = written(&blocks, format);
            let (entries, bad) = read(&lines, &list_format);
            prop_assert_eq!(bad, vec![], "{:?}", &list_format);
            for (line, range) in &entries {
                let line = &lines[*line as usize - 1];
                prop_assert!(blocks.iter().any(|block| line.contains(block) && block.parse() == Ok(*range)), "{line}");
            }
            let mut ranges: Vec<_> = entries.into_iter().map(|(_, range)| range).collect();
            ranges.sort_unstable();
            prop_assert_eq!(ranges, &expected[..], "{:?}", list_format);

            // One value more that is none: found where it stands, and nothing else is.
            let mut blocks = blocks.clone();
            blocks.insert(wrong.index(blocks.len() + 1), "300.1.2.3".to_owned());
            let (lines, list_format) = written(&blocks, format);
            let (at, _) = (1_u32..).zip(&lines).find(|(_, line)| line.contains("300.1.2.3")).unwrap();
            prop_assert_eq!(read(&lines, &list_format).1, vec![(at, "300.1.2.3".to_owned())], "{:?}", list_format);
        }
    }

    #[test]
    fn any_bytes_are_a_list_or_told_where_they_are_none(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\",;\r\n#{}[]:./0123456789".to_vec())], 0..120),
        mark: bool,
    ) {
        let mark: &[u8] = if mark { b"\xef\xbb\xbf" } else { b"" };
        let bytes = [mark, &bytes].concat();
        for format in 0..=5 {
            let (_, format) = written(&[], format);
            let mut builder = IpAclBuilder::new(uuid::Uuid::nil(), "a", Action::Block);
            let bad = read_list(&bytes, &format, Sink { builder: &mut builder, action: Action::Allow, file: 1 });
            let lines = memchr::memchr_iter(b'\n', &bytes).count() + 1;
            for bad in &bad.shown {
                prop_assert!(bytes.get(bad.span.clone()).is_some() && (1..=lines).contains(&(bad.line as usize)), "{format:?} {bad:?}");
                let _ = hint(&bytes, &format, bad);
            }
        }
    }
}
