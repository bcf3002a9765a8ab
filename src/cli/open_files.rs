//! The limit of open files: raised to what the system allows, and compared with what the configuration promises.
//!
//! In: `limits.connections`. Out: a warning in the log where the promise cannot be kept. A connection takes two files, its
//! own and that of the upstream connection that serves it. Deliberately absent: lowering the promise. Whoever comes when
//! files have run out waits in the kernel's queue, as nginx and HAProxy have it, and gets in once others have left.

use crate::config::Limits;

/// Files besides connections: listeners, workers' event queues, the watcher, logs, list files while they are read.
const OTHERS: u64 = 128;

/// Raises the soft limit to the hard one. Once a process, before connections are taken.
pub(super) fn raise(limits: &Limits) {
    let possible = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(possible) => possible,
        Err(error) => return tracing::warn!(%error, "the limit of open files cannot be raised"),
    };
    let needed = needed(limits.connections);
    if possible < needed {
        tracing::warn!(
            limit = possible,
            needed,
            connections = limits.connections,
            "limits.connections is more than the limit of open files allows; raise it (`LimitNOFILE`, `ulimit -n`)"
        );
    }
}

fn needed(connections: usize) -> u64 {
    u64::try_from(connections).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_a_connection() {
        assert_eq!(needed(10_000), 20_128);
        assert_eq!(needed(usize::MAX), u64::MAX);
    }
}
