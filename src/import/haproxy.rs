//! HAProxy ACL files, as in `acl office src -f FILE`: one address or network a line, `#` in front of comments.
//!
//! A network may have a dotted mask. HAProxy tests an IPv4 client against IPv6 networks as an IPv4-mapped address: of
//! those, only a network as wide as `::/95` holds any, and it holds all. Not carried over: that HAProxy finds IPv4
//! addresses inside of 6to4 clients (`2002::/16`), which nobody is any more.

use super::{Acl, Source, address, listed};
use crate::policy::finding::{Code, Report, Span};
use crate::policy::range::AddressRange;
use std::net::Ipv4Addr;

/// The one list that a file is.
pub(super) fn read(source: &Source<'_>, report: &mut Report<'_>) -> Vec<Acl> {
    let Some(action) = listed(source, Span::default(), "an ACL file", report) else { return Vec::new() };
    let (mut ranges, mut whole) = (Vec::new(), true);
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let value = line.trim();
        let at = start + line.len() - line.trim_start().len();
        start += line.len();
        if value.is_empty() || value.starts_with('#') {
            continue;
        }
        match pattern(value, Span { start: at, end: at + value.len() }, report) {
            Some(range) => ranges.extend(with_mapped(range)),
            None => whole = false,
        }
    }
    let acl = Acl::listed(source.stem, action, ranges).from("an HAProxy ACL file");
    if whole && !acl.entries.is_empty() { vec![acl] } else { Vec::new() }
}

fn pattern(value: &str, span: Span, report: &mut Report<'_>) -> Option<AddressRange> {
    let masked = value.split_once('/').and_then(|(network, mask)| {
        let mask: Ipv4Addr = mask.parse().ok()?;
        Some((network, mask.to_bits()))
    });
    match masked {
        Some((network, mask)) if mask.leading_ones() + mask.trailing_zeros() == u32::BITS => {
            address::range(&format!("{network}/{}", mask.leading_ones()), span, report)
        }
        Some(_) => {
            report
                .add(Code::LeftOut, span, format!("`{}` has a mask with holes", value.escape_debug()))
                .label("no range; the list is left out");
            None
        }
        None => address::range(value, span, report),
    }
}

/// A network that holds the IPv4-mapped addresses holds the IPv4 clients.
fn with_mapped(range: AddressRange) -> Vec<AddressRange> {
    let holds = |bits: u128| {
        let address: std::net::IpAddr = std::net::Ipv6Addr::from_bits(bits).into();
        range.start().is_ipv6() && range.start() <= address && address <= range.end()
    };
    let all_v4 = "0.0.0.0/0".parse().ok().filter(|_| holds(0xffff_0000_0000) && holds(0xffff_ffff_ffff));
    std::iter::once(range).chain(all_v4).collect()
}
