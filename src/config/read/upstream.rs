//! `[upstream]`.

use super::address::{is_at, url};
use super::tls::authority;
use crate::config::defaults;
use crate::config::settings::{Server, Upstream, UpstreamUrl};
use crate::policy::Files;
use crate::policy::document::header_name;
use crate::policy::document::reader::{At, Section};
use crate::policy::finding::{Code, Report};
use std::time::Duration;

/// `None` only if it was reported.
pub(super) fn upstream(
    mut section: Section<'_>,
    server: &Server,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> Option<Upstream> {
    let urls = urls(&mut section, server, report);
    let strip_headers = section.strings(report, "strip_headers").map(|names| names.value).unwrap_or_default();
    let range = || Duration::from_millis(1)..=Duration::from_hours(24);
    let idle_connections = section.integer(report, "idle_connections", 0..=10_000);
    let upstream = Upstream {
        urls,
        connect_timeout: section
            .duration(report, "connect_timeout", range())
            .unwrap_or(defaults::CONNECT_TIMEOUT),
        response_timeout: section
            .duration(report, "response_timeout", range())
            .unwrap_or(defaults::RESPONSE_TIMEOUT),
        ca: section.filled(report, "ca").and_then(|path| authority(path, files, report)),
        h2c: section.boolean(report, "h2c").unwrap_or(false),
        idle_connections: idle_connections
            .and_then(|count| usize::try_from(count.value).ok())
            .unwrap_or(defaults::IDLE_CONNECTIONS),
        idle_timeout: section
            .duration(report, "idle_timeout", range())
            .unwrap_or(defaults::UPSTREAM_IDLE_TIMEOUT),
        forwarded: section.boolean(report, "forwarded").unwrap_or(false),
        strip_headers: strip_headers.into_iter().filter_map(|name| header_name(report, name)).collect(),
    };
    section.finish(report);
    (!upstream.urls.is_empty()).then_some(upstream)
}

/// `url` or `urls`, exactly one of them.
fn urls(section: &mut Section<'_>, server: &Server, report: &mut Report<'_>) -> Vec<UpstreamUrl> {
    let single = section.string(report, "url");
    let several = section.strings(report, "urls");
    if section.has("url") && section.has("urls") {
        let span = section.key_span("urls").unwrap_or_default();
        report
            .add(Code::Conflict, span, "`upstream.urls` beside `upstream.url`")
            .label("expected one of them");
    }
    if !section.has("url") && !section.has("urls") {
        section.missing(report, "url", "`url = \"http://host:port\"`");
    }
    if let Some(several) = &several
        && several.value.is_empty()
    {
        report.add(Code::Empty, several.span, "`upstream.urls` is empty").label("expected at least one url");
    }
    let texts = single.into_iter().chain(several.map(|urls| urls.value).into_iter().flatten());
    let checked = |text: At<&str>| {
        let url = url(text, report)?;
        if let Some(own) = server.listen.iter().find(|own| is_at(&own.address, &url)) {
            let message = format!("the upstream is at `{}`, where the gateway itself listens", own.address);
            let finding = report.add(Code::OwnAddress, text.span, message);
            finding.label("it would forward to itself").hint("give `server.listen` another port");
        }
        Some(url)
    };
    texts.filter_map(checked).collect()
}
