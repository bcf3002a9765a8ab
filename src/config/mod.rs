//! The gateway's settings: all of the file that is not policy, typed and complete.
//!
//! Text in, [`Loaded`] or findings out, by the one front door [`load()`]; used by `run`, reload, `check` and the
//! management API alike. Every default is a named constant in [`defaults`].

pub mod answers;
pub mod defaults;
pub mod settings;

mod files;
mod load;
mod proxies;
mod read;
mod restart;

pub use answers::{Answers, BlockedAnswer, FieldValue, KeyAnswer};
pub use files::{DiskFiles, read_in_pieces};
pub use load::{Loaded, Outcome, load};
pub use read::is_log_level;
pub use settings::{
    AccessLog, Admin, AdminKey, CertificateFiles, ClientIp, ClientIpHeader, ClientIpSelect, Config, Decision,
    DecisionLines, Dialect, Limits, Listener, Log, LogFormat, Original, Server, Timeouts, TlsSettings,
    TrustedProxies, Upstream, UpstreamUrl,
};

#[cfg(test)]
mod tests;
