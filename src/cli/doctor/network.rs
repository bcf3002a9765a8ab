//! Whether the identity server can be reached beside the gateway, as far as that can be known from here.
//!
//! An upstream on loopback is tried on this machine's other addresses: where it answers there, it listens for
//! everybody. One with a public address is tried there. Of one on a private network nothing can be said from a
//! machine that has to reach it.

use super::finding::{Ailment, Finding};
use super::settings::is_public;
use crate::config::UpstreamUrl;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

/// How long an address is given to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tries every upstream.
pub(super) fn look(upstreams: &[UpstreamUrl], found: &mut Vec<Finding>) {
    let own = own_addresses();
    for upstream in upstreams {
        let resolved = (upstream.host.as_str(), upstream.port).to_socket_addrs();
        let addresses: Vec<_> = resolved.into_iter().flatten().collect();
        found.extend(judge(upstream, &addresses, (&own, &answers)));
    }
}

/// What can be said of one upstream. `answers` says whether something listens at an address.
fn judge(
    upstream: &UpstreamUrl,
    addresses: &[SocketAddr],
    (own, answers): (&[IpAddr], &dyn Fn(SocketAddr) -> bool),
) -> Option<Finding> {
    let name = format!("{}:{}", upstream.host, upstream.port);
    if let Some(public) = addresses.iter().find(|address| is_public(address.ip()) && answers(**address)) {
        let seen = format!("the upstream {name} answers at the public address {public}");
        return Some(Finding::new(Ailment::UpstreamBeside, seen));
    }
    if addresses.iter().any(|address| !address.ip().is_loopback()) {
        let seen =
            format!("the upstream {name} is on a network: who else reaches it cannot be seen from here");
        return Some(Finding::new(Ailment::UpstreamNotLocal, seen));
    }
    let beside =
        own.iter().map(|address| SocketAddr::new(*address, upstream.port)).find(|at| answers(*at))?;
    let seen = format!("the upstream {name} also answers at {beside}, not on loopback alone");
    Some(Finding::new(Ailment::UpstreamBeside, seen))
}

fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, PATIENCE).is_ok()
}

/// This machine's addresses towards the world, one of each family. No packet is sent: the addresses are for
/// documentation (RFC 5737, RFC 3849), and only a route is asked for.
fn own_addresses() -> Vec<IpAddr> {
    let towards = |bind: &str, target: &str| {
        let socket = UdpSocket::bind(bind).ok()?;
        socket.connect(target).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_loopback() && !address.is_unspecified()).then_some(address)
    };
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .into_iter()
        .filter_map(|(bind, target)| towards(bind, target))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_known_is_said() {
        let upstream = |host: &str| UpstreamUrl { tls: false, host: host.to_owned(), port: 9011 };
        let own: [IpAddr; 1] = ["10.0.0.7".parse().unwrap()];
        let all = |_: SocketAddr| true;
        let loopback_alone = |at: SocketAddr| at.ip().is_loopback();
        let judged = |address: &str, answers: &dyn Fn(SocketAddr) -> bool| {
            let address: IpAddr = address.parse().unwrap();
            let found = judge(&upstream("idp"), &[SocketAddr::new(address, 9011)], (&own, answers));
            found.map(|finding| finding.ailment)
        };
        assert_eq!(judged("127.0.0.1", &loopback_alone), None);
        assert_eq!(judged("127.0.0.1", &all), Some(Ailment::UpstreamBeside));
        assert_eq!(judged("203.0.113.9", &all), Some(Ailment::UpstreamBeside));
        assert_eq!(judged("203.0.113.9", &loopback_alone), Some(Ailment::UpstreamNotLocal));
        assert_eq!(judged("10.0.0.9", &all), Some(Ailment::UpstreamNotLocal));
        assert_eq!(judge(&upstream("nowhere"), &[], (&own, &loopback_alone)), None);
    }
}
