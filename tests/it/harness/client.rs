//! A client that sends bytes as they are and reads whole answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough for any answer on a busy machine; only ever reached by a bug.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// One answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        Self::over(stream)
    }

    /// Connects from a certain address of the loopback net.
    pub(crate) fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let domain = if source.is_ipv4() { socket2::Domain::IPV4 } else { socket2::Domain::IPV6 };
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        // The gateway may have refused and closed already; what it answered is still to be read.
        let _ = self.stream.get_mut().write_all(bytes.as_ref());
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        let head_only = bytes.as_ref().starts_with(b"HEAD ");
        self.write(bytes);
        self.read_answer(head_only).expect("an answer")
    }

    /// The next answer; `None` where the connection ends first.
    pub(crate) fn read_answer(&mut self, head_only: bool) -> Option<Answer> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end_matches(['\r', '\n']).to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let status: u16 = lines.first()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        if status == 100 {
            return self.read_answer(head_only);
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if !head_only && status != 101 && status != 204 && status != 304 {
            answer.body = self.read_body(&answer)?;
        }
        Some(answer)
    }

    fn read_body(&mut self, answer: &Answer) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        if answer.header("transfer-encoding").is_some() {
            loop {
                let mut size = String::new();
                self.stream.read_line(&mut size).ok()?;
                let size = usize::from_str_radix(size.trim(), 16).ok()?;
                let mut chunk = vec![0; size];
                self.stream.read_exact(&mut chunk).ok()?;
                body.extend_from_slice(&chunk);
                let mut end = String::new();
                self.stream.read_line(&mut end).ok()?;
                if size == 0 {
                    return Some(body);
                }
            }
        }
        match answer.header("content-length") {
            Some(length) => {
                body.resize(length.parse().ok()?, 0);
                self.stream.read_exact(&mut body).ok()?;
            }
            None => {
                self.stream.read_to_end(&mut body).ok()?;
            }
        }
        Some(body)
    }

    /// Whether the gateway closes the connection without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte), Ok(0) | Err(_))
    }

    /// The bare stream, for what is not HTTP.
    pub(crate) fn stream(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.stream
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
