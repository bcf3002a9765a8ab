//! The forwarding fields, written anew: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `X-Real-IP`, `Forwarded`.
//!
//! What was decided on in, fields out (SPEC §3). The first address is the client's, then the peer's where it
//! differs; of an undetermined client nothing is said, so that the peer stands alone. A trusted peer's single, sane
//! value of proto, host or port is kept, since it alone knows how the client reached it; else they are ours. A host
//! without a port means the scheme's own port: behind a port mapping our local port would be wrong.
//! Sources: RFC 7239 §4 to §6.

use super::headers::{FieldWriter, Forwarding};
use super::hop::HopFields;
use crate::http1::decimal;
use crate::request::Scheme;
use smallvec::SmallVec;
use std::fmt::{self, Write};
use std::net::IpAddr;

/// Writes them. `hop` is what the peer sent, `host` the `Host` that goes upstream.
pub(super) fn write(
    fields: &mut impl FieldWriter,
    (hop, host): (&HopFields<'_>, &[u8]),
    forwarding: &Forwarding<'_>,
    with_forwarded: bool,
) {
    let peer = forwarding.connection.peer.ip().to_canonical();
    let client = forwarding.client.map_or(peer, |client| client.to_canonical());
    let hop = forwarding.peer_trusted.then_some(hop);
    let proto = hop.and_then(|hop| hop.proto.once(is_proto)).unwrap_or(match forwarding.connection.scheme {
        Scheme::Http => b"http",
        Scheme::Https => b"https",
    });
    let host = hop.and_then(|hop| hop.host.once(is_host)).unwrap_or(host);
    if with_forwarded {
        let mut text = Text::default();
        text.put(&Elements { client, peer, host, proto });
        fields.write("forwarded", &text.0);
    }
    let mut addresses = Text::default();
    addresses.put_address(client);
    let first = addresses.0.len();
    if client != peer {
        addresses.0.extend_from_slice(b", ");
        addresses.put_address(peer);
    }
    fields.write("x-forwarded-for", &addresses.0);
    fields.write("x-real-ip", addresses.0.get(..first).unwrap_or_default());
    fields.write("x-forwarded-proto", proto);
    let port = hop.and_then(|hop| hop.port.once(|port| number(port).is_some()));
    fields.write("x-forwarded-port", port.unwrap_or_else(|| port_of(host, proto)));
    fields.write("x-forwarded-host", host);
}

fn is_proto(value: &[u8]) -> bool {
    matches!(value, b"http" | b"https" | b"ws" | b"wss")
}

fn is_host(value: &[u8]) -> bool {
    (1..=255).contains(&value.len())
        && value.iter().all(|sign| sign.is_ascii_alphanumeric() || b"-.:[]".contains(sign))
}

fn number(port: &[u8]) -> Option<u16> {
    let number = decimal(port).filter(|_| port.len() <= 5)?;
    u16::try_from(number).ok().filter(|&port| port != 0)
}

/// The port in the host, or the scheme's own.
fn port_of<'a>(host: &'a [u8], proto: &[u8]) -> &'a [u8] {
    let colon = host.iter().rposition(|&sign| sign == b':');
    let after_colon = colon.and_then(|colon| host.get(colon + 1..));
    match after_colon.filter(|port| number(port).is_some()) {
        Some(port) => {
            let zeros = port.iter().take_while(|&&digit| digit == b'0').count();
            port.get(zeros..).unwrap_or(port)
        }
        None if matches!(proto, b"https" | b"wss") => b"443",
        None => b"80",
    }
}

/// The elements of `Forwarded`: the client's hop with what it asked for, then the peer's.
struct Elements<'a> {
    client: IpAddr,
    peer: IpAddr,
    host: &'a [u8],
    proto: &'a [u8],
}

impl fmt::Display for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "for={}", Node(self.client))?;
        // Host was checked where requests come in; what could end the quotes is not a host.
        if let Some(host) = Some(self.host).filter(|host| is_host(host)).and_then(text) {
            write!(f, ";host=\"{host}\"")?;
        }
        if let Some(proto) = text(self.proto) {
            write!(f, ";proto={proto}")?;
        }
        if self.client != self.peer {
            write!(f, ", for={}", Node(self.peer))?;
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// An address as RFC 7239 §6 writes it.
struct Node(IpAddr);

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(address) => write!(f, "\"[{address}]\""),
        }
    }
}

/// A value in the making; two addresses fit without an allocation.
#[derive(Default)]
struct Text(SmallVec<[u8; 96]>);

impl Text {
    fn put(&mut self, what: &impl fmt::Display) {
        // Writing into memory does not fail.
        let _ = write!(self, "{what}");
    }

    /// An address in canonical form. Every request has one or two: IPv4 goes without the formatter's detours.
    fn put_address(&mut self, address: IpAddr) {
        let IpAddr::V4(address) = address else { return self.put(&address) };
        let (mut text, mut end) = ([0; 16], 0);
        for octet in address.octets() {
            let three = [b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10, b'.'];
            let zeros = usize::from(octet < 100) + usize::from(octet < 10);
            // Without the zeros in front; what this writes behind the dot, the next octet writes over.
            let four = (u32::from_le_bytes(three) >> (8 * zeros)).to_le_bytes();
            if let Some(room) = text.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
                *room = four;
            }
            end += 4 - zeros;
        }
        // All but the last dot.
        self.0.extend_from_slice(text.get(..end - 1).unwrap_or_default());
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn addresses_are_written_as_the_standard_library_writes_them(address: IpAddr) {
            let mut text = Text::default();
            text.put_address(address);
            proptest::prop_assert_eq!(String::from_utf8(text.0.to_vec()).unwrap(), address.to_string());
        }
    }
}
