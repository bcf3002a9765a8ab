//! What a request is found by: in the log, and by a user who was shown it.
//!
//! The client's own `X-Request-Id` if it is harmless, else one of ours, made only when somebody asks for it.

use http::HeaderMap;
use std::cell::{Cell, OnceCell};
use std::hash::{BuildHasher, RandomState};

/// The longest that is taken over, in bytes.
const LONGEST: usize = 128;

thread_local! {
    static SECRET: RandomState = RandomState::new();
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The id of one request.
#[derive(Debug, Default)]
pub(super) struct RequestId(OnceCell<String>);

impl RequestId {
    /// The id; the same at every call.
    pub(super) fn of(&self, headers: &HeaderMap) -> &str {
        self.0.get_or_init(|| sent(headers).map_or_else(made, str::to_owned))
    }
}

/// Letters, digits and the punctuation of common ids: nothing that a page or a log could take for its own.
fn sent(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:+/=".contains(&byte);
    (!id.is_empty() && id.len() <= LONGEST && id.bytes().all(harmless)).then_some(id)
}

/// 128 bits that nobody can foretell, without asking the system each time.
fn made() -> String {
    let count = COUNT.with(|count| count.replace(count.get().wrapping_add(2)));
    SECRET.with(|secret| format!("{:016x}{:016x}", secret.hash_one(count), secret.hash_one(count | 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: Option<&'static str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert("x-request-id", value.parse().unwrap());
        }
        RequestId::default().of(&headers).to_owned()
    }

    #[test]
    fn harmless_ids_are_kept_and_others_replaced() {
        for kept in ["a", "fba75c7b-8c27-4cdd-840e-694d808d0aab", "Root=1-67891233-abc"] {
            assert_eq!(id(Some(kept)), kept);
        }
        for replaced in [None, Some(""), Some("<script>"), Some("a b"), Some("\"")] {
            assert_eq!(id(replaced).len(), 32, "{replaced:?}");
        }
        assert_ne!(id(None), id(None));
    }
}
