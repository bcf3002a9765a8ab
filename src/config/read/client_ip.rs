//! `[client_ip]`.
//!
//! `select = "first"` is warned of where a range of `trusted_proxies` is neither loopback nor private: such a proxy (a
//! CDN, a load balancer of a cloud) appends to the list, so that the first value is whatever the client wrote. The default,
//! and private proxies such as an ingress controller that replaces the list, are not warned of.

use crate::config::defaults;
use crate::config::proxies::{WORDS, is_public, ranges};
use crate::config::settings::{ClientIp, ClientIpHeader, ClientIpSelect, TrustedProxies};
use crate::policy::document::header_name;
use crate::policy::document::reader::{At, Section, list};
use crate::policy::finding::{Code, Report};

const SELECTS: &[(&str, ClientIpSelect)] =
    &[("first", ClientIpSelect::First), ("rightmost-untrusted", ClientIpSelect::RightmostUntrusted)];

/// Fields that mean something else.
const NEVER_AN_ADDRESS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn client_ip(mut section: Section<'_>, report: &mut Report<'_>) -> ClientIp {
    let header = section.string(report, "header").and_then(|name| header(name, report));
    let header = header.unwrap_or(ClientIpHeader::XForwardedFor);
    let select = section.word(report, "select", SELECTS).map_or(ClientIpSelect::First, |select| select.value);
    let proxies = section.strings(report, "trusted_proxies").map(|proxies| proxies.value);
    let is_list = matches!(header, ClientIpHeader::XForwardedFor | ClientIpHeader::Forwarded);
    let trusted_proxies = match proxies {
        Some(proxies) => {
            let is_spoofable = is_list && select == ClientIpSelect::First;
            trusted(&proxies, is_spoofable, report)
        }
        None => TrustedProxies {
            ranges: defaults::TRUSTED_PROXIES.iter().filter_map(|word| ranges(word).ok()).flatten().collect(),
        },
    };
    section.finish(report);
    ClientIp { header, select, trusted_proxies }
}

fn header(name: At<&str>, report: &mut Report<'_>) -> Option<ClientIpHeader> {
    if name.value == "none" {
        return Some(ClientIpHeader::None);
    }
    let lower = header_name(report, name)?;
    if NEVER_AN_ADDRESS.contains(&&*lower) {
        let message = format!("`{}` cannot carry the client's address", name.value);
        report.add(Code::BadHeader, name.span, message).label("expected a header that a proxy sets");
        return None;
    }
    Some(match &*lower {
        "x-forwarded-for" => ClientIpHeader::XForwardedFor,
        "forwarded" => ClientIpHeader::Forwarded,
        _ => ClientIpHeader::Single(lower),
    })
}

fn trusted(texts: &[At<&str>], is_spoofable: bool, report: &mut Report<'_>) -> TrustedProxies {
    let mut proxies = TrustedProxies::default();
    for text in texts {
        let found = match ranges(text.value) {
            Ok(found) => found,
            Err(error) => {
                let suggestion = report.suggest(text.value, WORDS.iter().copied());
                let finding = report.add(Code::BadRange, text.span, error.to_string());
                let words = list(WORDS.iter().copied(), "or");
                finding.label(format!("expected an address, a CIDR block, a range, {words}")).hint =
                    suggestion;
                continue;
            }
        };
        if text.value == "all" {
            let finding = report.add(
                Code::TrustsEverybody,
                text.span,
                "everybody may say which address they come from",
            );
            finding.label("any client can pass for another").hint("name the proxies in front of the gateway");
        } else if is_spoofable && found.iter().any(is_public) {
            let message =
                format!("`select = \"first\"` believes what a client sends by way of `{}`", text.value);
            let finding = report.add(Code::SpoofableFirst, text.span, message);
            finding.label("a proxy out there appends to the header");
            finding.hint("`select = \"rightmost-untrusted\"` takes what the proxy itself has seen");
        }
        proxies.ranges.extend(found);
    }
    proxies
}
