//! Stub of the configuration's front door.

use super::*;
use crate::policy::acl::{Action, IpAcl, IpAclBuilder, Place};
use crate::policy::finding::Findings;
use crate::policy::path::PathPrefix;
use crate::policy::subject::{
    ApiKey, ApiKeyHash, Application, Assignment, Mode, PathRule, ResourceServer, Tenant,
};
use crate::policy::{ApiKeySources, Files, Policy, PolicyParts, Rules};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stub.
#[derive(Debug)]
pub struct Loaded {
    /// Settings.
    pub config: Config,
    /// Policy.
    pub policy: Policy,
}

/// Stub.
#[derive(Debug)]
pub struct Outcome {
    /// Result.
    pub loaded: Option<Loaded>,
    /// Findings.
    pub findings: Findings,
}

/// Stub.
#[derive(Debug)]
pub struct DiskFiles {
    base: PathBuf,
    read: RefCell<Vec<PathBuf>>,
}

impl DiskFiles {
    /// Stub.
    pub fn beside(path: &Path) -> Self {
        Self { base: path.parent().unwrap_or(Path::new("")).to_owned(), read: RefCell::default() }
    }
    /// Stub.
    pub fn files_read(&self) -> Vec<PathBuf> {
        self.read.borrow().clone()
    }
}

impl Files for DiskFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, crate::policy::FileError> {
        let path = self.base.join(path);
        self.read.borrow_mut().push(path.clone());
        std::fs::read(path).map_err(|error| crate::policy::FileError(error.to_string()))
    }
}

/// Stub.
pub fn load(text: &str, name: &str, files: &dyn Files) -> Outcome {
    match parse(text, name, files) {
        Ok(loaded) => Outcome { loaded: Some(loaded), findings: Findings::default() },
        Err(error) => Outcome {
            loaded: None,
            findings: {
                eprintln!("{name}: {error}");
                Findings::default()
            },
        },
    }
}

