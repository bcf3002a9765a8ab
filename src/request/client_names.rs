//! Names of fields from which upstreams take an address, host, scheme or path, and which strangers must not send.
//!
//! Name in, yes or no out. Names are in lower case, as [`HeaderName`](http::HeaderName) keeps them. One list for heads,
//! where such fields are taken out, and for trailers, where they are refused. Source: RFC 3875 §4.1.18 (CGI reads other
//! signs as underscores).

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

/// Whether an upstream may take the client's address, or the request's host, scheme or path, from this field.
/// Any sign that is neither letter nor digit counts as a hyphen, as CGI-like servers have it. Linear in the name.
pub fn tells_of_client(name: &str) -> bool {
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

/// Whether an upstream may serve the target in this field instead of the request's own.
pub fn replaces_target(name: &str) -> bool {
    let bytes = name.as_bytes();
    // Most names are too short for either.
    (0..(bytes.len() + 1).saturating_sub("rewrite-url".len())).any(|at| {
        let rest = bytes.get(at..).unwrap_or_default();
        matches!(rest.first(), Some(b'o' | b'r'))
            && (begins_with(rest, b"original-url") || begins_with(rest, b"rewrite-url"))
    })
}

/// Any sign that is neither letter nor digit is a hyphen.
pub const fn hyphenated(sign: u8) -> u8 {
    if sign.is_ascii_alphanumeric() { sign } else { b'-' }
}

fn begins_with(text: &[u8], pattern: &[u8]) -> bool {
    text.len() >= pattern.len()
        && text
            .iter()
            .zip(pattern)
            .all(|(&sign, &wanted)| sign == wanted || (wanted == b'-' && !sign.is_ascii_alphanumeric()))
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
    fn names_of_another_target() {
        for name in ["x-original-url", "x-rewrite-url", "x.original.url", "x-iis-original-url"] {
            assert!(replaces_target(name) && tells_of_client(name), "{name}");
        }
        for name in ["x-original-uri", "x-original-host", "original-ur", "x-requested-with", ""] {
            assert!(!replaces_target(name), "{name}");
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
