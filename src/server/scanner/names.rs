//! Names of fields: what a token is, and what trailers must not carry.

use crate::request::client_names::tells_of_client;

/// The byte of a token (RFC 9110 §5.6.2) in lower case, or 0.
pub(super) fn lower_token(byte: u8) -> u8 {
    const TABLE: [u8; 256] = token_table();
    TABLE.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Whether a name is a token in lower case, as HTTP/2 has it (RFC 9113 §8.2).
pub(in crate::server) fn is_lower_token(name: &[u8]) -> bool {
    // Without a way out of the loop it looks at many bytes at once.
    !name.is_empty()
        && name.iter().fold(true, |lower, &byte| lower & (byte != 0) & (lower_token(byte) == byte))
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, below 256"
)]
const fn token_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric()
            || matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.')
            || matches!(b, b'^' | b'_' | b'`' | b'|' | b'~')
        {
            table[byte] = b.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
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
