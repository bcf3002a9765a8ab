//! The value of `Date` (RFC 9110 §5.6.7), written once a second.
//!
//! A worker looks at the clock with each sweep of its time-outs, some times a second, rather than for each response.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

thread_local! {
    static WRITTEN: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Looks at the clock.
pub(super) fn refresh() {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    WRITTEN.with_borrow_mut(|(written, text)| {
        if *written != second || text.is_empty() {
            *text = httpdate::fmt_http_date(now);
            *written = second;
        }
    });
}

/// Calls `put` with the time as it was when the clock was last looked at, to the second.
pub(super) fn with_now(put: impl FnOnce(&[u8])) {
    if WRITTEN.with_borrow(|(_, text)| text.is_empty()) {
        refresh();
    }
    WRITTEN.with_borrow(|(_, text)| put(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_is_written_as_http_has_it() {
        let mut text = String::new();
        with_now(|now| text = String::from_utf8(now.to_vec()).unwrap());
        let read = httpdate::parse_http_date(&text).unwrap();
        assert!(SystemTime::now().duration_since(read).unwrap().as_secs() < 5, "{text}");
    }
}
