//! One type for each table of the policy, and how it is read.

use super::Texts;
use super::entry::{EntryValue, entries};
use super::geo::{OriginValue, origins};
use super::list::{ListValue, lists};
use super::reader::{At, Section, as_string, wrong_type};
use super::values::{header_name, hex_hash, id, uuid};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report, Span};
use crate::policy::preset::Preset;
use crate::policy::subject::{ApiKeyHash, Mode};
use std::sync::Arc;
use toml::de::DeValue;
use uuid::Uuid;

const MODES: &[(&str, Mode)] = &[("enforce", Mode::Enforce), ("report", Mode::Report)];
const ACTIONS: &[(&str, Action)] = &[("allow", Action::Allow), ("block", Action::Block)];

/// `[policy]`
#[derive(Debug)]
pub struct RulesTable<'d> {
    /// `mode`
    pub mode: Mode,
    /// `preset`
    pub preset: Preset,
    /// `sso_paths`, beside the preset's.
    pub sso_paths: Texts<'d>,
    /// `token_paths`, beside the preset's.
    pub token_paths: Texts<'d>,
    /// `loopback_paths`; absent: the preset's.
    pub loopback_paths: Option<Texts<'d>>,
    /// `tenant_paths`, beside the preset's.
    pub tenant_paths: Texts<'d>,
    /// `tenant_headers`, beside `X-FusionAuth-TenantId`; in lower case.
    pub tenant_headers: Vec<Arc<str>>,
    /// `inspect_body_limit`, in bytes.
    pub inspect_body_limit: Option<u64>,
    /// `api_key_sources`
    pub api_key_sources: SourcesTable,
}

/// `[policy] api_key_sources`; what is absent has its default.
#[derive(Debug, Default)]
pub struct SourcesTable {
    /// `authorization`
    pub authorization: Option<bool>,
    /// `basic_user`; `Some(None)`: switched off by `false`.
    pub basic_user: Option<Option<Arc<str>>>,
    /// `bearer`
    pub bearer: Option<bool>,
    /// `headers`, in lower case.
    pub headers: Vec<Arc<str>>,
}

impl<'d> RulesTable<'d> {
    pub(super) fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        let texts = |texts: Option<At<Texts<'d>>>| texts.map(|texts| texts.value).unwrap_or_default();
        Self {
            mode: table.word(report, "mode", MODES).map(|mode| mode.value).unwrap_or_default(),
            preset: table
                .word(report, "preset", Preset::WORDS)
                .map(|preset| preset.value)
                .unwrap_or_default(),
            sso_paths: texts(table.strings(report, "sso_paths")),
            token_paths: texts(table.strings(report, "token_paths")),
            loopback_paths: table.strings(report, "loopback_paths").map(|paths| paths.value),
            tenant_paths: texts(table.strings(report, "tenant_paths")),
            tenant_headers: header_names(table, report, "tenant_headers"),
            inspect_body_limit: table.size(report, "inspect_body_limit", 0..=1 << 30),
            api_key_sources: table
                .section(report, "api_key_sources", "policy.api_key_sources")
                .map(|section| SourcesTable::read(section, report))
                .unwrap_or_default(),
        }
    }
}

impl SourcesTable {
    fn read(mut table: Section<'_>, report: &mut Report<'_>) -> Self {
        let sources = Self {
            authorization: table.boolean(report, "authorization"),
            basic_user: basic_user(&mut table, report),
            bearer: table.boolean(report, "bearer"),
            headers: header_names(&mut table, report, "headers"),
        };
        table.finish(report);
        sources
    }
}

fn basic_user(table: &mut Section<'_>, report: &mut Report<'_>) -> Option<Option<Arc<str>>> {
    let value = table.value(report, "basic_user")?;
    match value.value {
        DeValue::Boolean(false) => Some(None),
        DeValue::String(user) if user.is_empty() || user.contains(':') => {
            let message = "`policy.api_key_sources.basic_user` is no user name";
            report
                .add(Code::OutOfRange, value.span, message)
                .label("expected a name without a colon, or `false`");
            None
        }
        DeValue::String(user) => Some(Some(Arc::from(&**user))),
        _ => wrong_type(report, value, "policy.api_key_sources.basic_user", "a user name, or `false`"),
    }
}

