//! What the process takes of the machine, by the names that all of Prometheus' client libraries give it.
//!
//! Read from `/proc` at each scrape; where there is no `/proc`, nothing is shown. A tick of a process's CPU time is a
//! hundredth of a second on every Linux (`USER_HZ`), and sizes in `status` are in KiB.

use std::fs;
use std::time::Duration;

/// A moment of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Usage {
    /// Time on CPUs, the kernel's on our behalf included.
    pub(super) cpu: Option<Duration>,
    /// Bytes of memory.
    pub(super) resident: Option<u64>,
    /// Descriptors in use.
    pub(super) descriptors: Option<u64>,
    /// The most descriptors; absent: as many as there are.
    pub(super) most_descriptors: Option<u64>,
}

impl Usage {
    /// Now.
    pub(super) fn read() -> Self {
        let text = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        Self {
            cpu: cpu(&text("stat")),
            resident: resident(&text("status")),
            descriptors: fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64),
            most_descriptors: most_descriptors(&text("limits")),
        }
    }
}

/// User and system time are fields 14 and 15; the name of the process, field 2, may hold anything but ends in the
/// last bracket.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(ticks()?.checked_add(ticks()?)?.checked_mul(10)?))
}

fn resident(status: &str) -> Option<u64> {
    let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    size.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn most_descriptors(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 3 0 1000 1 2 3";
        assert_eq!(cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(resident("Name:\ta\nVmRSS:\t   2048 kB\n"), Some(2 << 20));
        let limits = "Limit   Soft Limit   Hard Limit   Units\nMax open files    1024    4096    files\n";
        assert_eq!(most_descriptors(limits), Some(1024));
        assert_eq!(most_descriptors("Max open files    unlimited    unlimited    files\n"), None);
        for nonsense in ["", ")", "1 (x) S 1", "VmRSS: many kB", "Max open files"] {
            assert_eq!((cpu(nonsense), resident(nonsense), most_descriptors(nonsense)), (None, None, None));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something() {
        let usage = Usage::read();
        assert!(usage.cpu.is_some() && usage.resident > Some(0) && usage.descriptors > Some(0), "{usage:?}");
    }
}
