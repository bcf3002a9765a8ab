//! A bounded queue of lines and the thread that writes them: whoever has something to say never waits for a disk, a
//! pipe or a terminal.
//!
//! In: whole lines. Out: the same lines, in order, to one stream. INVARIANT: a full queue drops the new line and
//! counts it; the count is said in the stream as soon as there is room, and in the metrics.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// The most lines that wait to be written.
const LINES: usize = 8192;
/// How long the end of the process waits for the last lines.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The near end of the queue; clones share it.
#[derive(Clone, Debug)]
pub struct LineQueue {
    lines: SyncSender<Item>,
    dropped: Arc<AtomicU64>,
}

enum Item {
    Line(Vec<u8>),
    /// Answered once everything before it is written.
    Flush(SyncSender<()>),
}

impl LineQueue {
    /// Starts a thread that writes to `stream`. `notice` makes a line of a number of dropped lines.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(stream: impl Write + Send + 'static, notice: fn(u64) -> String) -> io::Result<Self> {
        Self::with_capacity(LINES, stream, notice)
    }

    fn with_capacity(
        lines: usize,
        stream: impl Write + Send + 'static,
        notice: fn(u64) -> String,
    ) -> io::Result<Self> {
        let (sender, received) = sync_channel(lines);
        let dropped = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&dropped);
        thread::Builder::new()
            .name("aclgate-log".to_owned())
            .spawn(move || write_lines(&received, stream, &count, notice))?;
        Ok(Self { lines: sender, dropped })
    }

    /// Adds a line, its newline included. Never waits.
    pub fn push(&self, line: Vec<u8>) {
        if self.lines.try_send(Item::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything that was pushed is written, but not for ever. Blocks.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.lines.try_send(Item::Flush(done)).is_ok() {
            // Late or not, the process may go on.
            let _ = written.recv_timeout(LAST_WORDS);
        }
    }
}

fn write_lines(
    received: &Receiver<Item>,
    stream: impl Write,
    dropped: &AtomicU64,
    notice: fn(u64) -> String,
) {
    let mut stream = io::BufWriter::with_capacity(64 * 1024, stream);
    let mut said = 0;
    // A stream that cannot be written to leaves nobody to tell.
    loop {
        let item = match received.try_recv() {
            Ok(item) => item,
            Err(_) => {
                let _ = stream.flush();
                match received.recv_timeout(Duration::from_secs(1)) {
                    Ok(item) => item,
                    Err(RecvTimeoutError::Timeout) if dropped.load(Ordering::Relaxed) > said => {
                        said = say_dropped(&mut stream, dropped, said, notice);
                        continue;
                    }
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        match item {
            Item::Line(line) => {
                let _ = stream.write_all(&line);
            }
            Item::Flush(done) => {
                said = say_dropped(&mut stream, dropped, said, notice);
                let _ = stream.flush();
                let _ = done.try_send(());
            }
        }
    }
}

fn say_dropped(stream: &mut impl Write, dropped: &AtomicU64, said: u64, notice: fn(u64) -> String) -> u64 {
    let now = dropped.load(Ordering::Relaxed);
    if now > said {
        let _ = stream.write_all(notice(now - said).as_bytes());
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A stream that stands still until it is opened.
    struct Gate {
        open: Receiver<()>,
        waited: bool,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.waited {
                self.open.recv().map_err(io::Error::other)?;
                self.waited = true;
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stream_that_stands_still_holds_up_nobody() {
        let (open, gate) = sync_channel(1);
        let written = Arc::new(Mutex::new(Vec::new()));
        let stream = Gate { open: gate, waited: false, written: Arc::clone(&written) };
        let queue = LineQueue::with_capacity(4, stream, |count| format!("dropped {count}\n")).unwrap();
        for number in 0..100_000 {
            queue.push(format!("line {number} {:1000}\n", "").into_bytes());
        }
        assert!(queue.dropped() > 0);
        open.send(()).unwrap();
        // The queue may be full for a moment yet.
        while !String::from_utf8_lossy(&written.lock().unwrap()).contains("dropped ") {
            queue.flush();
        }
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("line 0 "), "what came first is kept");
        let lines = text.lines().filter(|line| line.starts_with("line ")).count() as u64;
        assert_eq!(lines + queue.dropped(), 100_000);
        assert!(text.contains(&format!("dropped {}\n", queue.dropped())));
    }

    #[test]
    fn lines_come_out_in_order() {
        let (open, gate) = sync_channel(1);
        open.send(()).unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let queue =
            LineQueue::start(Gate { open: gate, waited: false, written: Arc::clone(&written) }, |_| {
                String::new()
            })
            .unwrap();
        for number in 0..1000 {
            queue.push(format!("{number}\n").into_bytes());
        }
        queue.flush();
        let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(written.lock().unwrap().clone()).unwrap(), expected);
    }
}
