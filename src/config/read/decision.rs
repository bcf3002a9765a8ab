//! `[[decision]]`: listeners that answer authorization subrequests of other proxies.

use super::address::address;
use super::tls::tls;
use crate::config::defaults;
use crate::config::settings::{
    Admin, ClientIp, ClientIpHeader, Decision, Dialect, Listener, Original, Server,
};
use crate::policy::Files;
use crate::policy::document::header_name;
use crate::policy::document::reader::{At, Section};
use crate::policy::finding::{Code, Report, Span};
use std::sync::Arc;

/// What of the other tables matters here.
pub(super) struct Others<'a> {
    pub(super) server: &'a Server,
    pub(super) admin: Option<&'a Admin>,
    pub(super) client_ip: &'a ClientIp,
    /// Whether the policy has subjects that a body may name.
    pub(super) reads_bodies: bool,
    /// Whether blocked API keys are answered by a decoy.
    pub(super) decoy: bool,
}

/// Every listener; what is wrong with one is reported.
pub(super) fn decisions(
    root: &mut Section<'_>,
    others: &Others<'_>,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    for (position, mut section) in root.sections(report, "decision", "decision").into_iter().enumerate() {
        if position == 0 {
            must_be_believed(others.client_ip, section.span(), report);
        }
        let listen = listen(&mut section, others, &decisions, report);
        let tls = section.value(report, "tls").and_then(|value| tls(value, files, report));
        let dialect = section.word(report, "dialect", Dialect::WORDS);
        if !section.has("dialect") {
            section.missing(report, "dialect", "the proxy that asks: `nginx`, `traefik`, `caddy` or `envoy`");
        }
        let original = original(&mut section, dialect.map(|dialect| dialect.value), report);
        if let (Some(listen), Some(dialect)) = (listen, dialect) {
            warn(others, dialect, report);
            let listener = Listener { address: listen.value.to_owned(), tls, proxy_protocol: false };
            decisions.extend(original.map(|original| Decision {
                listener,
                dialect: dialect.value,
                original,
            }));
        }
        section.finish(report);
    }
    decisions
}

fn listen<'d>(
    section: &mut Section<'d>,
    others: &Others<'_>,
    known: &[Decision],
    report: &mut Report<'_>,
) -> Option<At<&'d str>> {
    let text = section.string(report, "listen");
    if !section.has("listen") {
        section.missing(report, "listen", "`host:port`");
    }
    let text = text?;
    address(text, report)?;
    let servers = others.server.listen.iter().map(|listener| (&listener.address, "`server.listen`"));
    let admin = others.admin.iter().map(|admin| (&admin.listen, "`admin.listen`"));
    let known = known.iter().map(|decision| (&decision.listener.address, "another `[[decision]]`"));
    let taken = servers.chain(admin).chain(known).find(|(address, _)| *address == text.value);
    if let Some((_, place)) = taken.filter(|_| !text.value.ends_with(":0")) {
        let message = format!("the address `{}` twice", text.value);
        report.add(Code::Duplicate, text.span, message).label(format!("already in {place}"));
    }
    Some(text)
}

/// Where the original request stands. Keys that the dialect has no use for are mistakes.
fn original(
    section: &mut Section<'_>,
    dialect: Option<Dialect>,
    report: &mut Report<'_>,
) -> Option<Original> {
    const HEADERS: [&str; 3] = ["uri_header", "method_header", "host_header"];
    let named = HEADERS.map(|key| section.string(report, key).map(|name| (key, name)));
    let prefix = section.string(report, "path_prefix");
    let defaults = match dialect? {
        Dialect::Nginx => defaults::NGINX_HEADERS,
        Dialect::Traefik | Dialect::Caddy => defaults::FORWARD_AUTH_HEADERS,
        Dialect::Envoy => {
            for (key, name) in named.into_iter().flatten() {
                useless(key, name.span, "envoy asks with the original method, host and path", report);
            }
            return path_prefix(prefix, report).map(|path_prefix| Original::Itself { path_prefix });
        }
    };
    if let Some(prefix) = prefix {
        useless("path_prefix", prefix.span, "the original path stands in `uri_header`", report);
    }
    let mut names: [Option<Arc<str>>; 3] = [None, None, None];
    for ((name, found), default) in names.iter_mut().zip(named).zip(defaults) {
        *name = match found {
            Some((_, found)) => header_name(report, found),
            None => Some(default.to_ascii_lowercase().into()),
        };
    }
    let [uri, method, host] = names;
    let (uri, method, host) = (uri?, method?, host?);
    if uri == method || uri == host || method == host {
        let twice = if uri == method { &method } else { &host };
        let span = named.into_iter().flatten().map(|(_, name)| name.span).next_back();
        let message = format!("the header `{twice}` cannot say two things");
        report
            .add(Code::Conflict, span.unwrap_or_else(|| section.span()), message)
            .label("expected a name of its own");
        return None;
    }
    Some(Original::Headers { uri, method, host })
}

fn useless(key: &str, span: Span, why: &str, report: &mut Report<'_>) {
    report.add(Code::Conflict, span, format!("`decision.{key}` means nothing to this dialect")).label(why);
}

/// Without a slash at its end: the original path brings its own.
fn path_prefix(prefix: Option<At<&str>>, report: &mut Report<'_>) -> Option<Arc<str>> {
    let Some(prefix) = prefix else { return Some("".into()) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let is_prefix = prefix.value.starts_with('/') && !prefix.value.contains("//");
    if (is_prefix && !prefix.value.ends_with('/') && prefix.value.bytes().all(plain))
        || prefix.value.is_empty()
    {
        return Some(prefix.value.into());
    }
    let message = format!("`{}` is no path prefix of a decision listener", prefix.value.escape_debug());
    report
        .add(Code::BadPath, prefix.span, message)
        .label("expected the `path_prefix` of Envoy, such as `/decide`")
        .hint("letters, digits and `-._~/`, with a slash in front and none behind");
    None
}

/// What a proxy says is believed from trusted peers alone, and says the client's address too.
fn must_be_believed(client_ip: &ClientIp, span: Span, report: &mut Report<'_>) {
    let message = if client_ip.header == ClientIpHeader::None {
        "with `client_ip.header = \"none\"` no proxy can say whom it asks about"
    } else if client_ip.trusted_proxies.ranges.is_empty() {
        "with no `client_ip.trusted_proxies` no proxy is believed"
    } else {
        return;
    };
    report.add(Code::Conflict, span, message).label("every question would be answered 403");
}

fn warn(others: &Others<'_>, dialect: At<Dialect>, report: &mut Report<'_>) {
    let name = dialect.value.name();
    if others.reads_bodies && !dialect.value.sends_bodies() {
        let message = format!("{name} does not send the bodies of the requests that it asks about");
        report
            .add(Code::UnseenBodies, dialect.span, message)
            .label("where one could lead to a block, the request is refused")
            .hint("put the gateway itself in front of sign-on and token endpoints, or ask from Envoy or Traefik");
    }
    if others.decoy {
        let message = format!("a blocked API key gets no decoy by way of {name}");
        report
            .add(Code::NoDecoyHere, dialect.span, message)
            .label("answered 401: the proxy forwards the request itself");
    }
}
