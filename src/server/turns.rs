//! Turns: what costs a worker much in one go is done one after the other, and everybody else has a turn between.
//!
//! Steps in, their outputs out. A TLS handshake computes for a fraction of a millisecond, a request for a tenth of that. If a
//! thousand clients begin a handshake at the same moment, whoever has a connection already would wait for all of them:
//! tasks run in the order in which they are woken. So each poll of a handshake needs a turn; a worker gives one in each
//! round of its loop, between two looks at its sockets, to whoever has waited longest. While nobody waits a turn is had at
//! once.
//!
//! INVARIANT: as long as somebody waits, a clerk gives turns. Whoever goes without taking its turn costs a round.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

/// The turns of one worker.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: RefCell<VecDeque<(Weak<Cell<Place>>, Waker)>>,
    /// Whether this round's turn is taken and a clerk will give the next.
    attended: Cell<bool>,
}

/// Where somebody who needs turns stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    #[default]
    Outside,
    Waiting,
    Called,
}

impl Turns {
    /// Runs a step, each poll of it in a turn of its own. Must run within a `LocalRuntime`.
    pub(super) async fn take<F: Future>(self: &Rc<Self>, step: F) -> F::Output {
        let mut step = pin!(step);
        let place = Rc::new(Cell::default());
        poll_fn(
            |context| {
                if self.is_on(&place, context) { step.as_mut().poll(context) } else { Poll::Pending }
            },
        )
        .await
    }

    /// Whether it is this one's turn. If not, it will be called.
    fn is_on(self: &Rc<Self>, place: &Rc<Cell<Place>>, context: &Context<'_>) -> bool {
        match place.replace(Place::Waiting) {
            Place::Waiting => return false,
            Place::Outside if self.attended.replace(true) => {
                let entry = (Rc::downgrade(place), context.waker().clone());
                self.waiting.borrow_mut().push_back(entry);
                return false;
            }
            Place::Outside => drop(tokio::task::spawn_local(attend(Rc::clone(self)))),
            Place::Called => {}
        }
        place.set(Place::Outside);
        true
    }

    /// Calls whoever has waited longest and is still there. Whether there was anybody.
    fn call(&self) -> bool {
        loop {
            let Some((place, waker)) = self.waiting.borrow_mut().pop_front() else { return false };
            if let Some(place) = place.upgrade() {
                place.set(Place::Called);
                waker.wake();
                return true;
            }
        }
    }
}

/// The clerk: calls one in each round until nobody waits.
async fn attend(turns: Rc<Turns>) {
    loop {
        tokio::task::yield_now().await;
        if !turns.call() {
            turns.attended.set(false);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::LocalRuntime;
    use tokio::task::{spawn_local, yield_now};

    /// What ran, in order: steps by their number, and `None` for a task that has nothing to do with them.
    type Log = Rc<RefCell<Vec<Option<usize>>>>;

    /// A step that is polled twice.
    async fn step(number: usize, log: Log) -> usize {
        log.borrow_mut().push(Some(number));
        yield_now().await;
        log.borrow_mut().push(Some(number));
        number
    }

    async fn bystander(log: Log) {
        loop {
            log.borrow_mut().push(None);
            yield_now().await;
        }
    }

    fn run<F: Future>(test: impl FnOnce(Rc<Turns>, Log) -> F) -> F::Output {
        LocalRuntime::new().unwrap().block_on(test(Rc::default(), Log::default()))
    }

    #[test]
    fn a_crowd_takes_turns_between_which_others_have_theirs() {
        run(async |turns, log| {
            let beside = spawn_local(bystander(Rc::clone(&log)));
            let crowd: Vec<_> = (0..9)
                .map(|number| {
                    let (turns, log) = (Rc::clone(&turns), Rc::clone(&log));
                    spawn_local(async move { turns.take(step(number, log)).await })
                })
                .collect();
            for (number, one) in crowd.into_iter().enumerate() {
                assert_eq!(one.await.unwrap(), number);
            }
            beside.abort();
            let log = log.borrow();
            let is_step = |entry: &Option<usize>| entry.is_some();
            assert!(log.windows(2).all(|pair| !pair.iter().all(is_step)), "{log:?}");
            let order: Vec<_> = log.iter().flatten().copied().collect();
            assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        });
    }

    #[test]
    fn whoever_goes_holds_nobody_up() {
        run(async |turns, log| {
            let begin = |number| {
                let (turns, log) = (Rc::clone(&turns), Rc::clone(&log));
                spawn_local(async move { turns.take(step(number, log)).await })
            };
            let (first, second, third, last) = (begin(0), begin(1), begin(2), begin(3));
            yield_now().await;
            second.abort();
            third.abort();
            assert_eq!((first.await.unwrap(), last.await.unwrap()), (0, 3));
            assert!(!log.borrow().contains(&Some(2)));
            for _ in 0..3 {
                yield_now().await;
            }
            assert!(!turns.attended.get(), "nobody waits");
            assert_eq!(begin(4).await.unwrap(), 4);
        });
    }
}
