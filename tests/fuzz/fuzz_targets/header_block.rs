//! Header blocks of one connection: another decoder reads the same lines, and a request's head is made of nothing else.

#![no_main]

use aclgate::request::fields::text;
use aclgate::server::http2::head::Head;
use aclgate::server::http2::hpack::{Decoder, Line, Room};
use libfuzzer_sys::fuzz_target;

type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// What a head may be made of.
fn check(lines: &Lines) {
    let mut head = Head::new(4096);
    for (name, value) in lines {
        head.take(&Line { name, value, sensitive: false });
    }
    let Ok(read) = head.end(true) else { return };
    let said = |wanted: &[u8]| {
        let values: Vec<_> =
            lines.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_slice()).collect();
        assert!(values.len() <= 1, "{} twice", wanted.escape_ascii());
        values.first().copied()
    };
    let head = &read.head;
    assert_eq!(said(b":method"), Some(head.method.as_str().as_bytes()));
    assert_eq!(said(b":path"), head.target.path_and_query().map(str::as_bytes));
    assert_eq!(said(b":authority"), head.target.authority().map(str::as_bytes));
    let fields = lines.iter().filter(|(name, _)| !name.starts_with(b":"));
    assert!(
        fields.eq(head
            .fields
            .iter()
            .map(|field| (field.name.to_vec(), field.value.to_vec()))
            .collect::<Vec<_>>()
            .iter())
    );
    for field in head.fields.iter() {
        assert!(http::HeaderName::from_lowercase(field.name).is_ok());
        assert!(text(field.value).is_some() || http::HeaderValue::from_bytes(field.value).is_ok());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((length, bytes)) = bytes.split_first() else { return };
    let (mut ours, mut theirs) = (Decoder::default(), loona_hpack::Decoder::new());
    for block in bytes.chunks(usize::from(*length) + 1) {
        let mut lines = Lines::new();
        let each = |line: Line<'_>| lines.push((line.name.to_vec(), line.value.to_vec()));
        if ours.decode(block, &mut Room::default(), each).is_err() {
            return;
        }
        // A size without a line behind it is an error to them, which RFC 7541 §4.2 does not say.
        if lines.is_empty() {
            return;
        }
        let expected = theirs.decode(block);
        assert_eq!(expected.as_ref().ok(), Some(&lines), "{expected:?}");
        check(&lines);
    }
});
