//! A PROXY header is found at the same length whatever follows it, and never in less than it needs.
#![no_main]

use aclgate::server::proxy_protocol::{begins, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some((header, length))) = parse(bytes) else { return };
    assert!(length <= bytes.len() && begins(bytes));
    assert_eq!(parse(&bytes[..length]), Ok(Some((header, length))));
    let mut longer = bytes[..length].to_vec();
    longer.extend(b"GET / HTTP/1.1\r\n");
    assert_eq!(parse(&longer), Ok(Some((header, length))));
});
