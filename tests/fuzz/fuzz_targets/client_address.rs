//! The client's address against a twin that reads the header with regular expressions and the standard library's parsers.
//!
//! The first byte chooses header and selection, every further line is a field line. Whoever is no trusted proxy is the
//! client, whatever is sent.
#![no_main]

use aclgate::config::{ClientIp, ClientIpHeader, ClientIpSelect, load};
use aclgate::policy::NoFiles;
use aclgate::policy::moment::Moment;
use aclgate::request::Fields;
use aclgate::request::client_address::resolve;
use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use regex::bytes::Regex;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{LazyLock, OnceLock};

const HEADERS: [&str; 3] = ["x-forwarded-for", "forwarded", "cf-connecting-ip"];
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
const TOKEN: &str = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+";

/// RFC 7239 §4, without blanks around semicolons.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let pair =
        format!(r#"{TOKEN}=(?:{TOKEN}|"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*")"#);
    let element = format!("(?:{pair})?(?:;(?:{pair})?)*");
    Regex::new(&format!(r"(?s-u)^[ \t]*{element}(?:[ \t]*,[ \t]*{element})*[ \t]*$")).unwrap()
});
static PIECE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r#"(?s-u)(?P<comma>,)|(?P<semicolon>;)|(?P<name>{TOKEN})=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>{TOKEN}))"#)).unwrap()
});
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s-u)\\(.)").unwrap());
static NODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::(?:(?P<port>[0-9]{1,5})|_[0-9A-Za-z._-]+))?$",
    )
    .unwrap()
});

fn settings() -> &'static [ClientIp] {
    static ALL: OnceLock<Vec<ClientIp>> = OnceLock::new();
    ALL.get_or_init(|| {
        let both = ["first", "rightmost-untrusted"];
        let all = HEADERS.iter().flat_map(|header| both.iter().map(move |select| (header, select)));
        all.map(|(header, select)| {
            let text = format!(
                "[server]\nlisten = ['127.0.0.1:1']\n[upstream]\nurl = 'http://127.0.0.1:2'\n[client_ip]\n\
                 header = '{header}'\nselect = '{select}'\ntrusted_proxies = ['10.0.0.0/8', '2001:db8::/32']\n"
            );
            load(&text, "fuzz.toml", &NoFiles, Moment::FIRST).loaded.expect("settings").config.client_ip.clone()
        })
        .collect()
    })
}

/// `Some(None)` is a value that is no address.
type Hop = Option<IpAddr>;

fn node(value: &[u8]) -> Hop {
    let text = std::str::from_utf8(value).ok()?;
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || {
        let short = text.rsplit_once(':').is_some_and(|(_, port)| port.len() <= 5);
        text.parse::<SocketAddr>().ok().filter(|_| short && !text.contains('%')).map(|address| address.ip())
    };
    text.parse().ok().or_else(bracketed).or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

fn forwarded_node(value: &[u8]) -> Hop {
    let found = NODE.captures(value).filter(|_| value.len() <= 64)?;
    let text = |name: &str| found.name(name).map(|group| std::str::from_utf8(group.as_bytes()).unwrap());
    if text("port").is_some_and(|port| port.parse::<u16>().is_err()) {
        return None;
    }
    let v4 = text("v4").map(|text| text.parse::<Ipv4Addr>().ok().map(IpAddr::V4));
    v4.unwrap_or_else(|| text("v6")?.parse::<Ipv6Addr>().ok().map(IpAddr::V6))
        .map(|address| address.to_canonical())
}

fn forwarded(line: &[u8]) -> Vec<Hop> {
    let (mut hops, mut element) = (Vec::new(), None::<Vec<Hop>>);
    let mut end = |element: &mut Option<Vec<Hop>>| {
        if let Some(found) = element.take() {
            hops.push(if let [only] = found.as_slice() { *only } else { None });
        }
    };
    for piece in PIECE.captures_iter(line) {
        if piece.name("comma").is_some() {
            end(&mut element);
            continue;
        }
        let found = element.get_or_insert_default();
        if piece.name("name").is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(b"for")) {
            found.push(match piece.name("quoted") {
                Some(quoted) => forwarded_node(&ESCAPE.replace_all(quoted.as_bytes(), &b"$1"[..])),
                None => forwarded_node(piece.name("plain").unwrap().as_bytes()),
            });
        }
    }
    end(&mut element);
    hops
}

fn list(line: &[u8]) -> Vec<Hop> {
    let values = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    values.filter(|value| !value.is_empty()).map(node).collect()
}

/// What the header says by the words of the SPEC; `None`: outside of what the twin reads.
fn twin(settings: &ClientIp, lines: &[&[u8]]) -> Option<Option<Hop>> {
    let hops: Vec<Hop> = match &settings.header {
        ClientIpHeader::XForwardedFor => lines.iter().flat_map(|line| list(line)).collect(),
        ClientIpHeader::Forwarded if lines.iter().all(|line| LINE.is_match(line)) => {
            lines.iter().flat_map(|line| forwarded(line)).collect()
        }
        ClientIpHeader::Forwarded if settings.select == ClientIpSelect::First => return None,
        ClientIpHeader::Forwarded => vec![None],
        ClientIpHeader::Single(_) if lines.len() > 1 => vec![None],
        _ => lines.iter().map(|line| line.trim_ascii()).filter(|line| !line.is_empty()).map(node).collect(),
    };
    let trusted = |hop: &&Hop| hop.is_some_and(|address| settings.trusted_proxies.contain(address));
    Some(match settings.select {
        ClientIpSelect::First => hops.first().copied(),
        ClientIpSelect::RightmostUntrusted => {
            hops.iter().rev().find(|hop| !trusted(hop)).or(hops.first()).copied()
        }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let choice = usize::from(*choice) % settings().len();
    let (settings, name) = (&settings()[choice], HEADERS[choice / 2]);
    let mut fields = Fields::default();
    let mut lines = Vec::new();
    for line in rest.split(|byte| *byte == b'\n').take(8) {
        if HeaderValue::from_bytes(line).is_err() {
            return;
        }
        fields.append(name, line);
        lines.push(line);
    }
    assert_eq!(resolve(settings, STRANGER, &fields).address, Some(STRANGER));
    let found = resolve(settings, PROXY, &fields).address;
    if let Some(expected) = twin(settings, &lines) {
        assert_eq!(found, expected.unwrap_or(Some(PROXY)), "{settings:?} {lines:?}");
    }
});
