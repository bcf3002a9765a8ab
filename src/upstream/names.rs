//! Which header names are hop-by-hop, which are never sent, and which `Connection` cannot remove.
//!
//! Name in, yes or no out. Names are in lower case, as [`HeaderName`] keeps them. Sources: RFC 9110 §7.6.1,
//! RFC 9110 §11.7, CVE-2016-5385 (`Proxy`), CVE-2022-31813 and CVE-2024-45410 (`Connection` that removes forwarding
//! headers).

use crate::request::FieldName;
use crate::request::client_names::{hyphenated, replaces_target, tells_of_client};
use crate::request::field_name::Names;
use http::HeaderName;
use std::sync::Arc;

/// Whether a field is for the next hop alone, in either direction. `Host`, framing and what we generate are
/// decided elsewhere. `Trailer` goes on: trailers do.
pub(super) fn is_hop_by_hop(name: &[u8]) -> bool {
    matches!(
        name,
        b"connection"
            | b"transfer-encoding"
            | b"upgrade"
            | b"te"
            | b"keep-alive"
            | b"proxy-connection"
            | b"proxy-authenticate"
            | b"proxy-authorization"
            | b"proxy-authentication-info"
            | b"http2-settings"
    )
}

/// Fields of nearly every request that go upstream whoever sent them, so that nothing else need be asked of their names.
pub(super) const USUAL: Names = Names::of(&[
    FieldName::Accept,
    FieldName::AcceptEncoding,
    FieldName::AcceptLanguage,
    FieldName::Authorization,
    FieldName::CacheControl,
    FieldName::ContentType,
    FieldName::Cookie,
    FieldName::Origin,
    FieldName::Referer,
    FieldName::UserAgent,
    FieldName::XRequestId,
]);

/// Fields that we write ourselves, so that nobody else's passes.
const GENERATED: Names = Names::of(&[
    FieldName::Forwarded,
    FieldName::XForwardedFor,
    FieldName::XForwardedHost,
    FieldName::XForwardedPort,
    FieldName::XForwardedProto,
    FieldName::XRealIp,
]);

/// Fields that end here, whoever sent them: those for the next hop that are seen most, framing, and what we write ourselves.
pub(super) const ENDING_HERE: Names = GENERATED.and(Names::of(&[
    FieldName::Connection,
    FieldName::ContentLength,
    FieldName::Expect,
    FieldName::Host,
    FieldName::Te,
    FieldName::TransferEncoding,
    FieldName::Upgrade,
]));

/// Whether a field never goes upstream, whoever sent it: names that CGI-like servers would take for another;
/// `Proxy`, which they take for `HTTP_PROXY`; and those by which some frameworks (Symfony, Laminas, IIS) serve another target than
/// the one that was matched. A trusted proxy may pass on what its client sent.
pub(super) fn is_never_sent(name: &str) -> bool {
    name == "proxy" || memchr::memchr(b'_', name.as_bytes()).is_some() || replaces_target(name)
}

/// Whether a field is another spelling of one that a decision is made on, or that we write ourselves, by a sign that CGI-like servers (PHP: the
/// dot) read as they do a hyphen. It was not looked at, and must not be heard instead.
pub(super) fn is_double(name: &str, decisive: &[Arc<str>]) -> bool {
    const DECISIVE: [&str; 9] = [
        "content-encoding",
        "content-length",
        "content-type",
        "transfer-encoding",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-real-ip",
    ];
    let odd = |sign: u8| sign != b'-' && hyphenated(sign) == b'-';
    name.bytes().any(odd)
        && DECISIVE
            .into_iter()
            .chain(decisive.iter().map(|known| &**known))
            .any(|known| known.bytes().map(hyphenated).eq(name.bytes().map(hyphenated)))
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
    let name = name.as_str();
    is_hop_by_hop(name.as_bytes()) || is_never_sent(name) || is_generated(name) || is_end_to_end(name)
}

fn is_generated(name: &str) -> bool {
    GENERATED.contain(FieldName::of(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN_NAMES: [&str; 16] = [
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "origin",
        "referer",
        "te",
        "user-agent",
        "x-forwarded-for",
        "x-request-id",
    ];

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
    fn usual_names_are_none_of_all_others() {
        let usual: Vec<_> =
            KNOWN_NAMES.into_iter().filter(|name| USUAL.contain(FieldName::of(name.as_bytes()))).collect();
        assert_eq!(usual.len(), 11);
        for name in usual {
            assert!(!is_hop_by_hop(name.as_bytes()) && !is_generated(name) && !is_never_sent(name), "{name}");
            assert!(!is_double(name, &[name.into()]) && !tells_of_client(name), "{name}");
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
}
