//! Names of fields that trailers must not carry.

use crate::request::client_names::tells_of_client;

/// Whether a field in trailers could change framing, routing, authentication or the meaning of the body. A name that
/// was too long to be remembered is empty here.
pub(super) fn forbidden_in_trailers(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 20] = [
        b"",
        b"authorization",
        b"cache-control",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"keep-alive",
        b"max-forwards",
        b"range",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
    ];
    NAMES.contains(&name)
        || name.starts_with(b"proxy-")
        || name.starts_with(b"x-")
        || name.contains(&b'_')
        || std::str::from_utf8(name).is_ok_and(tells_of_client)
}
