//! Entries expire by themselves: what is in force as of now, once the clock leaves the term for which it was compiled.
//!
//! The snapshot in force in, the same one as of now out: neither file nor list is read, so that an entry expires
//! also while the file is broken or gone. What the clock says is looked at again every [`GLANCE`], and the next expiry
//! is waited for no longer than that: when the clock jumps ahead, what expired meanwhile ends then; when it is set back,
//! what expired too early comes back.

use super::clock::Clock;
use super::snapshot::{Snapshot, SnapshotStore};
use crate::config::Config;
use crate::policy::Policy;
use crate::policy::moment::Moment;
use crate::telemetry::metrics::Metrics;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often the clock is looked at. With compiling it keeps the promise of a second.
pub(super) const GLANCE: Duration = Duration::from_millis(500);

/// Waits until what is in force is not what it was compiled to be any more.
pub(super) async fn outdated(store: &SnapshotStore, clock: &Clock) {
    loop {
        let (term, now) = (store.load().policy.term(), clock.now());
        if !term.contains(now) {
            return;
        }
        tokio::time::sleep(now.until(term.until).min(GLANCE)).await;
    }
}

/// A snapshot as of another moment, as the next revision.
pub(super) fn as_of(snapshot: &Snapshot, clock: &Clock, metrics: &Metrics) -> Snapshot {
    let policy = snapshot.policy.as_of(clock.now());
    let mut config = snapshot.config.clone();
    give_acls(&mut config, &policy);
    let hits = metrics.hits_of(&policy);
    Snapshot {
        revision: snapshot.revision + 1,
        digest: snapshot.digest.clone(),
        loaded_at: SystemTime::now(),
        config,
        policy,
        ageing: snapshot.ageing.clone(),
        hits,
    }
}

/// The keys of the management API have ACLs of the policy.
fn give_acls(config: &mut Config, policy: &Policy) {
    for key in config.admin.iter_mut().flat_map(|admin| &mut admin.api_keys) {
        if let Some(acl) = &mut key.ip_acl
            && let Some(current) = policy.parts().acls.iter().find(|current| current.id() == acl.id())
        {
            *acl = Arc::clone(current);
        }
    }
}

/// What is not in force any more, or again, for the log: `office: 203.0.113.7 expired`.
pub(super) fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let is_over = |snapshot: &Snapshot, expires: Moment| expires < snapshot.policy.term().until;
    let acls = after.policy.parts().acls.iter();
    let described = acls.flat_map(|acl| {
        acl.detailed().iter().filter_map(|detailed| {
            let expires = detailed.details.expires?;
            let verb = match (is_over(before, expires), is_over(after, expires)) {
                (false, true) => "expired",
                (true, false) => "is back, as the clock was set back",
                _ => return None,
            };
            Some(format!("{}: {} {verb}", acl.name(), detailed.entry.range))
        })
    });
    described.collect()
}

#[cfg(test)]
mod tests;