fn header_names(table: &mut Section<'_>, report: &mut Report<'_>, key: &'static str) -> Vec<Arc<str>> {
    let names = table.strings(report, key).map(|names| names.value).unwrap_or_default();
    names.into_iter().filter_map(|name| header_name(report, name)).collect()
}

/// What a subject is given: `ip_acl` and `mode`.
#[derive(Debug)]
pub struct AssignmentKeys<'d> {
    /// `ip_acl`, a name or id.
    pub acl: Option<At<&'d str>>,
    /// `mode`
    pub mode: Mode,
}

impl<'d> AssignmentKeys<'d> {
    fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        Self {
            acl: table.filled(report, "ip_acl"),
            mode: table.word(report, "mode", MODES).map(|mode| mode.value).unwrap_or_default(),
        }
    }
}

/// `[[ip_acl]]`
#[derive(Debug)]
pub struct AclTable<'d> {
    /// Its header.
    pub span: Span,
    /// `name`
    pub name: Option<At<&'d str>>,
    /// `id`
    pub id: Option<At<Uuid>>,
    /// `default`; absent only if that was reported.
    pub default: Option<Action>,
    /// `allow` and `block`, with what they do.
    pub entries: Vec<EntryValue<'d>>,
    /// `allow_files` and `block_files`, with what they do.
    pub files: Vec<ListValue<'d>>,
    /// `allow_countries`, `block_countries`, `allow_asns` and `block_asns`, with what they do.
    pub origins: Vec<OriginValue>,
    /// `insert_instant`, in milliseconds since 1970.
    pub insert_instant: Option<i64>,
    /// `last_update_instant`, in milliseconds since 1970.
    pub last_update_instant: Option<i64>,
    /// `data`: the author's own, as JSON.
    pub data: Option<serde_json::Value>,
}

impl<'d> AclTable<'d> {
    pub(super) fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        let name = table.filled(report, "name");
        if !table.has("name") {
            table.missing(report, "name", "a name for people and references");
        }
        let default = table.word(report, "default", ACTIONS).map(|action| action.value);
        if !table.has("default") {
            table.missing(report, "default", "`default = \"allow\"` or `default = \"block\"`");
        }
        let mut files = lists(table, report, ("allow_files", "ip_acl.allow_files"), Action::Allow);
        files.extend(lists(table, report, ("block_files", "ip_acl.block_files"), Action::Block));
        let mut both = entries(table, report, ("allow", "ip_acl.allow"), Action::Allow);
        both.extend(entries(table, report, ("block", "ip_acl.block"), Action::Block));
        let origins = origins(table, report);
        let data = data(table, report);
        Self {
            span: table.span(),
            name,
            id: uuid(table, report, "id"),
            default,
            entries: both,
            files,
            origins,
            insert_instant: instant(table, report, "insert_instant"),
            last_update_instant: instant(table, report, "last_update_instant"),
            data,
        }
    }
}

fn instant(table: &mut Section<'_>, report: &mut Report<'_>, key: &'static str) -> Option<i64> {
    const MOST: u64 = i64::MAX as u64;
    table.integer(report, key, 0..=MOST).and_then(|instant| i64::try_from(instant.value).ok())
}

/// `data` as TOML, or `data_json` for what TOML cannot say.
fn data(table: &mut Section<'_>, report: &mut Report<'_>) -> Option<serde_json::Value> {
    let toml = table.value(report, "data").map(|value| super::values::json(value.value));
    let Some(text) = table.string(report, "data_json") else { return toml };
    if toml.is_some() {
        let message =
            format!("`{}` and `{}` exclude each other", table.path("data"), table.path("data_json"));
        report.add(Code::Conflict, text.span, message).label("keep one of them");
        return toml;
    }
    let json = serde_json::from_str(text.value);
    if let Err(error) = &json {
        let message = format!("`{}` is no JSON: {error}", table.path("data_json"));
        report.add(Code::WrongType, text.span, message).label("expected JSON");
    }
    json.ok()
}

/// `[[api_key]]`
#[derive(Debug)]
pub struct ApiKeyTable<'d> {
    /// Its header.
    pub span: Span,
    /// `name`
    pub name: Option<At<&'d str>>,
    /// `id`
    pub id: Option<At<Uuid>>,
    /// `sha256`
    pub hash: Option<At<ApiKeyHash>>,
    /// `insert_instant`, in milliseconds since 1970.
    pub insert_instant: Option<i64>,
    /// `last_update_instant`, in milliseconds since 1970.
    pub last_update_instant: Option<i64>,
    /// `data`: the author's own, as JSON.
    pub data: Option<serde_json::Value>,
    /// `ip_acl`, `mode`
    pub assignment: AssignmentKeys<'d>,
}

