//! The PROXY protocol in front of a connection: who the client of a load balancer is.
//!
//! Bytes → the addresses that the header names, or none (`LOCAL`, `UNKNOWN`: the peer itself), and what came behind it.
//! Version 1 and 2 (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>). Malformed, of another family than
//! TCP over IPv4 or IPv6, longer than [`LONGEST`], or followed by a second header: an error, and the connection is
//! closed. Whether the sender is believed at all is the caller's question; so is the time-out.

use super::stream::Prefixed;
use ppp::{v1, v2};
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of a version 2 header with its extensions.
const LONGEST: usize = 4096;
/// Bytes of a version 1 header (§2.1).
const LONGEST_V1: usize = 107;
/// Bytes of a version 2 header before its addresses.
const V2_BYTES: usize = 16;
const V1_START: &[u8] = b"PROXY ";

/// What a header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// The load balancer speaks for itself.
    Peer,
    /// It speaks for a client.
    Proxied {
        /// The client.
        source: SocketAddr,
        /// Where the client connected to.
        destination: SocketAddr,
    },
}

/// Why a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProxyError {
    /// Neither version 1 nor 2, or not by their rules.
    #[error("malformed PROXY header")]
    Malformed,
    /// Neither TCP over IPv4 nor over IPv6.
    #[error("PROXY header of an unknown family")]
    UnknownFamily,
    /// A second header behind the first.
    #[error("second PROXY header")]
    Repeated,
    /// The connection broke off.
    #[error("no PROXY header")]
    Missing,
}

/// Whether bytes begin with a header, or could begin with one if more came.
pub fn begins(bytes: &[u8]) -> bool {
    let like = |start: &[u8]| bytes.iter().zip(start).all(|(a, b)| a == b);
    !bytes.is_empty() && (like(V1_START) || like(v2::PROTOCOL_PREFIX))
}

/// The header at the start of `bytes` and its length; `None`: more bytes are needed.
///
/// # Errors
/// [`ProxyError::Malformed`], [`ProxyError::UnknownFamily`].
pub fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    if !begins(bytes) {
        return Err(ProxyError::Malformed);
    }
    if bytes.starts_with(b"P") { version_1(bytes) } else { version_2(bytes) }
}

fn version_1(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() < LONGEST_V1 { Ok(None) } else { Err(ProxyError::Malformed) };
    };
    let line = bytes.get(..=end).unwrap_or_default();
    let header = v1::Header::try_from(line).map_err(|_| ProxyError::Malformed)?;
    let header = match header.addresses {
        v1::Addresses::Unknown => Header::Peer,
        v1::Addresses::Tcp4(pair) => Header::Proxied {
            source: (pair.source_address, pair.source_port).into(),
            destination: (pair.destination_address, pair.destination_port).into(),
        },
        v1::Addresses::Tcp6(pair) => Header::Proxied {
            source: (pair.source_address, pair.source_port).into(),
            destination: (pair.destination_address, pair.destination_port).into(),
        },
    };
    Ok(Some((header, end + 1)))
}

fn version_2(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    let Some(&[high, low]) = bytes.get(14..16) else { return Ok(None) };
    let whole = V2_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if whole > LONGEST {
        return Err(ProxyError::Malformed);
    }
    let Some(bytes) = bytes.get(..whole) else { return Ok(None) };
    let header = v2::Header::try_from(bytes).map_err(|_| ProxyError::Malformed)?;
    if header.command == v2::Command::Local {
        return Ok(Some((Header::Peer, whole)));
    }
    if header.protocol != v2::Protocol::Stream {
        return Err(ProxyError::UnknownFamily);
    }
    let (source, destination) = match header.addresses {
        v2::Addresses::IPv4(pair) => (
            (pair.source_address, pair.source_port).into(),
            (pair.destination_address, pair.destination_port).into(),
        ),
        v2::Addresses::IPv6(pair) => (
            (pair.source_address, pair.source_port).into(),
            (pair.destination_address, pair.destination_port).into(),
        ),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => return Err(ProxyError::UnknownFamily),
    };
    Ok(Some((Header::Proxied { source, destination }, whole)))
}