fn strings(table: &toml::Table, key: &str) -> Vec<String> {
    let list = table.get(key).and_then(|v| v.as_array()).cloned().unwrap_or_default();
    list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn tables(document: &toml::Table, key: &str) -> Vec<toml::Table> {
    let list = document.get(key).and_then(|v| v.as_array()).cloned().unwrap_or_default();
    list.iter().filter_map(|v| v.as_table().cloned()).collect()
}

fn text(table: &toml::Table, key: &str) -> String {
    table.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
}

fn parse(source: &str, name: &str, files: &dyn Files) -> Result<Loaded, String> {
    let document: toml::Table = source.parse().map_err(|e: toml::de::Error| e.to_string())?;
    let mut acls = Vec::new();
    for table in tables(&document, "ip_acl") {
        let id = ::uuid::Uuid::parse_str(&text(&table, "id")).unwrap_or_else(|_| {
            ::uuid::Uuid::new_v5(&::uuid::Uuid::NAMESPACE_URL, text(&table, "name").as_bytes())
        });
        let default = if text(&table, "default") == "allow" { Action::Allow } else { Action::Block };
        let mut builder = IpAclBuilder::new(id, text(&table, "name"), default);
        for (key, action) in [("block", Action::Block), ("allow", Action::Allow)] {
            let mut lines = strings(&table, key);
            for file in strings(&table, &format!("{key}_files")) {
                let list = files
                    .read(&file)
                    .map(|list| String::from_utf8_lossy(&list).into_owned())
                    .map_err(|e| format!("{file}: {e}"))?;
                lines.extend(list.lines().map(str::to_owned));
            }
            for line in lines {
                let place = Place { file: 0, line: 1 };
                builder.push(line.parse().map_err(|_| format!("`{line}` is no range"))?, action, place);
            }
        }
        acls.push(Arc::new(builder.build()));
    }
    let assignment = |table: &toml::Table| {
        let mode = if text(table, "mode") == "report" { Mode::Report } else { Mode::Enforce };
        let name = text(table, "ip_acl");
        acls.iter().find(|acl| **acl.name() == *name).map(|acl| Assignment { acl: Arc::clone(acl), mode })
    };
    let api_key_tables = tables(&document, "api_key");
    let api_keys = api_key_tables.iter().map(|table| ApiKey {
        id: ::uuid::Uuid::new_v5(&::uuid::Uuid::NAMESPACE_URL, text(table, "name").as_bytes()),
        name: text(table, "name").into(),
        hash: ApiKeyHash::from_bytes(std::array::from_fn(|i| {
            u8::from_str_radix(text(table, "sha256").get(2 * i..2 * i + 2).unwrap_or("0"), 16).unwrap_or(0)
        })),
        assignment: assignment(table),
    });
    let tenants: Vec<_> = tables(&document, "tenant")
        .iter()
        .map(|table| {
            Arc::new(Tenant {
                id: text(table, "id").into(),
                name: text(table, "name").into(),
                hosts: Vec::new(),
                default: table.get("default").is_some_and(|v| v.as_bool() == Some(true)),
                assignment: assignment(table),
            })
        })
        .collect();
    let applications = tables(&document, "application")
        .iter()
        .map(|table| {
            Arc::new(Application {
                id: text(table, "id").into(),
                name: text(table, "name").into(),
                tenant: tenants.iter().find(|t| *t.name == *text(table, "tenant")).cloned(),
                assignment: assignment(table),
            })
        })
        .collect();
    let path_rules = tables(&document, "path")
        .iter()
        .filter_map(|table| {
            Some(PathRule { prefix: text(table, "prefix").parse().ok()?, assignment: assignment(table)? })
        })
        .collect();
    let resource_servers = tables(&document, "resource_server")
        .iter()
        .map(|table| {
            Arc::new(ResourceServer {
                identifier: text(table, "identifier").into(),
                name: text(table, "name").into(),
                assignment: assignment(table),
            })
        })
        .collect();
    let policy = Policy::new(PolicyParts {
        rules: Rules {
            mode: Mode::Enforce,
            sign_on_paths: vec![prefix("/oauth2/")?],
            exempt_paths: vec![prefix("/api/")?, prefix("/admin/")?],
            token_paths: vec![prefix("/oauth2/token")?],
            loopback_paths: vec![prefix("/api/status")?],
            tenant_patterns: Vec::new(),
            tenant_headers: Vec::new(),
            json_names: false,
            api_key_sources: ApiKeySources {
                raw_authorization: true,
                basic_user: None,
                bearer: false,
                headers: Vec::new(),
            },
            inspect_body_limit: 65536,
        },
        api_keys: api_keys.collect(),
        acls: acls.clone(),
        tenants: tenants.clone(),
        applications,
        resource_servers,
        path_rules,
        files: vec![name.into()],
    });
    Ok(Loaded { config: config(&document), policy })
}

impl Config {
    /// Stub.
    pub fn restart_differences(&self, other: &Self) -> Vec<String> {
        if self.server.listen == other.server.listen { Vec::new() } else { vec!["server.listen".to_owned()] }
    }
}

fn config(document: &toml::Table) -> Config {
    let answer = |status| BlockedAnswer {
        status: http::StatusCode::from_u16(status).unwrap_or_default(),
        headers: Vec::new(),
        body: None,
        redirect: None,
        error: "invalid_request".into(),
    };
    let section = |name: &str| document.get(name).and_then(|v| v.as_table()).cloned().unwrap_or_default();
    let mut listen = strings(&section("server"), "listen");
    if listen.is_empty() {
        listen.push("127.0.0.1:0".into());
    }
    Config {
        server: Server {
            listen: listen
                .into_iter()
                .map(|address| Listener { address, tls: None, proxy_protocol: false })
                .collect(),
            workers: None,
            limits: Limits {
                head: 32768,
                fields: 100,
                target: 8192,
                connections: 10000,
                h2_streams: 100,
                h2_header_list: 32768,
            },
            timeouts: Timeouts {
                head: defaults::HEAD_TIMEOUT,
                body: defaults::BODY_TIMEOUT,
                idle: defaults::IDLE_TIMEOUT,
                drain: defaults::DRAIN_TIMEOUT,
            },
        },
        upstream: Upstream {
            urls: vec![UpstreamUrl {
                tls: false,
                host: "127.0.0.1".into(),
                port: text(&section("upstream"), "url")
                    .rsplit(':')
                    .next()
                    .and_then(|p| p.parse().ok())
                    .unwrap_or(9011),
            }],
            connect_timeout: defaults::CONNECT_TIMEOUT,
            response_timeout: defaults::RESPONSE_TIMEOUT,
            ca: None,
            h2c: false,
            idle_connections: 8,
            idle_timeout: defaults::IDLE_TIMEOUT,
            forwarded: false,
            strip_headers: Vec::new(),
        },
        client_ip: ClientIp {
            header: ClientIpHeader::XForwardedFor,
            select: ClientIpSelect::First,
            trusted_proxies: TrustedProxies { ranges: "127.0.0.0/8".parse().into_iter().collect() },
        },
        admin: None,
        log: Log {
            level: if text(&section("log"), "level").is_empty() {
                "info".into()
            } else {
                text(&section("log"), "level")
            },
            format: LogFormat::Text,
            access: AccessLog::Off,
            blocked_requests: true,
        },
        answers: Answers {
            api_key: KeyAnswer::Respond(answer(401)),
            page: answer(403),
            token: answer(400),
            path: answer(403),
        },
    }
}

fn prefix(text: &str) -> Result<PathPrefix, String> {
    text.parse().map_err(|_| format!("`{text}` is no prefix"))
}

impl IpAcl {
    /// Stub.
    pub fn placeholder(default: Action) -> Self {
        IpAclBuilder::new(::uuid::Uuid::nil(), "placeholder", default).build()
    }
}
