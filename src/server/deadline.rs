//! Time-outs without a timer for each request: one coarse sweep for all connections of a worker.
//!
//! A connection arms and disarms its [`Slot`] by writing cells; the [`Registry`] looks at all slots a few times a second
//! and wakes the task of each whose time is over, or all of them when draining begins. What an expired slot means is
//! decided by the task that owns it. A deadline is never early, and late by two periods at most; where a crowd is late, its
//! tasks are woken in small groups, lest whoever sends a request at that moment wait for all of them.
//!
//! Draining makes idle waits short instead of ending them: a client that is sending its next request at that moment
//! would see its connection close under it.

use super::task::Task;
use crate::config::Timeouts;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// The coarsest period of the sweep.
const PERIOD: Duration = Duration::from_millis(250);
/// How many are woken before others have their turn: to tell one that it is late takes up to a tenth of a millisecond.
const AT_ONCE: usize = 32;

/// All slots of one worker, and its clock.
#[derive(Debug)]
pub struct Registry {
    started: Instant,
    period: Duration,
    /// Milliseconds since `started`, as of the last sweep.
    now: Cell<u64>,
    /// What an idle connection still gets once draining has begun.
    draining: Cell<Option<Duration>>,
    slots: RefCell<Vec<Weak<Slot>>>,
}

/// What a connection waits for its peer to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// The next request.
    Idle,
    /// The rest of a head.
    Head,
    /// More of a body.
    Body,
}

/// The deadlines of one connection or stream.
#[derive(Debug)]
pub struct Slot {
    registry: Rc<Registry>,
    task: Task,
    read: Cell<Option<(Wait, u64)>>,
    write: Cell<Option<u64>>,
}

impl Registry {
    /// An empty registry, swept often enough for the shortest of these time-outs.
    pub fn new(timeouts: Timeouts) -> Rc<Self> {
        let shortest = timeouts.head.min(timeouts.body).min(timeouts.idle);
        let period = PERIOD.min(shortest / 4).max(Duration::from_millis(5));
        let (now, draining) = (Cell::new(0), Cell::new(None));
        Rc::new(Self { started: Instant::now(), period, now, draining, slots: RefCell::default() })
    }

    /// Sweeps for ever, and tells of each sweep.
    pub async fn run(&self, swept: impl Fn()) {
        let mut ticks = tokio::time::interval(self.period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for group in self.sweep().chunks(AT_ONCE) {
                group.iter().for_each(|slot| slot.wake());
                tokio::task::yield_now().await;
            }
            swept();
        }
    }

    /// Sets the clock and tells who is late. Linear in the number of slots.
    fn sweep(&self) -> Vec<Rc<Slot>> {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.now.set(now);
        let mut late = Vec::new();
        self.slots.borrow_mut().retain(|slot| {
            let Some(slot) = slot.upgrade() else { return false };
            if slot.read_expired().is_some() || slot.write_expired() {
                late.push(slot);
            }
            true
        });
        late
    }

    /// Tells all connections to finish, those of today and those to come; idle ones have `grace` for another request.
    pub fn drain(&self, grace: Duration) {
        self.draining.set(Some(grace));
        for slot in self.slots.borrow().iter().filter_map(Weak::upgrade) {
            slot.hurry();
            slot.wake();
        }
    }

    /// Milliseconds since the registry was made, as of the last sweep.
    pub fn now(&self) -> u64 {
        self.now.get()
    }

    fn due(&self, after: Duration) -> u64 {
        let after = u64::try_from(after.saturating_add(self.period).as_millis()).unwrap_or(u64::MAX);
        self.now.get().saturating_add(after)
    }

    /// When a wait for the next request ends that would be `after` long.
    fn idle_due(&self, after: Duration) -> u64 {
        match self.draining.get() {
            None => self.due(after),
            Some(Duration::ZERO) => 0,
            Some(grace) => self.due(after.min(grace)),
        }
    }
}

impl Slot {
    /// A slot that waits for nothing.
    pub fn new(registry: &Rc<Registry>) -> Rc<Self> {
        let (task, read, write) = (Task::default(), Cell::default(), Cell::default());
        let slot = Rc::new(Self { registry: Rc::clone(registry), task, read, write });
        registry.slots.borrow_mut().push(Rc::downgrade(&slot));
        slot
    }

    /// Remembers whom to wake; called at each poll of the task that owns the slot.
    pub fn watch(&self, context: &Context<'_>) {
        self.task.watch(context);
    }

    /// Has the owner's task polled again.
    pub fn wake(&self) {
        self.task.wake();
    }

    /// Starts to wait for the peer to send something; a wait for the same thing goes on.
    pub fn arm_read(&self, wait: Wait, after: Duration) {
        if self.waits_for() != Some(wait) {
            let due =
                if wait == Wait::Idle { self.registry.idle_due(after) } else { self.registry.due(after) };
            self.read.set(Some((wait, due)));
        }
    }

    /// Draining has begun: a wait for the next request becomes as short as its grace.
    fn hurry(&self) {
        if let Some((Wait::Idle, due)) = self.read.get() {
            self.read.set(Some((Wait::Idle, due.min(self.registry.idle_due(Duration::MAX)))));
        }
    }

    /// Waits for nothing any more.
    pub fn disarm_read(&self) {
        self.read.set(None);
    }

    /// What is waited for.
    pub fn waits_for(&self) -> Option<Wait> {
        self.read.get().map(|(wait, _)| wait)
    }

    /// What was waited for in vain.
    pub fn read_expired(&self) -> Option<Wait> {
        self.read.get().filter(|(_, due)| *due <= self.registry.now.get()).map(|(wait, _)| wait)
    }