impl<'d> ApiKeyTable<'d> {
    pub(super) fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        let name = table.filled(report, "name");
        if !table.has("name") && !table.has("id") {
            table.missing(report, "name", "a name for people, or an `id`");
        }
        let hash = table.string(report, "sha256").and_then(|hash| hex_hash(report, hash));
        if !table.has("sha256") {
            table.missing(report, "sha256", "the SHA-256 of the key, in hex");
            report.amend(|finding| finding.hint("`aclgate hash-key` reads a key and prints it"));
        }
        Self {
            span: table.span(),
            name,
            id: uuid(table, report, "id"),
            hash,
            insert_instant: instant(table, report, "insert_instant"),
            last_update_instant: instant(table, report, "last_update_instant"),
            data: data(table, report),
            assignment: AssignmentKeys::read(table, report),
        }
    }
}

/// `[[tenant]]`
#[derive(Debug)]
pub struct TenantTable<'d> {
    /// `id`; absent only if that was reported.
    pub id: Option<At<&'d str>>,
    /// `name`
    pub name: Option<At<&'d str>>,
    /// `hosts`
    pub hosts: Texts<'d>,
    /// `default`, if it is true.
    pub default: Option<Span>,
    /// `ip_acl`, `mode`
    pub assignment: AssignmentKeys<'d>,
}

impl<'d> TenantTable<'d> {
    pub(super) fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        let default = table.boolean(report, "default").filter(|default| *default);
        Self {
            id: id(table, report, "the id by which requests name the tenant"),
            name: table.filled(report, "name"),
            hosts: table.strings(report, "hosts").map(|hosts| hosts.value).unwrap_or_default(),
            default: default.and_then(|_| table.key_span("default")),
            assignment: AssignmentKeys::read(table, report),
        }
    }
}

/// `[[application]]`
#[derive(Debug)]
pub struct ApplicationTable<'d> {
    /// `id`, the OAuth `client_id`; absent only if that was reported.
    pub id: Option<At<&'d str>>,
    /// `name`
    pub name: Option<At<&'d str>>,
    /// `tenant`, a name or id.
    pub tenant: Option<At<&'d str>>,
    /// `ip_acl`, `mode`
    pub assignment: AssignmentKeys<'d>,
}

impl<'d> ApplicationTable<'d> {
    pub(super) fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        Self {
            id: id(table, report, "the OAuth `client_id`"),
            name: table.filled(report, "name"),
            tenant: table.filled(report, "tenant"),
            assignment: AssignmentKeys::read(table, report),
        }
    }
}

/// `[[resource_server]]`
#[derive(Debug)]
pub struct ResourceServerTable<'d> {
    /// `identifier`; absent only if that was reported.
    pub identifier: Option<At<&'d str>>,
    /// `name`
    pub name: Option<At<&'d str>>,
    /// `ip_acl`, `mode`
    pub assignment: AssignmentKeys<'d>,
}

impl<'d> ResourceServerTable<'d> {
    pub(super) fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        let identifier = table.filled(report, "identifier");
        if !table.has("identifier") {
            table.missing(report, "identifier", "what `audience`, `resource` or `target-entity:` names");
        }
        let name = table.filled(report, "name");
        Self { identifier, name, assignment: AssignmentKeys::read(table, report) }
    }
}

/// `[[path]]`
#[derive(Debug)]
pub struct PathTable<'d> {
    /// `prefix`; absent only if that was reported.
    pub prefix: Option<At<&'d str>>,
    /// `ip_acl`, `mode`
    pub assignment: AssignmentKeys<'d>,
}

impl<'d> PathTable<'d> {
    pub(super) fn read(table: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        let prefix = table
            .value(report, "prefix")
            .and_then(|value| as_string(report, value, &|| "path.prefix".into()));
        for (key, expected) in
            [("prefix", "a path such as `/api/v2/`"), ("ip_acl", "the name or id of an ACL")]
        {
            if !table.has(key) {
                table.missing(report, key, expected);
            }
        }
        Self { prefix, assignment: AssignmentKeys::read(table, report) }
    }
}
