//! One process follows another on the same sockets: no request is lost, whatever protocol it is asked by.
//!
//! The test stands in for the service manager: it holds the listening sockets and hands them to the first process.

use crate::harness::{Client, Upstream};
use bytes::Bytes;
use command_fds::{CommandFdExt, FdMapping};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where gateways run one after another: the sockets, the file, what they log.
struct Place {
    sockets: [TcpListener; 3],
    folder: tempfile::TempDir,
    lines: Receiver<String>,
    log: Sender<String>,
}

/// A process that the test started, and ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    fn new(upstream: &Upstream) -> Self {
        let sockets = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let (log, lines) = channel();
        let place = Self { sockets, folder: tempfile::tempdir().unwrap(), lines, log };
        place.write(&format!(
            "[server]\nlisten = [\"{}\"]\n[upstream]\nurl = \"http://{}\"\n[admin]\nlisten = \"{}\"\n\
             api_keys = [{{ name = \"nobody\", sha256 = \"{}\" }}]\n\
             [[decision]]\ndialect = \"envoy\"\nlisten = \"{}\"\n",
            place.public(),
            upstream.address,
            place.admin(),
            "0".repeat(64),
            place.decisions()
        ));
        place
    }

    fn write(&self, text: &str) {
        std::fs::write(self.folder.path().join("gateway.toml"), text).unwrap();
    }

    fn public(&self) -> SocketAddr {
        self.sockets[0].local_addr().unwrap()
    }

    fn admin(&self) -> SocketAddr {
        self.sockets[1].local_addr().unwrap()
    }

    fn decisions(&self) -> SocketAddr {
        self.sockets[2].local_addr().unwrap()
    }

    /// Starts a gateway with the sockets and waits until it serves.
    fn start(&self) -> Process {
        let mappings = self
            .sockets
            .iter()
            .zip(3..)
            .map(|(socket, child_fd)| FdMapping { parent_fd: socket.try_clone().unwrap().into(), child_fd });
        let mut command = Command::new(env!("CARGO_BIN_EXE_aclgate"));
        command.arg("run").current_dir(self.folder.path()).env("LISTEN_FDS", "3");
        command.fd_mappings(mappings.collect()).unwrap();
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (stderr, log) = (BufReader::new(child.stderr.take().unwrap()), self.log.clone());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| log.send(line)));
        self.says("decisions for other proxies");
        Process(child)
    }

    /// Waits for a line with this in it, from any of the processes.
    fn says(&self, part: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(Duration::from_secs(20)) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("{error} for `{part}` after\n{}", before.join("\n")),
            }
        }
    }
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// What is asked all the time, and how often.
#[derive(Clone, Default)]
struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

impl Load {
    fn goes_on(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        !self.stop.load(Ordering::Relaxed)
    }

    /// Asks on one connection until an answer says that it closes, then on the next.
    fn kept_alive(self, address: SocketAddr) {
        let mut kept = None;
        while self.goes_on() {
            let mut client = kept.take().unwrap_or_else(|| Client::connect(address));
            client.write("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
            let answer = client.read_answer(false).expect("an answer on a kept-alive connection");
            assert_eq!(answer.status, 200, "{}", answer.text());
            kept = (answer.header("connection") != Some("close")).then_some(client);
        }
    }

    /// Asks on a new connection each time.
    fn anew(self, address: SocketAddr, target: &'static str) {
        while self.goes_on() {
            let mut client = Client::connect(address);
            client.write(format!(
                "GET {target} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n"
            ));
            let answer = client.read_answer(false).expect("an answer on a new connection");
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }

    /// Asks by HTTP/2, on one connection until it takes no more requests.
    fn multiplexed(self, address: SocketAddr) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut kept = None;
            while self.goes_on() {
                let mut sender = match kept.take() {
                    Some(sender) => sender,
                    None => multiplex(address).await,
                };
                let request = http::Request::get(format!("http://{address}/")).body(Empty::new()).unwrap();
                match sender.try_send_request(request).await {
                    Ok(answer) => {
                        assert_eq!(answer.status(), 200);
                        answer.into_body().collect().await.unwrap();
                        kept = Some(sender);
                    }
                    // GOAWAY has come first: nothing was sent.
                    Err(mut refused) => drop(refused.take_message().expect("an answer to a request sent")),
                }
            }
        });
    }
}

