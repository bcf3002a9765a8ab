//! An upstream that records what it receives and answers what it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it reached the upstream.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The request line, to the byte.
    pub line: String,
    /// Header lines in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub body: Vec<u8>,
    /// Counts the upstream's connections.
    pub connection: usize,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count()
    }

    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// Runs until the process ends.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Upstream {
    /// Answers `200` with `upstream` as body and the marker header to everything.
    pub(crate) fn start() -> Self {
        Self::answering(|_| {
            "HTTP/1.1 200 OK\r\nX-Upstream: idp\r\nContent-Length: 8\r\n\r\nupstream".to_owned().into_bytes()
        })
    }

    /// Answers with these bytes.
    pub(crate) fn answering(answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let upstream = Self { address, received: Arc::clone(&received) };
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (answer, received) = (Arc::clone(&answer), Arc::clone(&received));
                std::thread::spawn(move || {
                    let mut stream = BufReader::new(stream.unwrap());
                    while let Some(request) = read_request(&mut stream, connection) {
                        let bytes = answer(&request);
                        received.lock().unwrap().push(request);
                        if stream.get_mut().write_all(&bytes).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        upstream
    }

    /// Everything received so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The last request received.
    pub(crate) fn last(&self) -> Received {
        self.received().last().cloned().expect("a request at the upstream")
    }
}

fn read_request(stream: &mut BufReader<TcpStream>, connection: usize) -> Option<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut received = Received { line: lines.first()?.clone(), headers, body: Vec::new(), connection };
    if received.header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size];
            stream.read_exact(&mut chunk).ok()?;
            received.body.extend_from_slice(&chunk);
            let mut end = String::new();
            stream.read_line(&mut end).ok()?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = received.header("content-length") {
        let mut body = vec![0; length.parse().ok()?];
        stream.read_exact(&mut body).ok()?;
        received.body = body;
    }
    Some(received)
}
