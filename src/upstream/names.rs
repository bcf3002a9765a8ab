//! Which header names are hop-by-hop, which tell of a client, and which `Connection` cannot remove.
//!
//! Name in, yes or no out. Names are in lower case, as [`HeaderName`] keeps them. Sources: RFC 9110 §7.6.1, RFC
//! 9110 §11.7, RFC 3875 §4.1.18 (CGI reads other signs as underscores), CVE-2016-5385 (`Proxy`), CVE-2022-31813 and
//! CVE-2024-45410 (`Connection` that removes forwarding headers).

use http::HeaderName;
use http::header;
use std::sync::Arc;

/// Names that upstreams are known to take an address, host, scheme or path from and that no rule of
/// [`tells_of_client`] catches. Sorted.
const CLIENT_NAMES: [&str; 45] = [
    "cdn-src-ip",
    "cf-pseudo-ipv4",
    "client-address",
    "coming-from",
    "front-end-https",
    "remote-host",
    "remote-ip",
    "x-accel-mapping",
    "x-appengine-user-ip",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-backend-host",
    "x-client",
    "x-client-address",
    "x-client-host",
    "x-coming-from",
    "x-envoy-external-address",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-host",
    "x-host-override",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-ip",
    "x-ip-address",
    "x-nf-client-connection-ip",
    "x-original-host",
    "x-original-path",
    "x-original-uri",
    "x-originating-ip",
    "x-proxy-host",
    "x-proxy-url",
    "x-proxyuser-ip",
    "x-remote-host",
    "x-remote-ip",
    "x-replaced-path",
    "x-request-uri",
    "x-scheme",
    "x-sendfile-type",
    "x-source-ip",
    "x-src-ip",
    "x-sucuri-clientip",
    "x-true-ip",
    "x-url-scheme",
    "x-waws-unencoded-url",
];

/// Whether a field is for the next hop alone, in either direction. `Host`, framing and what we generate are
/// decided elsewhere. `Trailer` goes on: trailers do.
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    name == header::CONNECTION
        || name == header::TRANSFER_ENCODING
        || name == header::UPGRADE
        || name == header::TE
        || name == header::PROXY_AUTHENTICATE
        || name == header::PROXY_AUTHORIZATION
        || matches!(
            name.as_str(),
            "keep-alive" | "proxy-connection" | "proxy-authentication-info" | "http2-settings"
        )
}

/// Whether a field never goes upstream, whoever sent it: names that CGI-like servers would take for another, and
/// `Proxy`, which they take for `HTTP_PROXY`.
pub(super) fn is_never_sent(name: &HeaderName) -> bool {
    let name = name.as_str();
    name == "proxy" || memchr::memchr(b'_', name.as_bytes()).is_some()
}

/// Whether we write this field ourselves, so that nobody else's passes.
pub(super) fn is_generated(name: &HeaderName) -> bool {
    name == header::FORWARDED
        || matches!(
            name.as_str(),
            "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host" | "x-forwarded-port" | "x-real-ip"
        )
}

/// Whether an upstream may take the client's address, or the request's host, scheme or path, from this field.
/// Any sign that is neither letter nor digit counts as a hyphen, as CGI-like servers have it. Linear in the name.
pub(super) fn tells_of_client(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mentions = (0..bytes.len()).any(|at| {
        let rest = bytes.get(at..).unwrap_or_default();
        let patterns: &[&[u8]] = match rest.first() {
            Some(b'f') => &[b"forwarded"],
            Some(b'c') => &[b"client-ip", b"connecting-ip"],
            Some(b'r') => &[b"real-ip", b"remote-addr", b"rewrite-url"],
            Some(b'o') => &[b"original-url"],
            _ => &[],
        };
        patterns.iter().any(|pattern| begins_with(rest, pattern))
    });
    mentions || CLIENT_NAMES.binary_search_by(|known| known.bytes().cmp(name.bytes().map(hyphenated))).is_ok()
}

/// Whether a field is another spelling of one that a decision is made on, by a sign that CGI-like servers (PHP: the
/// dot) read as they do a hyphen. It was not looked at, and must not be heard instead.
pub(super) fn is_double(name: &str, decisive: &[Arc<str>]) -> bool {
    const DECISIVE: [&str; 4] = ["content-encoding", "content-length", "content-type", "transfer-encoding"];
    let odd = |sign: u8| sign != b'-' && hyphenated(sign) == b'-';
    name.bytes().any(odd)
        && DECISIVE
            .into_iter()
            .chain(decisive.iter().map(|known| &**known))
            .any(|known| known.bytes().map(hyphenated).eq(name.bytes().map(hyphenated)))
}

/// Any sign that is neither letter nor digit is a hyphen.
const fn hyphenated(sign: u8) -> u8 {
    if sign.is_ascii_alphanumeric() { sign } else { b'-' }
}

