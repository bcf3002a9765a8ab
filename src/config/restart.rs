//! What a reload cannot change.

use super::settings::{Config, Decision, Listener, LogFormat, Original};

impl Config {
    /// What differs in `other` and takes effect only after a restart, in words for the log: `server.workers: 2 → 4`.
    /// Empty if everything can be put in force at once.
    pub fn restart_differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |key: &str, old: String, new: String| {
            if old != new {
                differences.push(format!("{key}: {old} → {new}"));
            }
        };
        compare("server.listen", listeners(&self.server.listen), listeners(&other.server.listen));
        compare("server.workers", workers(self.server.workers), workers(other.server.workers));
        compare("admin.listen", admin(self), admin(other));
        compare("decision", decisions(self), decisions(other));
        compare("log.format", log_format(self).to_owned(), log_format(other).to_owned());
        differences
    }
}

/// Addresses, with what belongs to the socket; certificates can change.
fn listeners(listeners: &[Listener]) -> String {
    let describe = |listener: &Listener| {
        let tls = if listener.tls.is_some() { " with TLS" } else { "" };
        let proxy = if listener.proxy_protocol { " with PROXY protocol" } else { "" };
        format!("{}{tls}{proxy}", listener.address)
    };
    listeners.iter().map(describe).collect::<Vec<_>>().join(", ")
}

fn workers(workers: Option<usize>) -> String {
    workers.map_or_else(|| "one for each CPU".to_owned(), |count| count.to_string())
}

fn admin(config: &Config) -> String {
    config.admin.as_ref().map_or_else(
        || "none".to_owned(),
        |admin| format!("{}{}", admin.listen, if admin.tls.is_some() { " with TLS" } else { "" }),
    )
}

fn log_format(config: &Config) -> &'static str {
    match config.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}

/// Listeners with all that they were started with; certificates can change.
fn decisions(config: &Config) -> String {
    let describe = |decision: &Decision| {
        let original = match &decision.original {
            Original::Headers { uri, method, host } => format!("{uri}, {method}, {host}"),
            Original::Itself { path_prefix } => format!("`{path_prefix}`"),
        };
        let listener = listeners(std::slice::from_ref(&decision.listener));
        format!("{listener} for {} ({original})", decision.dialect.name())
    };
    if config.decisions.is_empty() {
        return "none".to_owned();
    }
    config.decisions.iter().map(describe).collect::<Vec<_>>().join(", ")
}
