//! Whom to wake: a task, as others of its worker know it.

use std::cell::RefCell;
use std::task::{Context, Waker};

/// A task, once it has been polled.
#[derive(Debug, Default)]
pub(super) struct Task(RefCell<Option<Waker>>);

impl Task {
    /// Remembers the task that is being polled.
    pub(super) fn watch(&self, context: &Context<'_>) {
        let mut task = self.0.borrow_mut();
        match task.as_mut() {
            Some(task) => task.clone_from(context.waker()),
            None => *task = Some(context.waker().clone()),
        }
    }

    /// Has it polled again.
    pub(super) fn wake(&self) {
        if let Some(task) = self.0.borrow().as_ref() {
            task.wake_by_ref();
        }
    }

    /// There is nobody to wake any more.
    pub(super) fn forget(&self) {
        self.0.take();
    }
}
