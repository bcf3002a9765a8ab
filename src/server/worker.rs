//! Workers: OS threads, each with a runtime of its own, on which connections live from beginning to end.
//!
//! Sockets come in by a channel for each worker; the one with the fewest open connections gets the next. What a
//! connection touches belongs to its worker alone: no lock is shared, counters apart.
//! A panic ends the task in which it happens, a connection (HTTP/1) or a stream (HTTP/2), and nothing else.

use super::byte_meter::ByteMeter;
use super::connection::{self, Arrival, Settings, TrustedPeers};
use super::date;
use super::deadline::Registry;
use super::listener::ListenerKind;
use super::pulse::Pulse;
use super::turns::Turns;
use super::{Counters, Handler, Stage};
use crate::telemetry::metrics::Traffic;
use arc_swap::ArcSwap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// Larger than any piece that mimalloc keeps at hand.
const LARGE_PIECE: usize = 1024 * 1024;

/// Connections that a worker begins before it looks after the others again. All that have arrived would be hundreds in a
/// flood, and whoever has a connection already would wait for the beginning of each.
const ARRIVALS: usize = 8;

/// An accepted socket.
pub(super) struct Delivery {
    pub(super) stream: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) kind: Arc<ListenerKind>,
    /// Whether it is beyond the limit and only to be told so.
    pub(super) surplus: bool,
}

/// Whether a connection is within the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Admission {
    Within,
    Surplus,
}

/// How many connections are open, everywhere.
#[derive(Debug, Default)]
struct Load {
    open: AtomicUsize,
    released: Notify,
    counters: Arc<Counters>,
}

/// Counts a connection, of its worker and in all, while it lives.
#[derive(Debug)]
struct Ticket {
    all: Arc<Load>,
    worker: Arc<AtomicUsize>,
}

impl Ticket {
    fn new(all: &Arc<Load>, worker: &Arc<AtomicUsize>) -> Self {
        all.open.fetch_add(1, Relaxed);
        all.counters.open.fetch_add(1, Relaxed);
        worker.fetch_add(1, Relaxed);
        Self { all: Arc::clone(all), worker: Arc::clone(worker) }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.all.open.fetch_sub(1, Relaxed);
        self.all.counters.open.fetch_sub(1, Relaxed);
        self.worker.fetch_sub(1, Relaxed);
        self.all.released.notify_one();
    }
}

#[derive(Debug)]
struct Desk {
    open: Arc<AtomicUsize>,
    deliveries: mpsc::UnboundedSender<(Delivery, Ticket)>,
}

/// The way to all workers.
#[derive(Debug)]
pub(super) struct Workers {
    desks: Vec<Desk>,
    load: Arc<Load>,
}

impl Workers {
    /// Waits until there is room for another connection, for as long as `patience`; then for room in the eighth beyond
    /// the limit.
    pub(super) async fn admit(&self, limit: usize, patience: Duration) -> Admission {
        let open = || self.load.open.load(Relaxed);
        let room = async |limit: usize| {
            while open() >= limit {
                self.load.released.notified().await;
            }
        };
        if open() < limit || tokio::time::timeout(patience, room(limit)).await.is_ok() {
            return Admission::Within;
        }
        room(limit + limit / 8 + 1).await;
        if open() < limit { Admission::Within } else { Admission::Surplus }
    }

    /// Hands a socket to the worker with the fewest connections. Linear in the number of workers.
    pub(super) fn deliver(&self, delivery: Delivery) {
        if let Some(desk) = self.desks.iter().min_by_key(|desk| desk.open.load(Relaxed)) {
            let ticket = Ticket::new(&self.load, &desk.open);
            // A worker that has ended drops the socket, as it would have done itself.
            drop(desk.deliveries.send((delivery, ticket)));
        }
    }
}

/// What all workers share.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) trusted: TrustedPeers,
    pub(super) counters: Arc<Counters>,
    pub(super) stage: watch::Receiver<Stage>,
}

/// A running worker: its thread, and the news of its end.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) ended: oneshot::Receiver<()>,
    pub(super) thread: JoinHandle<()>,
    pub(super) pulse: Pulse,
}

