//! Listening sockets that were open before this process: systemd's, or those of the process that it takes over from.
//!
//! The environment in (`LISTEN_FDS`, and `LISTEN_PID` where the sender knows it, sd_listen_fds(3)) → sockets by address.
//! A socket belongs to the listener whose address it is bound to, so that one file suits a gateway with and without
//! handed over sockets, and a name that is mixed up cannot make a public listener of the management API's.
//! A socket that was shared with another process keeps its queue when either of them closes it.

use super::listener::ListenError;
use listenfd::ListenFd;
use socket2::SockRef;
use std::io;
use std::net::{SocketAddr, TcpListener};

/// Sockets that nobody has taken yet.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(SocketAddr, TcpListener)>);

impl Inherited {
    /// What this process was started with. The variables are removed: they are not our children's.
    ///
    /// # Errors
    /// Something that was handed over is no listening TCP socket.
    pub fn from_environment() -> Result<Self, ListenError> {
        let mut given = ListenFd::from_env();
        let sockets = (0..given.len()).map(|number| {
            let wrong = |source| ListenError::Inherited { number, source };
            let socket = given.take_tcp_listener(number).map_err(wrong)?;
            Self::listening(socket).map_err(wrong)
        });
        sockets.collect::<Result<_, _>>().map(Self)
    }

    fn listening(socket: Option<TcpListener>) -> io::Result<(SocketAddr, TcpListener)> {
        let socket = socket.ok_or(io::ErrorKind::NotFound)?;
        if !SockRef::from(&socket).is_listener()? {
            return Err(io::Error::other("it does not listen (a socket unit needs `Accept=no`)"));
        }
        Ok((socket.local_addr()?, socket))
    }

    /// The socket that is bound to this address, if there is one.
    pub fn take(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let same = |bound: &SocketAddr| (bound.ip(), bound.port()) == (address.ip(), address.port());
        let position = self.0.iter().position(|(bound, _)| same(bound))?;
        Some(self.0.swap_remove(position).1)
    }

    /// Where the sockets are bound that nobody has taken.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|(address, _)| *address)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_socket_goes_to_the_listener_of_its_address_and_once() {
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
        let mut inherited = Inherited(addresses.into_iter().zip(sockets).collect());
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], addresses[0].port()));
        assert!(inherited.take(elsewhere).is_none());
        assert_eq!(inherited.take(addresses[0]).unwrap().local_addr().unwrap(), addresses[0]);
        assert!(inherited.take(addresses[0]).is_none());
        assert_eq!(inherited.addresses().collect::<Vec<_>>(), [addresses[1]]);
        assert!(!inherited.is_empty());
    }

    #[test]
    fn a_connection_is_no_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let posing = TcpListener::from(std::os::fd::OwnedFd::from(connection));
        let error = Inherited::listening(Some(posing)).unwrap_err().to_string();
        assert!(error.contains("Accept=no"), "{error}");
        assert!(Inherited::listening(Some(listener)).is_ok());
    }
}
