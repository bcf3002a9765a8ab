//! What was asked, kept whole, so that another policy can be asked the same.

use crate::enforce::enforce;
use crate::policy::decide::decide;
use crate::request::{RequestHead, client_address, facts};
use crate::store::Snapshot;
use bytes::Bytes;
use std::fmt;
use std::net::IpAddr;

/// What a request's body said.
#[derive(Clone)]
pub enum Said {
    /// It has none.
    Nothing,
    /// It was streamed through: no decision depended on it.
    NotHeard,
    /// It was read.
    Heard(Bytes),
}

/// A request as far as decisions depend on it. Holds secrets, so it cannot be printed.
pub struct Asked {
    /// Its head.
    pub request: Box<RequestHead>,
    /// Its body.
    pub said: Said,
    /// The other end of its connection.
    pub peer: IpAddr,
    /// Whether it went upstream in disguise: then it may go on where a new policy would disguise it.
    pub disguised: bool,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::NotHeard => "NotHeard",
            Self::Heard(_) => "Heard(..)",
        })
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

impl Asked {
    /// Whether a policy blocks the request. What cannot be told blocks.
    pub fn blocked_by(&self, snapshot: &Snapshot) -> bool {
        let Snapshot { policy, config, .. } = snapshot;
        let client = client_address::resolve(&config.client_ip, self.peer, &self.request.fields);
        let Ok(mut facts) = facts::gather(policy, &self.request, client.address) else { return true };
        if facts::needs_body(policy, &facts, &config.answers) {
            match &self.said {
                Said::Nothing => {}
                Said::NotHeard => return true,
                Said::Heard(body) => {
                    if facts::add_body(policy, &mut facts, &self.request, body).is_err() {
                        return true;
                    }
                }
            }
        }
        match enforce(snapshot, &decide(policy, &facts, |_| {})) {
            Ok(permit) => permit.demands_disguise() && !self.disguised,
            Err(_) => true,
        }
    }
}
