//! The upstream's URLs and the addresses behind them: settings in, addresses to try, in turn, out.
//!
//! All addresses of all URLs take turns. Names are resolved by the system's resolver, again after [`FRESH`] while the
//! old addresses go on serving; a failed lookup changes nothing. URLs that are gone from the settings are retired.

use super::error::UpstreamError;
use super::pool::Endpoint;
use crate::config::{self, UpstreamUrl};
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const FRESH: Duration = Duration::from_secs(10);
/// Addresses that a request takes into account at most.
const CANDIDATES: usize = 64;

/// One URL.
#[derive(Debug)]
struct Origin {
    url: UpstreamUrl,
    endpoints: RefCell<Vec<Rc<Endpoint>>>,
    /// `None`: the host is an address, never to be resolved.
    stale_at: Cell<Option<Instant>>,
    resolving: tokio::sync::Mutex<()>,
}

impl Origin {
    fn new(url: &UpstreamUrl) -> Rc<Self> {
        let literal = url.host.parse::<IpAddr>().ok();
        let endpoint = literal.map(|ip| Endpoint::new(url.clone(), SocketAddr::new(ip, url.port)));
        Rc::new(Self {
            url: url.clone(),
            stale_at: Cell::new(literal.is_none().then(Instant::now)),
            endpoints: RefCell::new(endpoint.into_iter().collect()),
            resolving: tokio::sync::Mutex::default(),
        })
    }

    /// Whether there are addresses. Old ones are looked up anew while they go on serving.
    fn is_resolved(self: &Rc<Self>, span: Duration) -> bool {
        let resolved = !self.endpoints.borrow().is_empty();
        if resolved && let Some(stale_at) = self.stale_at.get() {
            self.refresh(stale_at, span);
        }
        resolved
    }

    fn refresh(self: &Rc<Self>, stale_at: Instant, span: Duration) {
        let now = Instant::now();
        if now >= stale_at {
            self.stale_at.set(Some(now + FRESH));
            let origin = Rc::clone(self);
            tokio::task::spawn_local(async move {
                if let Err(error) = origin.resolve(span).await {
                    tracing::warn!(%error, "old addresses are kept");
                }
            });
        }
    }

    /// Sees to it that there are addresses.
    async fn prepare(self: &Rc<Self>, span: Duration) -> Result<(), UpstreamError> {
        if self.is_resolved(span) {
            return Ok(());
        }
        let _turn = self.resolving.lock().await;
        let missing = self.endpoints.borrow().is_empty();
        if missing { self.resolve(span).await } else { Ok(()) }
    }

    async fn resolve(&self, span: Duration) -> Result<(), UpstreamError> {
        let host = || self.url.host.clone();
        let lookup = tokio::net::lookup_host((self.url.host.as_str(), self.url.port));
        let found = timeout(span, lookup).await.map_err(|_| UpstreamError::DnsTimeout { host: host() })?;
        let found: io::Result<Vec<SocketAddr>> = found.map(Iterator::collect);
        let mut addresses =
            found.map_err(|error| UpstreamError::Dns { host: host(), source: Some(error) })?;
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            return Err(UpstreamError::Dns { host: host(), source: None });
        }
        let mut endpoints = self.endpoints.borrow_mut();
        let (kept, gone): (Vec<_>, Vec<_>) =
            endpoints.drain(..).partition(|endpoint| addresses.contains(&endpoint.address));
        gone.iter().for_each(|endpoint| endpoint.retire());
        *endpoints = kept;
        for address in addresses {
            if !endpoints.iter().any(|endpoint| endpoint.address == address) {
                endpoints.push(Endpoint::new(self.url.clone(), address));
            }
        }
        self.stale_at.set(Some(Instant::now() + FRESH));
        Ok(())
    }
}

/// What connections depend on; if it changes, they do not outlive it.
#[derive(PartialEq, Eq, Debug, Default)]
struct Manner {
    h2c: bool,
    ca: Option<PathBuf>,
}

/// All URLs of a worker.
#[derive(Debug, Default)]
pub(super) struct Origins {
    list: RefCell<Vec<Rc<Origin>>>,
    manner: RefCell<Manner>,
    turn: Cell<usize>,
}

impl Origins {
    /// The addresses that a request may try, if nothing has to be waited for.
    pub(super) fn known(&self, settings: &config::Upstream) -> Option<Candidates> {
        self.follow(settings);
        let mut list = SmallVec::new();
        for origin in self.list.borrow().iter() {
            if !origin.is_resolved(settings.connect_timeout) {
                return None;
            }
            list.extend(origin.endpoints.borrow().iter().cloned());
        }
        Some(self.in_turn(list))
    }

    /// The addresses that a request may try.
    ///
    /// # Errors
    /// [`UpstreamError::Dns`] or [`UpstreamError::DnsTimeout`] if there is none.
    pub(super) async fn candidates(&self, settings: &config::Upstream) -> Result<Candidates, UpstreamError> {
        self.follow(settings);
        let origins: SmallVec<[Rc<Origin>; 4]> = self.list.borrow().iter().cloned().collect();
        let mut list = SmallVec::new();
        let mut failure = None;
        for origin in &origins {
            match origin.prepare(settings.connect_timeout).await {
                Ok(()) => list.extend(origin.endpoints.borrow().iter().cloned()),
                Err(error) => failure = Some(error),
            }
        }
        if list.is_empty() {
            return Err(failure.unwrap_or(UpstreamError::Dns { host: String::new(), source: None }));
        }
        Ok(self.in_turn(list))
    }

    fn in_turn(&self, mut list: SmallVec<[Rc<Endpoint>; 4]>) -> Candidates {
        list.truncate(CANDIDATES);
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        Candidates { list, turn, tried: 0 }
    }

    fn follow(&self, settings: &config::Upstream) {
        let mut list = self.list.borrow_mut();
        let mut manner = self.manner.borrow_mut();
        let same_manner = manner.h2c == settings.h2c && manner.ca == settings.ca;
        if same_manner
            && list.len() == settings.urls.len()
            && list.iter().zip(&settings.urls).all(|(origin, url)| origin.url == *url)
        {
            return;
        }
        let old = std::mem::take(&mut *list);
        for url in &settings.urls {
            let kept = old.iter().find(|origin| same_manner && origin.url == *url);
            list.push(kept.map_or_else(|| Origin::new(url), Rc::clone));
        }
        for origin in old.iter().filter(|origin| !list.iter().any(|kept| Rc::ptr_eq(kept, origin))) {
            origin.endpoints.borrow().iter().for_each(|endpoint| endpoint.retire());
        }
        *manner = Manner { h2c: settings.h2c, ca: settings.ca.clone() };
    }
}

/// The addresses that a request may try, each once.
#[derive(Debug)]
pub(super) struct Candidates {
    list: SmallVec<[Rc<Endpoint>; 4]>,
    turn: usize,
    tried: u64,
}

impl Candidates {
    /// The next one: those in good health first, then those set aside.
    pub(super) fn next(&mut self) -> Option<Rc<Endpoint>> {
        self.pick(|endpoint| endpoint.health.may_try()).or_else(|| self.pick(|_| true))
    }

    fn pick(&mut self, suits: impl Fn(&Endpoint) -> bool) -> Option<Rc<Endpoint>> {
        let count = self.list.len();
        for step in 0..count {
            let place = (self.turn % count + step) % count;
            let bit = 1 << place;
            match self.list.get(place) {
                Some(endpoint) if self.tried & bit == 0 && suits(endpoint) => {
                    self.tried |= bit;
                    return Some(Rc::clone(endpoint));
                }
                _ => {}
            }
        }
        None
    }
}
