//! What a request is found by: in the log, upstream, and by a user who was shown it.
//!
//! The client's own `X-Request-Id` if there is one and it is harmless, else one of ours. Upstream gets the same: where the
//! client sent none or a harmful one, ours stands in its place, so that nobody's log disagrees.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::hash::{BuildHasher, RandomState};

const NAME: HeaderName = HeaderName::from_static("x-request-id");
/// The longest that is taken over, in bytes.
const LONGEST: usize = 128;

thread_local! {
    static SECRET: RandomState = RandomState::new();
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The id of one request.
#[derive(Debug, Default)]
pub(super) struct RequestId(OnceCell<HeaderValue>);

impl RequestId {
    /// The id; the same at every call.
    pub(super) fn of(&self, headers: &HeaderMap) -> &str {
        let id = self.0.get_or_init(|| sent(headers).cloned().unwrap_or_else(made));
        // Nothing else gets here.
        id.to_str().unwrap_or_default()
    }

    /// Puts the id where upstream finds it.
    pub(super) fn pass_on(&self, headers: &mut HeaderMap) {
        if sent(headers).is_none() {
            // Not kept: whoever asks for it now finds it among the headers.
            headers.insert(NAME, self.0.get().cloned().unwrap_or_else(made));
        }
    }

    /// The id to be shown, made if it is.
    pub(super) fn shown<'a>(&'a self, headers: &'a HeaderMap) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| f.write_str(self.of(headers)))
    }
}

/// Letters, digits and the punctuation of common ids, once: nothing that a page or a log could take for its own.
fn sent(headers: &HeaderMap) -> Option<&HeaderValue> {
    // Looking it up would cost a hash of its name.
    let mut ids = headers.iter().filter(|(name, _)| **name == NAME).map(|(_, id)| id);
    let id = ids.next().filter(|_| ids.next().is_none())?;
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:+/=".contains(byte);
    (!id.is_empty() && id.len() <= LONGEST && id.as_bytes().iter().all(harmless)).then_some(id)
}

/// 128 bits in hex that nobody can foretell, without asking the system each time.
fn made() -> HeaderValue {
    let count = COUNT.with(|count| count.replace(count.get().wrapping_add(2)));
    let half = |number: u64| SECRET.with(|secret| u128::from(secret.hash_one(number)));
    let bits = half(count) << 64 | half(count | 1);
    let mut id = [0; 32];
    for (digits, byte) in id.chunks_exact_mut(2).zip(bits.to_be_bytes()) {
        digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
    HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A hexadecimal digit, without a branch: letters are 39 further on.
fn digit(value: u8) -> u8 {
    b'0' + value + u8::from(value > 9) * 39
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (NAME, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn harmless_ids_are_kept_and_others_replaced() {
        for kept in ["a", "fba75c7b-8c27-4cdd-840e-694d808d0aab", "Root=1-67891233-abc"] {
            let mut headers = headers(&[kept]);
            let id = RequestId::default();
            assert_eq!(id.of(&headers), kept);
            id.pass_on(&mut headers);
            assert_eq!((headers.len(), &headers[NAME]), (1, &HeaderValue::from_static(kept)));
        }
        let long: &str = &"a".repeat(129);
        for replaced in [&[][..], &[""], &["<script>"], &["a b"], &["\""], &["a", "b"], &["a", "a"]] {
            let id = RequestId::default();
            let mut headers = headers(replaced);
            let before = id.of(&headers).to_owned();
            assert!(before.len() == 32 && before.bytes().all(|byte| byte.is_ascii_hexdigit()), "{before}");
            id.pass_on(&mut headers);
            assert_eq!((headers.len(), headers[NAME].to_str().unwrap()), (1, &*before), "{replaced:?}");
            assert_eq!(id.of(&headers), before);
        }
        let mut too_long = HeaderMap::new();
        too_long.insert(NAME, long.parse().unwrap());
        assert_eq!(RequestId::default().of(&too_long).len(), 32);
    }

    #[test]
    fn an_id_that_only_upstream_asked_for_is_the_one_in_the_log() {
        let (id, mut headers) = (RequestId::default(), HeaderMap::new());
        id.pass_on(&mut headers);
        assert_eq!(id.of(&headers), headers[NAME].to_str().unwrap());
        let other = RequestId::default();
        assert_ne!(other.of(&HeaderMap::new()), id.of(&headers));
    }
}
