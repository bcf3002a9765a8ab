//! `[server]`, `[server.limits]`, `[server.timeouts]`.

use super::address::address;
use super::tls::tls;
use crate::config::defaults;
use crate::config::settings::{Limits, Listener, Server, Timeouts, TlsSettings};
use crate::policy::Files;
use crate::policy::document::reader::{At, Section, Value, wrong_type};
use crate::policy::finding::{Code, Report, Span};
use std::time::Duration;
use toml::de::DeValue;

/// What holds for every listener that says nothing else.
struct Common {
    tls: Option<TlsSettings>,
    proxy_protocol: bool,
}

pub(super) fn server(mut section: Section<'_>, files: &dyn Files, report: &mut Report<'_>) -> Server {
    let tls = section.value(report, "tls").and_then(|value| tls(value, files, report));
    let proxy_protocol = section.boolean(report, "proxy_protocol").unwrap_or(false);
    let common = Common { tls, proxy_protocol };
    let listen = match section.value(report, "listen") {
        Some(value) => listeners(value, &common, files, report),
        None => vec![listener(defaults::LISTEN, common)],
    };
    let workers = section.integer(report, "workers", 1..=1024);
    let limits = section.section(report, "limits", "server.limits");
    let timeouts = section.section(report, "timeouts", "server.timeouts");
    let server = Server {
        listen,
        workers: workers.and_then(|workers| usize::try_from(workers.value).ok()),
        limits: limits.map_or_else(default_limits, |section| self::limits(section, report)),
        timeouts: timeouts.map_or_else(default_timeouts, |section| self::timeouts(section, report)),
    };
    section.finish(report);
    server
}

fn listener(address: &str, common: Common) -> Listener {
    Listener { address: address.to_owned(), tls: common.tls, proxy_protocol: common.proxy_protocol }
}

fn listeners(value: Value<'_>, common: &Common, files: &dyn Files, report: &mut Report<'_>) -> Vec<Listener> {
    let DeValue::Array(items) = value.value else {
        wrong_type::<()>(report, value, "server.listen", "a list of addresses");
        if let DeValue::String(text) = value.value {
            report.amend(|finding| finding.hint(format!("put it in brackets: `[\"{text}\"]`")));
        }
        return Vec::new();
    };
    if items.is_empty() {
        let finding = report.add(Code::Empty, value.span, "`server.listen` is empty");
        finding.label("expected at least one address").hint("leave it out for the default, `127.0.0.1:8080`");
    }
    let mut seen: Vec<(String, Span)> = Vec::new();
    let mut listeners = Vec::new();
    for item in items.iter() {
        let item = At { value: item.get_ref(), span: item.span().into() };
        let Some((listener, span)) = one(item, common, files, report) else { continue };
        let first = seen.iter().find(|(address, _)| *address == listener.address && !address.ends_with(":0"));
        if let Some((_, first)) = first {
            let first = report.source().excerpt(*first);
            let message = format!("the address `{}` twice", listener.address);
            report
                .add(Code::Duplicate, span, message)
                .label("already listened on")
                .related(first, "first here");
        }
        seen.push((listener.address.clone(), span));
        listeners.push(listener);
    }
    listeners
}

fn one(
    item: Value<'_>,
    common: &Common,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> Option<(Listener, Span)> {
    match item.value {
        DeValue::String(text) => {
            let text = At { value: &**text, span: item.span };
            address(text, report)?;
            let (address, tls) = (text.value.to_owned(), common.tls.clone());
            Some((Listener { address, tls, proxy_protocol: common.proxy_protocol }, item.span))
        }
        DeValue::Table(table) => {
            let mut section = Section::new("server.listen", table, item.span);
            let listener = table_listener(&mut section, common, files, report);
            section.finish(report);
            listener
        }
        _ => wrong_type(report, item, "an item of `server.listen`", "an address, or a table with `address`"),
    }
}

fn table_listener(
    section: &mut Section<'_>,
    common: &Common,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> Option<(Listener, Span)> {
    let own_tls = section.value(report, "tls");
    let tls = match own_tls {
        None => common.tls.clone(),
        Some(At { value: DeValue::Boolean(false), .. }) => None,
        Some(value) => tls(value, files, report),
    };
    let proxy_protocol = section.boolean(report, "proxy_protocol").unwrap_or(common.proxy_protocol);
    let text = section.string(report, "address");
    if !section.has("address") {
        section.missing(report, "address", "`host:port`");
    }
    let text = text?;
    address(text, report)?;
    Some((Listener { address: text.value.to_owned(), tls, proxy_protocol }, text.span))
}

fn default_limits() -> Limits {
    Limits {
        head: defaults::HEAD_BYTES,
        fields: defaults::FIELDS,
        target: defaults::TARGET_BYTES,
        connections: defaults::CONNECTIONS,
        h2_streams: defaults::H2_STREAMS,
        h2_header_list: defaults::H2_HEADER_LIST_BYTES,
    }
}

fn limits(mut section: Section<'_>, report: &mut Report<'_>) -> Limits {
    let default = default_limits();
    let count = |count: Option<At<u64>>| count.and_then(|count| usize::try_from(count.value).ok());
    let size = |size: Option<u64>| size.and_then(|size| usize::try_from(size).ok());
    let limits = Limits {
        head: size(section.size(report, "head", 1024..=1 << 20)).unwrap_or(default.head),
        fields: count(section.integer(report, "fields", 1..=10_000)).unwrap_or(default.fields),
        target: size(section.size(report, "target", 64..=1 << 20)).unwrap_or(default.target),
        connections: count(section.integer(report, "connections", 1..=10_000_000))
            .unwrap_or(default.connections),
        h2_streams: section
            .integer(report, "h2_streams", 1..=65_535)
            .and_then(|streams| u32::try_from(streams.value).ok())
            .unwrap_or(default.h2_streams),
        h2_header_list: section
            .size(report, "h2_header_list", 1024..=1 << 20)
            .and_then(|size| u32::try_from(size).ok())
            .unwrap_or(default.h2_header_list),
    };
    section.finish(report);
    limits
}

fn default_timeouts() -> Timeouts {
    Timeouts {
        head: defaults::HEAD_TIMEOUT,
        body: defaults::BODY_TIMEOUT,
        idle: defaults::IDLE_TIMEOUT,
        drain: defaults::DRAIN_TIMEOUT,
        drain_idle: defaults::DRAIN_IDLE_TIMEOUT,
    }
}

fn timeouts(mut section: Section<'_>, report: &mut Report<'_>) -> Timeouts {
    let default = default_timeouts();
    let range = || Duration::from_millis(1)..=Duration::from_hours(24);
    let timeouts = Timeouts {
        head: section.duration(report, "head", range()).unwrap_or(default.head),
        body: section.duration(report, "body", range()).unwrap_or(default.body),
        idle: section.duration(report, "idle", range()).unwrap_or(default.idle),
        drain: section
            .duration(report, "drain", Duration::ZERO..=Duration::from_hours(24))
            .unwrap_or(default.drain),
        drain_idle: section
            .duration(report, "drain_idle", Duration::ZERO..=Duration::from_hours(24))
            .unwrap_or(default.drain_idle),
    };
    section.finish(report);
    timeouts
}