/// Starts workers. `make` is called on each worker's thread, within its runtime.
pub(super) fn start<H, F>(count: usize, common: &Common, make: &F) -> io::Result<(Workers, Vec<Running>)>
where
    H: Handler,
    F: Fn() -> H + Clone + Send + 'static,
{
    let (mut desks, mut running) = (Vec::new(), Vec::new());
    for number in 0..count.max(1) {
        let (deliveries, arriving) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        // A runtime of local tasks cannot leave the thread that makes it.
        let (begin, begun) = std::sync::mpsc::sync_channel(1);
        let pulse = Pulse::default();
        let (common, make, beating) = (common.clone(), make.clone(), pulse.clone());
        let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
                Err(error) => drop(begin.send(Err(error))),
                Ok(runtime) => {
                    drop(begin.send(Ok(())));
                    runtime.block_on(async {
                        attend(Rc::new(make()), arriving, (common, beating)).await;
                    });
                }
            }
            drop(end);
        })?;
        begun.recv().map_err(io::Error::other)??;
        desks.push(Desk { open: Arc::default(), deliveries });
        running.push(Running { ended, thread, pulse });
    }
    let load = Load { counters: Arc::clone(&common.counters), ..Load::default() };
    Ok((Workers { desks, load: Arc::new(load) }, running))
}

async fn attend<H: Handler>(
    handler: Rc<H>,
    mut arriving: mpsc::UnboundedReceiver<(Delivery, Ticket)>,
    (common, pulse): (Common, Pulse),
) {
    let traffic = common.counters.new_traffic();
    let registry = Registry::new(common.settings.load().timeouts);
    let turns = Rc::default();
    let mut begun: usize = 0;
    let mut connections = JoinSet::new();
    let (mut finish, mut abort) = (common.stage.clone(), common.stage.clone());
    let (mut draining, mut closed) = (false, false);
    let mut sweep = std::pin::pin!(registry.run(|| {
        pulse.beat();
        date::refresh();
        hand_back();
    }));
    while !(closed && connections.is_empty()) {
        tokio::select! {
            _ = abort.wait_for(|stage| *stage == Stage::Aborting) => return,
            _ = finish.wait_for(|stage| *stage != Stage::Serving), if !draining => {
                draining = true;
                registry.drain(common.settings.load().timeouts.drain_idle);
            }
            arrival = arriving.recv(), if !closed => match arrival {
                Some((delivery, ticket)) => {
                    let arrival = begin(delivery, &handler, (&registry, &turns, &traffic), &common);
                    connections.spawn_local(serve(arrival, ticket));
                    begun = begun.wrapping_add(1);
                    if begun.is_multiple_of(ARRIVALS) {
                        tokio::task::yield_now().await;
                    }
                }
                None => closed = true,
            },
            Some(ended) = connections.join_next() => if ended.is_err_and(|error| error.is_panic()) {
                tracing::error!("a connection ended in a panic");
            },
            () = &mut sweep => {}
        }
    }
}

/// What the allocator keeps of memory that was freed, it gives back to the system when it next looks for a large piece,
/// and an idle worker never asks for one. So this asks, and uses nothing of it: behind a burst of a thousand uploads, 66 KiB of
/// each connection were kept for ever, and 20 with it. Costs about a microsecond.
fn hand_back() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE_PIECE)));
}

fn begin<H: Handler>(
    delivery: Delivery,
    handler: &Rc<H>,
    (registry, turns, traffic): (&Rc<Registry>, &Rc<Turns>, &Arc<Traffic>),
    common: &Common,
) -> io::Result<Box<Arrival<H>>> {
    Ok(Box::new(Arrival {
        stream: ByteMeter::new(tokio::net::TcpStream::from_std(delivery.stream)?, Arc::clone(traffic)),
        peer: delivery.peer,
        kind: delivery.kind,
        surplus: delivery.surplus,
        handler: Rc::clone(handler),
        registry: Rc::clone(registry),
        turns: Rc::clone(turns),
        settings: Rc::new(**common.settings.load()),
        trusted: Arc::clone(&common.trusted),
        counters: Arc::clone(&common.counters),
    }))
}

async fn serve<H: Handler>(arrival: io::Result<Box<Arrival<H>>>, ticket: Ticket) {
    if let Ok(arrival) = arrival {
        connection::serve(arrival).await;
    }
    drop(ticket);
}