/// Reads a header, and gives back the stream with what came behind it in front.
///
/// # Errors
/// [`ProxyError`]; the connection is to be closed.
pub async fn read<S: AsyncRead + Unpin>(mut stream: S) -> Result<(Header, Prefixed<S>), ProxyError> {
    let mut bytes = Vec::with_capacity(256);
    loop {
        if let Some((header, length)) = parse(&bytes)? {
            let early = bytes.split_off(length.min(bytes.len()));
            return Ok((header, Prefixed::new(early, stream)));
        }
        // Bounded by `parse`; the reserve keeps each read small.
        bytes.reserve(64);
        match stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(ProxyError::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let mut bytes = v2::PROTOCOL_PREFIX.to_vec();
        bytes.extend([command, family]);
        bytes.extend(u16::try_from(addresses.len()).unwrap().to_be_bytes());
        bytes.extend(addresses);
        bytes
    }

    const PAIR: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 7, 0x12, 0x67, 0x01, 0xbb];

    fn proxied(source: &str, destination: &str) -> Header {
        Header::Proxied { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
    }

    #[test]
    fn headers_of_either_version_are_read() {
        let ipv6 = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
        let with_extension = [&PAIR[..], &[4, 0, 1, 9]].concat();
        let cases = [
            (
                b"PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n".to_vec(),
                proxied("192.0.2.1:4711", "198.51.100.7:443"),
            ),
            (b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n".to_vec(), proxied("[2001:db8::1]:1", "[::1]:2")),
            (b"PROXY UNKNOWN\r\n".to_vec(), Header::Peer),
            (b"PROXY UNKNOWN a b c d\r\n".to_vec(), Header::Peer),
            (v2(0x21, 0x11, &PAIR), proxied("192.0.2.1:4711", "198.51.100.7:443")),
            (v2(0x21, 0x11, &with_extension), proxied("192.0.2.1:4711", "198.51.100.7:443")),
            (
                v2(0x21, 0x21, &[&ipv6[..], &[0, 1, 0, 2]].concat()),
                proxied("[2001:db8::1]:1", "[2001:db8::1]:2"),
            ),
            (v2(0x20, 0x00, &[]), Header::Peer),
            (v2(0x20, 0x11, &PAIR), Header::Peer),
        ];
        for (bytes, header) in cases {
            let longer = [&bytes[..], b"GET"].concat();
            assert_eq!(parse(&longer), Ok(Some((header, bytes.len()))), "{}", bytes.escape_ascii());
            for cut in 0..bytes.len() {
                assert_eq!(parse(&bytes[..cut]), Ok(None), "{} cut at {cut}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        use ProxyError::{Malformed, UnknownFamily};
        let cases = [
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), Malformed),
            (b"proxy TCP4 192.0.2.1 198.51.100.7 1 2\r\n".to_vec(), Malformed),
            (b"PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n".to_vec(), Malformed),
            (b"PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n".to_vec(), Malformed),
            (b"PROXY TCP4 192.0.2.1 198.51.100.7 1 65536\r\n".to_vec(), Malformed),
            (b"PROXY TCP4 192.0.2.1 198.51.100.7 01 2\r\n".to_vec(), Malformed),
            (b"PROXY TCP4 192.0.2.01 198.51.100.7 1 2\r\n".to_vec(), Malformed),
            (b"PROXY TCP4 192.0.2.1  198.51.100.7 1 2\r\n".to_vec(), Malformed),
            (b"PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n".to_vec(), Malformed),
            (b"PROXY TCP4 ::1 ::1 1 2\r\n".to_vec(), Malformed),
            (b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n".to_vec(), Malformed),
            (b"PROXY UDP4 192.0.2.1 198.51.100.7 1 2\r\n".to_vec(), Malformed),
            ([b"PROXY UNKNOWN ", &[b'a'; 200][..]].concat(), Malformed),
            (v2(0x22, 0x11, &PAIR), Malformed),
            (v2(0x11, 0x11, &PAIR), Malformed),
            (v2(0x21, 0x41, &PAIR), Malformed),
            (v2(0x21, 0x11, &PAIR[..8]), Malformed),
            (v2(0x21, 0x11, &[0; 5000]), Malformed),
            (v2(0x21, 0x00, &[]), UnknownFamily),
            (v2(0x21, 0x12, &PAIR), UnknownFamily),
            (v2(0x21, 0x31, &[0; 216]), UnknownFamily),
        ];
        for (bytes, error) in cases {
            assert_eq!(parse(&bytes), Err(error), "{}", bytes.escape_ascii());
        }
    }

    #[tokio::test]
    async fn what_comes_behind_is_not_lost() {
        let bytes = [&v2(0x21, 0x11, &PAIR)[..], b"GET / HTTP/1.1"].concat();
        let (_, mut stream) = read(&bytes[..]).await.unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "GET / HTTP/1.1");
        assert_eq!(read(&b"PROXY TC"[..]).await.err(), Some(ProxyError::Missing));
    }
}