async fn multiplex(address: SocketAddr) -> http2::SendRequest<Empty<Bytes>> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn askers(place: &Place, load: &Load) -> Vec<JoinHandle<()>> {
    let (public, admin, decisions) = (place.public(), place.admin(), place.decisions());
    let mut askers = Vec::new();
    for work in [
        Box::new(move |load: Load| load.kept_alive(public)) as Box<dyn FnOnce(Load) + Send>,
        Box::new(move |load: Load| load.kept_alive(public)),
        Box::new(move |load: Load| load.kept_alive(admin)),
        Box::new(move |load: Load| load.kept_alive(decisions)),
        Box::new(move |load: Load| load.anew(decisions, "/")),
        Box::new(move |load: Load| load.anew(public, "/")),
        Box::new(move |load: Load| load.anew(public, "/")),
        Box::new(move |load: Load| load.anew(admin, "/readyz")),
        Box::new(move |load: Load| load.multiplexed(public)),
    ] {
        let load = load.clone();
        askers.push(std::thread::spawn(move || work(load)));
    }
    askers
}

#[test]
fn upgrades_under_load_fail_no_request() {
    let (upstream, load) = (Upstream::start(), Load::default());
    let place = Place::new(&upstream);
    let mut first = place.start();
    let askers = askers(&place, &load);
    // The process starts its own successor, twice.
    let mut process = first.0.id();
    for _ in 0..2 {
        signal("-USR2", process);
        let line = place.says("another process has taken over");
        process = line.split("process=").nth(1).and_then(|id| id.trim().parse().ok()).expect("a process id");
        place.says("drained");
    }
    assert_eq!(first.0.wait().unwrap().code(), Some(0));
    // Somebody else starts the next one, and ends the last.
    let mut last = place.start();
    signal("-TERM", process);
    place.says("drained");
    load.stop.store(true, Ordering::Relaxed);
    for asker in askers {
        asker.join().expect("every request is answered");
    }
    assert!(load.asked.load(Ordering::Relaxed) > 100, "{:?}", load.asked);
    signal("-TERM", last.0.id());
    assert_eq!(last.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_process_stays_whose_successor_does_not_start() {
    let upstream = Upstream::start();
    let place = Place::new(&upstream);
    let process = place.start();
    place.write("[upstream\n");
    signal("-USR2", process.0.id());
    place.says("this one stays");
    let answer = Client::connect(place.public()).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.text(), "upstream");
}

#[test]
fn health_says_whether_a_gateway_is_ready() {
    let upstream = Upstream::start();
    let place = Place::new(&upstream);
    let health = |url: &str| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_aclgate")).args(["health", "--url", url]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let ready = format!("http://{}/readyz", place.admin());
    let process = place.start();
    assert_eq!(health(&ready), (Some(0), String::new()));
    let (code, error) = health(&format!("http://{}/api/nothing", place.admin()));
    assert_eq!(code, Some(1));
    assert!(error.contains("answers 401"), "{error}");
    drop((process, place));
    let (code, error) = health(&ready);
    assert_eq!(code, Some(1));
    assert!(error.contains("no answer from"), "{error}");
    for wrong in ["ftp://127.0.0.1/", "/readyz"] {
        assert_eq!(health(wrong).0, Some(2), "{wrong}");
    }
}

#[test]
fn a_socket_that_no_listener_names_is_told_of() {
    let upstream = Upstream::start();
    let place = Place::new(&upstream);
    let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(place.folder.path().join("gateway.toml")).unwrap();
    place.write(&text.replace(&place.public().to_string(), &other.to_string()));
    let _process = place.start();
    let line = place.says("no `listen` names");
    assert!(line.contains(&place.public().to_string()), "{line}");
}