fn begins_with(text: &[u8], pattern: &[u8]) -> bool {
    text.len() >= pattern.len()
        && text
            .iter()
            .zip(pattern)
            .all(|(&sign, &wanted)| sign == wanted || (wanted == b'-' && !sign.is_ascii_alphanumeric()))
}

/// Whether a field means every recipient, so that naming it in `Connection` removes nothing (RFC 9110 §7.6.1: a
/// sender must not name such a field). Holds for what we generate and for what decisions are made on: a request
/// must not lose on its way what it was judged by.
pub(super) fn is_end_to_end(name: &str) -> bool {
    const MEANT_FOR_ALL: [&str; 13] = [
        "accept",
        "cookie",
        "host",
        "origin",
        "prefer",
        "range",
        "referer",
        "set-cookie",
        "trailer",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-request-id",
    ];
    const BEGINNINGS: [&str; 4] = ["accept-", "content-", "if-", "access-control-"];
    const PARTS: [&str; 8] = ["auth", "key", "token", "tenant", "secret", "api", "cache", "location"];
    MEANT_FOR_ALL.contains(&name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || PARTS.iter().any(|part| name.contains(part))
        || tells_of_client(name)
}

/// Whether a field has no business in a trailer: framing, routing, authentication, content, or the client's
/// address (RFC 9110 §6.5.1).
pub(super) fn is_forbidden_trailer(name: &HeaderName) -> bool {
    is_hop_by_hop(name) || is_never_sent(name) || is_generated(name) || is_end_to_end(name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_sorted_and_not_redundant() {
        assert!(CLIENT_NAMES.is_sorted());
        for name in CLIENT_NAMES {
            assert!(tells_of_client(name), "{name}");
        }
    }

    #[test]
    fn names_that_tell_of_the_client() {
        for name in [
            "x-forwarded-for",
            "forwarded",
            "forwarded-for",
            "x-forwarded",
            "x-forwarded-prefix",
            "x-original-forwarded-for",
            "true-client-ip",
            "x-cluster-client-ip",
            "fastly-client-ip",
            "wl-proxy-client-ip",
            "cf-connecting-ip",
            "cf-connecting-ipv6",
            "x-real-ip",
            "remote-addr",
            "x-remote-addr",
            "x-original-url",
            "x-rewrite-url",
            "client.ip",
            "x~real~ip",
            "x-appengine-remote-addr",
            "x-host",
            "x-azure-clientip",
            "x-envoy-external-address",
            "x.remote.ip",
            "x!original!uri",
            "x.host",
        ] {
            assert!(tells_of_client(name), "{name}");
        }
        for name in [
            "accept",
            "host",
            "cookie",
            "x-http-method-override",
            "x-requested-with",
            "client",
            "x-zip",
            "real",
            "connecting",
            "clientip-x",
            "x-fusionauth-tenantid",
            "",
            "f",
            "client-i",
            "original-ur",
        ] {
            assert!(!tells_of_client(name), "{name}");
        }
    }

    #[test]
    fn doubles_of_what_is_decided_on() {
        let decisive = ["x-fusionauth-tenantid".into(), "x_key".into()];
        for name in
            ["content.type", "x.fusionauth.tenantid", "x-fusionauth.tenantid", "x.key", "transfer~encoding"]
        {
            assert!(is_double(name, &decisive), "{name}");
        }
        for name in ["content-type", "x-fusionauth-tenantid", "x.custom", "x-key", "content.type.", ""] {
            assert!(!is_double(name, &decisive), "{name}");
        }
    }

    #[test]
    fn what_connection_cannot_remove() {
        for name in [
            "authorization",
            "cookie",
            "host",
            "content-length",
            "content-type",
            "x-fusionauth-tenantid",
            "x-api-key",
            "x-forwarded-for",
            "x-real-ip",
            "cf-connecting-ip",
            "set-cookie",
            "cache-control",
            "x-host",
        ] {
            assert!(is_end_to_end(name), "{name}");
        }
        for name in ["x-custom", "keep-alive", "foo", "upgrade-insecure-requests", "te"] {
            assert!(!is_end_to_end(name), "{name}");
        }
    }

    /// The rule as SPEC §3 puts it.
    fn tells_of_client_naively(name: &str) -> bool {
        let plain: String =
            name.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' }).collect();
        let parts = [
            "forwarded",
            "client-ip",
            "real-ip",
            "remote-addr",
            "connecting-ip",
            "original-url",
            "rewrite-url",
        ];
        parts.iter().any(|part| plain.contains(part)) || CLIENT_NAMES.contains(&&*plain)
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_naive_rule(
            before in "[a-z0-9.~-]{0,6}|x[-.]",
            part in "forwarded|(client|real|connecting|remote|original|rewrite)[-.~x](ip|addr|url)|(remote|source)[-.](ip|host)|[a-z-]{0,9}",
            after in "[a-z0-9.-]{0,6}",
        ) {
            let name = format!("{before}{part}{after}");
            proptest::prop_assert_eq!(tells_of_client(&name), tells_of_client_naively(&name), "{}", name);
        }
    }
}
