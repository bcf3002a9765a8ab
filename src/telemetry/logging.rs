//! The log: `tracing` events → text or JSON lines on standard error, off the hot path.
//!
//! The level can change while running, the format cannot. Colours only where standard error is a terminal and
//! `NO_COLOR` is not set. The decision log ([`BLOCKED`]) has a switch of its own and passes whatever the level is.

use super::line_queue::LineQueue;
use crate::config::{Log, LogFormat};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// The target of the decision log.
pub const BLOCKED: &str = "aclgate::blocked";
/// The target of audit records.
pub const AUDIT: &str = "aclgate::audit";
/// The level where the configured one cannot be read.
const FALLBACK: &str = "info";

/// The running log.
#[derive(Clone, Debug)]
pub struct LogControl(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    filter: reload::Handle<EnvFilter, Registry>,
    queue: LineQueue,
    level: Mutex<(Level, u64)>,
}

/// Which level holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Level {
    /// What the file says.
    pub configured: String,
    /// What was set while running, and holds instead.
    pub set: Option<String>,
    /// When the configured one holds again.
    pub until: Option<SystemTime>,
}

/// A log that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No thread for it.
    #[error("cannot start the log: {0}")]
    Thread(#[from] io::Error),
    /// There is one already.
    #[error("the process has a log already")]
    Taken(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Starts the log of this process, on standard error.
///
/// # Errors
/// No thread, or a log is there already.
pub fn start(settings: &Log) -> Result<LogControl, LogError> {
    let colour =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (subscriber, control) = build(settings, io::stderr(), colour)?;
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(control)
}

impl LogControl {
    /// A log that is not there: events go wherever the process sends them.
    pub fn none() -> Self {
        Self(None)
    }

    /// Takes over the level. One that was set while running holds until the file says another than before.
    pub fn apply(&self, settings: &Log) {
        if let Some(inner) = &self.0 {
            inner.change(|level| {
                if level.configured != settings.level {
                    let configured = settings.level.clone();
                    *level = Level { configured, set: None, until: None };
                }
            });
        }
    }

    /// The level that holds; `None`: there is no log.
    pub fn level(&self) -> Option<Level> {
        self.0.as_ref().map(|inner| inner.lock().0.clone())
    }

    /// Sets the level, or with `None` takes back what was set. `until` says when somebody will call
    /// [`end_level`](Self::end_level) with the number that is given back.
    pub fn set_level(&self, set: Option<&str>, until: Option<SystemTime>) -> u64 {
        self.0.as_ref().map_or(0, |inner| {
            inner.change(|level| *level = Level { set: set.map(str::to_owned), until, ..level.clone() })
        })
    }

    /// Takes back the level that was set as this number, unless another has been set since.
    pub fn end_level(&self, number: u64) {
        if let Some(inner) = self.0.as_ref().filter(|inner| inner.lock().1 == number) {
            inner.change(|level| *level = Level { set: None, until: None, ..level.clone() });
        }
    }

    /// Lines that were dropped because nobody took them off the queue.
    pub fn dropped(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.queue.dropped())
    }

    /// Waits for the last lines; for the end of the process. Blocks.
    pub fn flush(&self) {
        if let Some(inner) = &self.0 {
            inner.queue.flush();
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, (Level, u64)> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes are numbered.
    fn change(&self, change: impl FnOnce(&mut Level)) -> u64 {
        let mut held = self.lock();
        let (level, number) = &mut *held;
        change(level);
        *number += 1;
        // Fails only if the subscriber is gone, and then there is nothing to change.
        let _ = self.filter.reload(filter(level.set.as_ref().unwrap_or(&level.configured)));
        *number
    }
}

type Subscriber = Box<dyn tracing::Subscriber + Send + Sync>;

fn build(
    settings: &Log,
    stream: impl Write + Send + 'static,
    colour: bool,
) -> Result<(Subscriber, LogControl), LogError> {
    let notice: fn(u64) -> String = match settings.format {
        LogFormat::Text => {
            |count| format!(" WARN aclgate: {count} log lines dropped, the reader is too slow\n")
        }
        LogFormat::Json => |count| {
            let message = "log lines dropped, the reader is too slow";
            format!("{}\n", serde_json::json!({ "level": "WARN", "message": message, "lines": count }))
        },
    };
    let queue = LineQueue::start(stream, notice)?;
    let (filter, handle) = reload::Layer::new(filter(&settings.level));
    let lines = Lines(queue.clone());
    let layer = tracing_subscriber::fmt::layer().with_writer(lines);
    let layer: Box<dyn Layer<_> + Send + Sync> = match settings.format {
        LogFormat::Text => Box::new(layer.with_ansi(colour)),
        LogFormat::Json => Box::new(layer.with_ansi(false).json().flatten_event(true)),
    };
    let subscriber = Registry::default().with(filter).with(layer);
    let level = Level { configured: settings.level.clone(), set: None, until: None };
    let inner = Inner { filter: handle, queue, level: Mutex::new((level, 0)) };
    Ok((Box::new(subscriber), LogControl(Some(Arc::new(inner)))))
}

/// INVARIANT: decision log and audit records pass any level; each has its own switch.
fn filter(level: &str) -> EnvFilter {
    let directives = format!("{level},{BLOCKED}=info,{AUDIT}=info");
    EnvFilter::try_new(directives)
        .unwrap_or_else(|_| EnvFilter::new(format!("{FALLBACK},{BLOCKED}=info,{AUDIT}=info")))
}

/// Makes a line of each event.
#[derive(Clone, Debug)]
struct Lines(LineQueue);

/// Gathers the pieces of one event; the line goes off when the event is over.
#[derive(Debug)]
struct Line {
    queue: LineQueue,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { queue: self.0.clone(), text: Vec::with_capacity(256) }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            self.queue.push(std::mem::take(&mut self.text));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::{AccessLog, DecisionLines};

    /// A stream that can be read back.
    #[derive(Clone, Debug, Default)]
    pub(in crate::telemetry) struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Sink {
        pub(in crate::telemetry) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn settings(level: &str, format: LogFormat) -> Log {
        let decisions = DecisionLines::Blocked;
        Log { level: level.to_owned(), format, access: AccessLog::Off, blocked_requests: true, decisions }
    }

    /// What is logged by `events` under a log with these settings.
    pub(in crate::telemetry) fn logged(
        level: &str,
        format: LogFormat,
        events: impl FnOnce(&LogControl),
    ) -> String {
        let sink = Sink::default();
        let (subscriber, control) = build(&settings(level, format), sink.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, || events(&control));
        control.flush();
        sink.text()
    }

    #[test]
    fn text_and_json() {
        let text = logged("info", LogFormat::Text, |_| tracing::info!(revision = 7, "in force"));
        assert!(text.contains("INFO") && text.ends_with("in force revision=7\n"), "{text}");
        let json = logged("info", LogFormat::Json, |_| tracing::info!(revision = 7, "in force"));
        let object: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&object["message"], &object["revision"]), (&"in force".into(), &7.into()));
    }

    #[test]
    fn the_level_changes_while_running() {
        let text = logged("warn", LogFormat::Text, |control| {
            tracing::info!("one");
            control.apply(&settings("debug", LogFormat::Text));
            tracing::debug!("two");
            control.apply(&settings("error", LogFormat::Text));
            tracing::warn!("three");
        });
        assert!(!text.contains("one") && text.contains("two") && !text.contains("three"), "{text}");
    }

    #[test]
    fn a_level_that_was_set_holds_until_the_file_says_another() {
        let text = logged("warn", LogFormat::Text, |control| {
            let first = control.set_level(Some("debug"), None);
            tracing::debug!("one");
            // A reload of something else.
            control.apply(&settings("warn", LogFormat::Text));
            tracing::debug!("two");
            let second = control.set_level(Some("trace"), None);
            control.end_level(first);
            tracing::trace!("three");
            control.end_level(second);
            tracing::info!("four");
            control.set_level(Some("debug"), None);
            control.apply(&settings("info", LogFormat::Text));
            tracing::debug!("five");
            let level = control.level().unwrap();
            assert_eq!((&*level.configured, level.set), ("info", None));
        });
        for (word, shown) in [("one", true), ("two", true), ("three", true), ("four", false), ("five", false)]
        {
            assert_eq!(text.contains(word), shown, "{word}\n{text}");
        }
    }

    #[test]
    fn decisions_and_audit_records_pass_any_level() {
        let text = logged("off", LogFormat::Text, |_| {
            tracing::info!(target: BLOCKED, "one");
            tracing::info!(target: AUDIT, "two");
            tracing::error!("three");
        });
        assert!(text.contains("one") && text.contains("two") && !text.contains("three"), "{text}");
    }

    #[test]
    fn a_level_that_cannot_be_read_is_info() {
        let text = logged("=,=", LogFormat::Text, |_| {
            tracing::info!("one");
            tracing::debug!("two");
        });
        assert!(text.contains("one") && !text.contains("two"), "{text}");
    }
}
