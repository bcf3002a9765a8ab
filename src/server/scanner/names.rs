//! Names of fields: what a token is, and what trailers must not carry.

use crate::http1::lower_token;
use crate::request::client_names::tells_of_client;

/// Whether a name is a token in lower case, as HTTP/2 has it (RFC 9113 §8.2).
pub(in crate::server) fn is_lower_token(name: &[u8]) -> bool {
    // Without a way out of the loop it looks at many bytes at once.
    !name.is_empty()
        && name.iter().fold(true, |lower, &byte| lower & (byte != 0) & (lower_token(byte) == byte))
}

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
