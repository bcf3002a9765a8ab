//! `host:port` and `http://host:port`.

use crate::config::settings::UpstreamUrl;
use crate::policy::document::reader::At;
use crate::policy::finding::{Code, Report};
use std::net::{IpAddr, Ipv6Addr};

/// A host and a port, `[v6]:port` for IPv6, or a finding. The host comes without brackets.
pub(super) fn address<'t>(text: At<&'t str>, report: &mut Report<'_>) -> Option<(&'t str, u16)> {
    let parsed = split(text.value).and_then(|(host, port)| Some((host, port?.parse().ok()?)));
    if parsed.is_none() {
        let shown = text.value.escape_debug();
        let finding =
            report.add(Code::BadAddress, text.span, format!("`{shown}` is no address to listen on"));
        finding.label("expected `host:port` or `[v6]:port`");
        let bare_port =
            text.value.strip_prefix("*:").or_else(|| text.value.strip_prefix(':')).and_then(digits);
        if text.value.parse::<Ipv6Addr>().is_ok() {
            finding.hint("an IPv6 address stands in brackets, with the port behind it");
        } else if let Some(port) = bare_port {
            finding.hint(format!("for every address of the host: `0.0.0.0:{port}` or `[::]:{port}`"));
        }
    }
    parsed
}

/// Whether a host is this machine alone.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether a url leads to who listens at an address, as far as can be told without asking for names.
pub(super) fn is_at(listen: &str, url: &UpstreamUrl) -> bool {
    let Some((host, port)) = split(listen) else { return false };
    let same_host = match (host.parse::<IpAddr>(), url.host.parse::<IpAddr>()) {
        (Ok(listen), Ok(url)) => {
            let is_among = url.is_loopback() && (url.is_ipv4() || listen.is_ipv6());
            listen == url || (listen.is_unspecified() && is_among)
        }
        (Ok(listen), Err(_)) => url.host == "localhost" && (listen.is_loopback() || listen.is_unspecified()),
        _ => host.eq_ignore_ascii_case(&url.host),
    };
    same_host && port.and_then(|port| port.parse().ok()) == Some(url.port)
}

/// An upstream's address, or a finding. What looks like a password is not shown.
pub(super) fn url(text: At<&str>, report: &mut Report<'_>) -> Option<UpstreamUrl> {
    let refused = match parse_url(text.value) {
        Ok(url) => return Some(url),
        Err(refused) => refused,
    };
    if text.value.contains('@') {
        report.hide(text.span);
    }
    report.add(Code::BadUrl, text.span, refused).label("expected `http://host:port` or `https://host:port`");
    None
}

fn parse_url(text: &str) -> Result<UpstreamUrl, &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("an upstream's url has no scheme")?;
    let (tls, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (false, 80),
        "https" => (true, 443),
        _ => return Err("the scheme of an upstream's url is neither http nor https"),
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err("an upstream's url has no place for a user or password");
    }
    if !matches!(path, "" | "/") {
        return Err("an upstream's url ends behind the port: requests keep the path that they came with");
    }
    let (host, port) = split(authority).ok_or("an upstream's url has no valid host")?;
    let port = port.map_or(Some(default_port), |port| port.parse().ok()).filter(|port| *port != 0);
    let port = port.ok_or("the port of an upstream's url is not between 1 and 65535")?;
    Ok(UpstreamUrl { tls, host: host.to_ascii_lowercase(), port })
}

/// Host (without brackets) and port. `None` where the host is none.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        let port = if rest.is_empty() { None } else { Some(digits(rest.strip_prefix(':')?)?) };
        return Some((host, port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(digits(port)?)),
        None => (text, None),
    };
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!host.is_empty() && host.bytes().all(fine)).then_some((host, port))
}

/// A port without sign, which `parse` would take.
fn digits(port: &str) -> Option<&str> {
    port.bytes().all(|byte| byte.is_ascii_digit()).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_leads_to_a_listener() {
        for (listen, url, expected) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://localhost:8080", true),
            ("0.0.0.0:80", "http://127.0.0.1", true),
            ("[::]:8080", "http://127.0.0.1:8080", true),
            ("[::]:8080", "http://[::1]:8080", true),
            ("gateway:8080", "http://GATEWAY:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:9011", false),
            ("127.0.0.1:8080", "http://127.0.0.2:8080", false),
            ("0.0.0.0:8080", "http://[::1]:8080", false),
            ("0.0.0.0:8080", "http://fusionauth:8080", false),
            ("0.0.0.0:8080", "http://192.0.2.1:8080", false),
            ("10.0.0.1:8080", "http://localhost:8080", false),
            ("127.0.0.1:0", "http://127.0.0.1:8080", false),
        ] {
            assert_eq!(is_at(listen, &parse_url(url).unwrap()), expected, "{listen} {url}");
        }
    }

    #[test]
    fn urls() {
        let fine = [
            ("http://127.0.0.1:9011", (false, "127.0.0.1", 9011)),
            ("http://fusionauth", (false, "fusionauth", 80)),
            ("HTTPS://Id.Example/", (true, "id.example", 443)),
            ("https://[2001:db8::1]:8443", (true, "2001:db8::1", 8443)),
        ];
        for (text, (tls, host, port)) in fine {
            assert_eq!(parse_url(text), Ok(UpstreamUrl { tls, host: host.into(), port }), "{text}");
        }
        let refused = [
            "",
            "127.0.0.1:9011",
            "ftp://a",
            "http://",
            "http://a:0",
            "http://a:65536",
            "http://a:+1",
            "http://a:b",
            "http://a:",
            "http://u@a",
            "http://u:p@a",
            "http://a/auth",
            "http://a?x",
            "http://a#x",
            "http://a b",
            "http://2001:db8::1",
            "http://[::1",
            "http://[::1]x",
            "http://[127.0.0.1]",
            "http://ä",
        ];
        for text in refused {
            assert!(parse_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_and_ports() {
        let cases = [
            ("127.0.0.1:8080", Some(("127.0.0.1", Some("8080")))),
            ("[::]:443", Some(("::", Some("443")))),
            ("localhost:0", Some(("localhost", Some("0")))),
            ("a.example", Some(("a.example", None))),
            (":8080", None),
            ("*:8080", None),
            ("::1:8080", None),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn loopback_hosts() {
        for (host, expected) in
            [("localhost", true), ("127.8.0.1", true), ("::1", true), ("0.0.0.0", false), ("a", false)]
        {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }
}
