//! What is said of a decision: counted always, logged where it blocks or would block, or where every decision is wanted.
//!
//! Nobody may tell a decoy from an invalid key by how long its answer takes, so both do the same work, and lines of
//! decoys are written behind their answers.

use super::Gateway;
use super::blocked_line::{BlockedLine, Decided};
use super::request_id::RequestId;
use crate::config::DecisionLines;
use crate::policy::decide::{Decision, Subject};
use crate::request::client_address::ClientAddress;
use crate::request::{Connection, RequestHead, api_key};
use crate::store::Snapshot;
use crate::telemetry::SubjectKind;
use crate::telemetry::decision_log::DecisionLog;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// How long the line of a decoy waits: longer than an upstream needs to refuse a key.
const BEHIND: Duration = Duration::from_millis(500);

/// Whether a line is written once its request is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Behind {
    Always,
    /// If there are not too many.
    IfAdmitted,
    /// It only takes the time.
    Never,
}

impl Gateway {
    /// Counts a decision, and logs it where it blocks or would block, or where every decision is wanted.
    pub(super) fn record(
        &self,
        snapshot: &Snapshot,
        decided: &Decided<'_, '_>,
        request: &RequestHead,
        (client, connection, id): (&ClientAddress, &Connection, &RequestId),
    ) {
        let Decision { cause, reported, .. } = decided.decision;
        let block = cause.filter(|check| check.blocks()).or(*reported);
        self.metrics.request(decided.label(), block.map(|check| SubjectKind::of(&check.subject)));
        let log = &snapshot.config.log;
        let all = log.decisions == DecisionLines::All;
        if !(all || block.is_some()) || (block.is_some() && !log.blocked_requests) {
            return;
        }
        let is_key = block.is_some_and(|check| matches!(check.subject, Subject::ApiKey(_)));
        let decoy = is_key && snapshot.config.answers.has_decoy();
        if !(all || decoy || self.decisions.admits()) {
            return;
        }
        let seen = (client, connection, id.of(&request.fields));
        let mut line = BlockedLine::of(snapshot, request, seen, decided);
        if all || !decoy {
            line = line.recorded(snapshot, request, decided);
        }
        if decoy {
            self.log_behind(line, if all { Behind::Always } else { Behind::IfAdmitted });
        } else {
            line.write(&self.decisions);
        }
    }

    /// Logs a decoy once it is answered, and an invalid key, which is not logged, as if.
    fn log_behind(&self, line: BlockedLine, wanted: Behind) {
        let decisions = Rc::clone(&self.decisions);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(BEHIND).await;
            let written = match wanted {
                Behind::Always => true,
                Behind::IfAdmitted => decisions.admits(),
                Behind::Never => false,
            };
            if written {
                line.write(&decisions);
            }
        });
    }

    /// The work that a decoy takes, for an invalid key: that one must not be the faster one. What upstream did not
    /// refuse is no invalid key.
    pub(super) fn rehearse(
        &self,
        snapshot: &Snapshot,
        request: &RequestHead,
        (client, connection, id): (&ClientAddress, &Connection, &RequestId),
    ) {
        if api_key::rehearse(&request.fields, &snapshot.policy) && snapshot.config.log.blocked_requests {
            let line =
                BlockedLine::rehearsed(snapshot, request, (client, connection, id.of(&request.fields)));
            self.log_behind(line, Behind::Never);
        }
    }
}

/// Behind the last line of a flood no further one may come, so the count is told by the clock.
pub(super) async fn tell_what_was_held_back(decisions: Rc<DecisionLog>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        decisions.flush();
    }
}
