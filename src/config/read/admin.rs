//! `[admin]`.

use super::address::{address, is_loopback};
use super::tls::tls;
use crate::config::settings::{Admin, AdminKey, Server};
use crate::policy::Files;
use crate::policy::document::hex_hash;
use crate::policy::document::reader::{At, Section};
use crate::policy::finding::{Code, Report, Span};
use crate::policy::validate::Acls;
use toml::de::DeValue;

const ROLES: &[(&str, bool)] = &[("admin", false), ("reader", true)];

/// `None` only if it was reported.
pub(super) fn admin(
    mut section: Section<'_>,
    server: &Server,
    (files, acls): (&dyn Files, &mut Acls),
    report: &mut Report<'_>,
) -> Option<Admin> {
    let tls = section.value(report, "tls").and_then(|value| tls(value, files, report));
    let text = section.string(report, "listen");
    if !section.has("listen") {
        section.missing(report, "listen", "`host:port`");
    }
    let listen = text.and_then(|text| address(text, report).map(|(host, _)| (text, host)));
    if let Some((text, host)) = listen {
        if tls.is_none() && !section.has("tls") && !is_loopback(host) {
            let message = format!("the management API listens on `{}` without TLS", text.value);
            let finding = report.add(Code::CleartextAdmin, text.span, message);
            finding
                .label("its keys travel in the clear")
                .hint("give `[admin]` a `tls`, or a loopback address");
        }
        if server.listen.iter().any(|other| other.address == text.value) && !text.value.ends_with(":0") {
            let message = format!("the address `{}` twice", text.value);
            report.add(Code::Duplicate, text.span, message).label("already in `server.listen`");
        }
    }
    let api_keys = keys(&mut section, acls, report);
    let audit_log = section.filled(report, "audit_log").map(|path| files.resolve(path.value));
    section.finish(report);
    Some(Admin { listen: listen?.0.value.to_owned(), tls, api_keys, audit_log })
}

fn keys(section: &mut Section<'_>, acls: &mut Acls, report: &mut Report<'_>) -> Vec<AdminKey> {
    let value = section.value(report, "api_keys");
    let tables = section.sections(report, "api_keys", "admin.api_keys");
    if !section.has("api_keys") {
        section.missing(report, "api_keys", "`api_keys = [{ name = \"…\", sha256 = \"…\" }]`");
    } else if let Some(At { value: DeValue::Array(items), span }) = value
        && items.is_empty()
    {
        report.add(Code::Empty, span, "`admin.api_keys` is empty").label("expected at least one key");
    }
    let mut names: Vec<(&str, Span)> = Vec::new();
    let mut keys: Vec<AdminKey> = Vec::new();
    for mut table in tables {
        let name = table.filled(report, "name");
        let hash = table.string(report, "sha256").and_then(|hash| hex_hash(report, hash));
        for (key, expected) in
            [("name", "a name for audit records"), ("sha256", "the SHA-256 of the key, in hex")]
        {
            if !table.has(key) {
                table.missing(report, key, expected);
            }
        }
        let reader = table.word(report, "role", ROLES).is_some_and(|role| role.value);
        let ip_acl = table.filled(report, "ip_acl").and_then(|acl| acls.resolve(acl, report));
        table.finish(report);
        let (Some(name), Some(hash)) = (name, hash) else { continue };
        let twice = match names.iter().find(|(other, _)| *other == name.value) {
            Some(_) => Some(format!("the key name `{}` twice", name.value.escape_debug())),
            None if keys.iter().any(|key| key.hash == hash.value) => Some("the same key twice".to_owned()),
            None => None,
        };
        if let Some(twice) = twice {
            report.add(Code::Duplicate, name.span, twice).label("already in `admin.api_keys`");
        }
        names.push((name.value, name.span));
        keys.push(AdminKey { name: name.value.into(), hash: hash.value, reader, ip_acl });
    }
    keys
}
