//! The worker's buffer for what is read of clients: whoever reads through it keeps what it makes no sense of yet, so an
//! idle connection has none.

use std::cell::RefCell;

/// What is read at once.
pub(super) const SCRATCH_BYTES: usize = 16 * 1024;

thread_local! {
    static SCRATCH: RefCell<[u8; SCRATCH_BYTES]> = const { RefCell::new([0; SCRATCH_BYTES]) };
}

/// Reads through the buffer. Nobody else may while `read` runs: it must not poll another connection.
pub(super) fn with<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| read(scratch))
}
