//! Addresses as other products read them.

use crate::policy::finding::{Code, Report, Span};
use crate::policy::range::{AddressRange, RangeError};

/// An address, a block or a range; host bits are cut off, as every source does. Or a finding.
pub(super) fn range(text: &str, span: Span, report: &mut Report<'_>) -> Option<AddressRange> {
    let range = match text.parse() {
        Err(RangeError::HostBits { network, .. }) => network,
        Ok(range) => range,
        Err(error) => {
            let finding = report.add(Code::BadRange, span, error.to_string());
            finding.label("expected an address or a CIDR block; the list is left out");
            return None;
        }
    };
    if range.start().is_ipv4() && text.contains(':') {
        let shown = text.escape_debug();
        report
            .add(Code::LeftOut, span, format!("`{shown}` is an IPv4-mapped address"))
            .label("here it is the IPv4 address, there it may match nobody; the list is left out")
            .hint(format!("write `{range}`, or take it off"));
        return None;
    }
    Some(range)
}

/// The networks that are not on the internet, as Caddy's `private_ranges` has them.
pub(super) const PRIVATE: [&str; 6] =
    ["192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8", "127.0.0.0/8", "fd00::/8", "::1"];
