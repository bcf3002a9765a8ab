//! The forwarding fields, written anew: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `X-Real-IP`, `Forwarded`.
//!
//! What was decided on in, fields out (SPEC §3). The first address is the client's, then the peer's where it
//! differs; of an undetermined client nothing is said, so that the peer stands alone. A trusted peer's single, sane
//! value of proto, host or port is kept, since it alone knows how the client reached it; else they are ours. A host
//! without a port means the scheme's own port: behind a port mapping our local port would be wrong.
//! Sources: RFC 7239 §4 to §6.

use super::headers::Forwarding;
use crate::request::Scheme;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::fmt::{self, Write};
use std::net::IpAddr;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Writes them into `fields`, whose `Host` is already the one that goes upstream. `sent` is what the peer sent.
pub(super) fn write(
    fields: &mut HeaderMap,
    sent: &HeaderMap,
    forwarding: &Forwarding<'_>,
    with_forwarded: bool,
) {
    let peer = forwarding.connection.peer.ip().to_canonical();
    let client = forwarding.client.map_or(peer, |client| client.to_canonical());
    let sent = forwarding.peer_trusted.then_some(sent);
    let proto = kept(sent, &PROTO, is_proto).unwrap_or_else(|| {
        HeaderValue::from_static(match forwarding.connection.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        })
    });
    let host = kept(sent, &HOST, is_host).or_else(|| fields.get(header::HOST).cloned());
    let port = kept(sent, &PORT, |port| number(port).is_some())
        .unwrap_or_else(|| port_of(host.as_ref(), &proto, forwarding.connection.local.port()));

    if with_forwarded {
        fields
            .insert(header::FORWARDED, value(&Elements { client, peer, host: host.as_ref(), proto: &proto }));
    }
    let address = value(&client);
    if client == peer {
        fields.insert(FOR, address.clone());
    } else {
        fields.insert(FOR, value(&format_args!("{client}, {peer}")));
    }
    fields.insert(REAL_IP, address);
    fields.insert(PROTO, proto);
    fields.insert(PORT, port);
    if let Some(host) = host {
        fields.insert(HOST, host);
    }
}

/// The value of a field that was sent once and is sane.
fn kept(sent: Option<&HeaderMap>, name: &HeaderName, is_sane: impl Fn(&[u8]) -> bool) -> Option<HeaderValue> {
    let mut values = sent?.get_all(name).iter();
    let value = values.next()?;
    (values.next().is_none() && is_sane(value.as_bytes())).then(|| value.clone())
}

fn is_proto(value: &[u8]) -> bool {
    matches!(value, b"http" | b"https" | b"ws" | b"wss")
}

fn is_host(value: &[u8]) -> bool {
    (1..=255).contains(&value.len())
        && value.iter().all(|sign| sign.is_ascii_alphanumeric() || b"-.:[]".contains(sign))
}

fn number(port: &[u8]) -> Option<u16> {
    if port.is_empty() || port.len() > 5 || !port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(port).ok()?.parse().ok().filter(|&port| port != 0)
}

fn port_of(host: Option<&HeaderValue>, proto: &HeaderValue, local: u16) -> HeaderValue {
    let Some(host) = host else {
        return HeaderValue::from(local);
    };
    let after_colon =
        host.as_bytes().rsplit(|&sign| sign == b':').next().filter(|port| port.len() < host.len());
    match after_colon.and_then(number) {
        Some(port) => HeaderValue::from(port),
        None if matches!(proto.as_bytes(), b"https" | b"wss") => HeaderValue::from_static("443"),
        None => HeaderValue::from_static("80"),
    }
}

/// The elements of `Forwarded`: the client's hop with what it asked for, then the peer's.
struct Elements<'a> {
    client: IpAddr,
    peer: IpAddr,
    host: Option<&'a HeaderValue>,
    proto: &'a HeaderValue,
}

impl fmt::Display for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "for={}", Node(self.client))?;
        // Host was checked where requests come in; what could end the quotes is not a host.
        if let Some(host) =
            self.host.filter(|host| is_host(host.as_bytes())).and_then(|host| host.to_str().ok())
        {
            write!(f, ";host=\"{host}\"")?;
        }
        if let Ok(proto) = self.proto.to_str() {
            write!(f, ";proto={proto}")?;
        }
        if self.client != self.peer {
            write!(f, ", for={}", Node(self.peer))?;
        }
        Ok(())
    }
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

/// A field value from text that we wrote ourselves.
fn value(text: &impl fmt::Display) -> HeaderValue {
    let mut written = String::with_capacity(48);
    // Writing into a `String` does not fail.
    let _ = write!(written, "{text}");
    HeaderValue::from_maybe_shared(bytes::Bytes::from(written)).unwrap_or(HeaderValue::from_static("unknown"))
}