    /// Starts to wait for the peer to take something, unless that was started before.
    pub fn arm_write(&self, after: Duration) {
        if self.write.get().is_none() {
            self.write.set(Some(self.registry.due(after)));
        }
    }

    /// Whether the peer has yet to take something.
    pub fn writes(&self) -> bool {
        self.write.get().is_some()
    }

    /// The peer took something.
    pub fn disarm_write(&self) {
        self.write.set(None);
    }

    /// Whether the peer took nothing for too long.
    pub fn write_expired(&self) -> bool {
        self.write.get().is_some_and(|due| due <= self.registry.now.get())
    }

    /// Whether connections are to finish.
    pub fn draining(&self) -> bool {
        self.registry.draining.get().is_some()
    }

    /// The worker's coarse clock, in milliseconds.
    pub fn now(&self) -> u64 {
        self.registry.now()
    }

    /// Runs a step of a connection's beginning with a time-out; `None` if it was not done in time.
    pub async fn within<F: Future>(&self, wait: Wait, after: Duration, step: F) -> Option<F::Output> {
        let mut step = pin!(step);
        self.disarm_read();
        self.arm_read(wait, after);
        let output = std::future::poll_fn(|context| {
            self.watch(context);
            if self.read_expired().is_some() {
                return Poll::Ready(None);
            }
            step.as_mut().poll(context).map(Some)
        })
        .await;
        self.disarm_read();
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;
    use std::task::Wake;

    fn registry() -> Rc<Registry> {
        let second = Duration::from_secs(1);
        let drain_idle = Duration::ZERO;
        Registry::new(Timeouts { head: second, body: second, idle: second, drain: second, drain_idle })
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_never_early_and_hardly_late() {
        let registry = registry();
        let slot = Slot::new(&registry);
        let before = Instant::now();
        let never = std::future::pending::<()>();
        let step = slot.within(Wait::Head, Duration::from_secs(1), never);
        let output = tokio::select! { output = step => output, () = registry.run(|| ()) => Some(()) };
        assert_eq!(output, None);
        let waited = before.elapsed();
        assert!(waited >= Duration::from_secs(1), "{waited:?}");
        assert!(waited <= Duration::from_secs(1) + 2 * PERIOD, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_wait_goes_on_and_another_begins_anew() {
        let registry = registry();
        let slot = Slot::new(&registry);
        slot.arm_read(Wait::Head, Duration::from_millis(500));
        tokio::time::advance(Duration::from_millis(600)).await;
        registry.sweep();
        assert_eq!(slot.read_expired(), None, "the period is added");
        slot.arm_read(Wait::Head, Duration::from_millis(500));
        tokio::time::advance(Duration::from_millis(200)).await;
        registry.sweep();
        assert_eq!(slot.read_expired(), Some(Wait::Head));
        slot.arm_read(Wait::Body, Duration::from_millis(500));
        assert_eq!(slot.read_expired(), None);
        slot.arm_write(Duration::ZERO);
        tokio::time::advance(Duration::from_millis(300)).await;
        registry.sweep();
        assert!(slot.write_expired());
        slot.disarm_write();
        assert!(!slot.write_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn draining_without_grace_ends_a_wait_for_a_first_byte_at_once() {
        let registry = registry();
        let slot = Slot::new(&registry);
        registry.drain(Duration::ZERO);
        assert_eq!(slot.within(Wait::Idle, PERIOD, std::future::pending::<()>()).await, None);
        assert_eq!(slot.within(Wait::Head, PERIOD, std::future::ready(1)).await, Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn draining_shortens_the_waits_of_idle_connections_alone() {
        let (registry, long) = (registry(), Duration::from_secs(60));
        let [idle, short, head, late] = std::array::from_fn(|_| Slot::new(&registry));
        idle.arm_read(Wait::Idle, long);
        short.arm_read(Wait::Idle, Duration::from_millis(500));
        head.arm_read(Wait::Head, long);
        registry.drain(Duration::from_secs(2));
        late.arm_read(Wait::Idle, long);
        let expired = || [&idle, &short, &head, &late].map(|slot| slot.read_expired().is_some());
        tokio::time::advance(Duration::from_millis(1500)).await;
        registry.sweep();
        assert_eq!(expired(), [false, true, false, false]);
        tokio::time::advance(Duration::from_secs(1)).await;
        registry.sweep();
        assert_eq!(expired(), [true, true, false, true]);
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_woken_in_groups_between_which_others_have_their_turn() {
        let (registry, wakes) = (registry(), Arc::new(Wakes::default()));
        let waker = Arc::clone(&wakes).into();
        let crowd: Vec<_> = (0..2 * AT_ONCE + 1).map(|_| Slot::new(&registry)).collect();
        for slot in &crowd {
            slot.watch(&Context::from_waker(&waker));
            slot.arm_read(Wait::Head, Duration::ZERO);
        }
        tokio::time::advance(2 * PERIOD).await;
        let mut run = pin!(registry.run(|| ()));
        for woken in [AT_ONCE, 2 * AT_ONCE, crowd.len()] {
            assert!(
                std::future::poll_fn(|context| Poll::Ready(run.as_mut().poll(context))).await.is_pending()
            );
            assert_eq!(wakes.0.load(Relaxed), woken);
        }
    }

    #[test]
    fn slots_of_closed_connections_are_forgotten() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let registry = registry();
        drop(Slot::new(&registry));
        let kept = Slot::new(&registry);
        registry.sweep();
        assert_eq!(registry.slots.borrow().len(), 1);
        drop(kept);
    }
}
