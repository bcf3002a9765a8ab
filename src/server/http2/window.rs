//! Windows: how many bytes of bodies the other side takes, or we do (RFC 9113 §5.2, §6.9).

use super::frame::{ErrorCode, MOST};
use std::cell::Cell;

/// A window. A client that makes the first one smaller can make it negative (§6.9.2).
#[derive(Clone, Debug)]
pub(super) struct Window(Cell<i64>);

impl Window {
    pub(super) fn new(bytes: u32) -> Self {
        Self(Cell::new(bytes.into()))
    }

    /// Bytes that may be sent.
    pub(super) fn room(&self) -> usize {
        usize::try_from(self.0.get()).unwrap_or(0)
    }

    /// So many bytes are sent.
    pub(super) fn take(&self, bytes: usize) {
        self.0.set(self.0.get().saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX)));
    }

    /// So many bytes have come.
    ///
    /// # Errors
    /// They were more than there was room for.
    pub(super) fn charge(&self, bytes: usize) -> Result<(), ErrorCode> {
        self.take(bytes);
        if self.0.get() < 0 { Err(ErrorCode::FlowControlError) } else { Ok(()) }
    }

    /// So many more, which must be some.
    ///
    /// # Errors
    /// They are none, or the window would be larger than any may be.
    pub(super) fn widen(&self, bytes: u32) -> Result<(), ErrorCode> {
        if bytes == 0 { Err(ErrorCode::ProtocolError) } else { self.shift(bytes.into()) }
    }

    /// Changes it: whether there was no room before, and is some now.
    ///
    /// # Errors
    /// Those of the change.
    pub(super) fn opens(
        &self,
        change: impl FnOnce(&Self) -> Result<(), ErrorCode>,
    ) -> Result<bool, ErrorCode> {
        let was_closed = self.room() == 0;
        change(self)?;
        Ok(was_closed && self.room() > 0)
    }

    /// So many more, or fewer.
    ///
    /// # Errors
    /// The window would be larger than any may be.
    pub(super) fn shift(&self, bytes: i64) -> Result<(), ErrorCode> {
        self.0.set(self.0.get().saturating_add(bytes));
        if self.0.get() > i64::from(MOST) { Err(ErrorCode::FlowControlError) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_their_bounds() {
        let window = Window::new(10);
        assert_eq!((window.charge(10), window.room()), (Ok(()), 0));
        assert_eq!(window.charge(1), Err(ErrorCode::FlowControlError));
        assert_eq!((window.shift(-20), window.room()), (Ok(()), 0));
        assert_eq!(window.opens(|window| window.widen(1)), Ok(false), "still negative");
        assert_eq!(window.opens(|window| window.shift(-1)), Ok(false));
        assert_eq!((window.opens(|window| window.widen(22)), window.room()), (Ok(true), 1));
        assert_eq!(window.widen(0), Err(ErrorCode::ProtocolError));
        assert_eq!(window.widen(MOST - 1), Ok(()));
        assert_eq!(window.widen(1), Err(ErrorCode::FlowControlError));
    }
}
