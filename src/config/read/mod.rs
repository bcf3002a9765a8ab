//! Settings from their tables, one file a table. Sections in, settings out; what is wrong is reported, and then
//! the default holds or the table is absent. Nothing is used while there are errors.

mod address;
mod admin;
mod answer_fields;
mod answers;
mod client_ip;
mod decision;
mod log;
mod server;
mod tls;
mod upstream;

use super::answers::Answers;
use super::settings::Config;
use crate::policy::Files;
use crate::policy::document::reader::Section;
use crate::policy::finding::{Report, Span};
use crate::policy::validate::Acls;
use toml::de::DeTable;

pub(super) use answers::answers;
pub use log::is_log_level;

/// Every table but `[policy]` and the lists of subjects. `None` only if `[upstream]` was reported.
pub(super) fn config(
    root: &mut Section<'_>,
    answers: Answers,
    (files, acls): (&dyn Files, &mut Acls),
    report: &mut Report<'_>,
) -> Option<Config> {
    let empty = DeTable::new();
    let absent = |name| Section::new(name, &empty, Span::default());
    let server = root.section(report, "server", "server").unwrap_or_else(|| absent("server"));
    let server = server::server(server, files, report);
    let upstream = match root.section(report, "upstream", "upstream") {
        Some(section) => upstream::upstream(section, &server, files, report),
        None => {
            if !root.has("upstream") {
                root.missing(report, "upstream", "`[upstream]` with the `url` of the identity server");
            }
            None
        }
    };
    let client_ip = root.section(report, "client_ip", "client_ip").unwrap_or_else(|| absent("client_ip"));
    let client_ip = client_ip::client_ip(client_ip, report);
    let admin = root.section(report, "admin", "admin");
    let admin = admin.and_then(|section| admin::admin(section, &server, (files, acls), report));
    let others = decision::Others {
        server: &server,
        admin: admin.as_ref(),
        client_ip: &client_ip,
        reads_bodies: ["application", "tenant", "resource_server"].iter().any(|table| root.has(table)),
        decoy: answers.has_decoy(),
    };
    let decisions = decision::decisions(root, &others, files, report);
    let log = root.section(report, "log", "log").unwrap_or_else(|| absent("log"));
    let log = log::log(log, report);
    Some(Config { server, upstream: upstream?, client_ip, admin, decisions, log, answers })
}
