//! # Decisions for other proxies
//!
//! How to use it, proxy by proxy: `docs/src/how-to/ask-instead-of-proxying.md`.
//!
//! **Context.** Subrequest protocols carry the original request in fields that clients can send as well, and every proxy has
//! names of its own for them.
//!
//! **Decision.** A listener reads the fields of one dialect, each exactly once; a missing, empty or repeated one is 403. What other
//! dialects would read must say the same: a listener with the wrong dialect then refuses instead of believing the client.
//! No address in the header is 403 as well: the peer is the proxy, not a client. The decision itself is
//! [`Gateway::judge`](crate::gateway::Gateway::judge), the path of every request but for the forwarding.
//!
//! **Consequences.** A chain of proxies that tell different targets under different names is refused until the inner one removes
//! what the outer one said.
//!
//! **Rejected.** Guessing the dialect from the fields: then the client chooses it. Taking an unseen body for none, by a setting: the
//! token rule would be a comment. gRPC: the HTTP form says the same.
