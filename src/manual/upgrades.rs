//! # One process after another
//!
//! **Context.** A login that is under way must not break because the gateway gets a new version. Between an old and a new process
//! there are three places where a request can get lost: in the queue of a listening socket that closes, on a connection
//! that was accepted and not yet asked, and on a kept-alive connection whose client sends its next request in the moment
//! in which it is closed.
//!
//! **Decision.** *The queue.* Both processes listen on the same socket, not on two of the same address. The kernel drops a queue
//! with its last holder, so there is nothing to hand over and no moment in which nobody listens. A new process takes the
//! sockets as systemd gives them (`LISTEN_FDS`), whoever its sender: systemd, or the old process itself, which on SIGUSR2
//! starts the program anew with its own arguments, waits until it is ready, tells systemd who the main process is, and
//! drains. A socket is matched to `listen` by its address: one file holds with and without systemd, and a mixed-up
//! name cannot serve the management API in public. If the new process does not come up, the old one stays.
//!
//! *Connections.* Draining closes no HTTP/1 connection under a client's hands: the next answer on each says
//! `Connection: close`, and those that stay idle for `timeouts.drain_idle` close then. HTTP/2 has GOAWAY for the
//! same. What has been accepted is always served, also where its first byte is still to come.
//!
//! *The management API* of the old process closes first if somebody else listens on its socket: whoever asks `/readyz`
//! is to hear of the new process, and whoever still gets the old one hears that the address is ready. Otherwise it closes last, so that a load balancer can read that the gateway drains.
//!
//! **Consequences.** `systemctl reload` is a new policy, `systemctl kill --kill-who=main -s USR2 aclgate` a new binary; `systemctl
//! restart` loses nothing either, but new connections wait in the queue until the old process has drained. The first
//! process of a container cannot be followed by another: there, replace the container, and have the platform send
//! requests elsewhere before SIGTERM (`preStop` in the manifests under `deploy/`). For a moment two processes hold the
//! policy in memory, and count their metrics each from zero. Tunnels (WebSocket) stay with the old process until
//! `timeouts.drain` cuts them off.
//!
//! **Rejected.** `SO_REUSEPORT`, a socket for each process: the kernel spreads handshakes over both, and closing one resets
//! what its queue holds and the handshakes that are under way for it. Accepting everything before closing leaves a gap
//! of one round trip; `net.ipv4.tcp_migrate_req` closes it, but is a setting of the host, off by default. It also lets any process of
//! the same user take a share of the traffic. Passing sockets over a UNIX socket, as HAProxy and Envoy do: the same
//! outcome with a path, its permissions and a protocol of our own to look after. A pidfile: the service manager knows.
