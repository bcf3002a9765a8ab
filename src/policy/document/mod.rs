//! The policy as its authors write it: the tables of SPEC §6 with the place of every value.
//!
//! TOML tables in, a [`PolicyDocument`] out. What can be judged from one value alone (type, word, UUID, hash) is judged
//! here; what needs another table or file is judged in [`validate`](super::validate). A value that is wrong is reported
//! and then absent. Unknown keys are refused.

mod entry;
mod geo;
mod list;
mod quantity;
pub mod reader;
mod tables;
mod values;

use super::finding::Report;
use reader::{At, Section};

pub use entry::{EntryValue, LONGEST_NOTE, is_remark};
pub use geo::{GeoTable, OriginValue};
pub use list::ListValue;
pub use tables::{
    AclTable, ApiKeyTable, ApplicationTable, AssignmentKeys, PathTable, ResourceServerTable, RulesTable,
    TenantTable,
};
pub use values::{header_name, hex_hash};

/// Every table of the file that is policy, in file order.
#[derive(Debug)]
pub struct PolicyDocument<'d> {
    /// `[policy]`, but for its `blocked_*` tables.
    pub rules: RulesTable<'d>,
    /// `[geo]`
    pub geo: GeoTable<'d>,
    /// `[[ip_acl]]`
    pub acls: Vec<AclTable<'d>>,
    /// `[[api_key]]`
    pub api_keys: Vec<ApiKeyTable<'d>>,
    /// `[[tenant]]`
    pub tenants: Vec<TenantTable<'d>>,
    /// `[[application]]`
    pub applications: Vec<ApplicationTable<'d>>,
    /// `[[resource_server]]`
    pub resource_servers: Vec<ResourceServerTable<'d>>,
    /// `[[path]]`
    pub paths: Vec<PathTable<'d>>,
}

impl<'d> PolicyDocument<'d> {
    /// Reads the tables. `policy` is the `[policy]` table, of which the caller reads the rest and then finishes it.
    pub fn read(root: &mut Section<'d>, policy: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        Self {
            rules: RulesTable::read(policy, report),
            geo: GeoTable::read(root, report),
            acls: read_all(root, report, "ip_acl", AclTable::read),
            api_keys: read_all(root, report, "api_key", ApiKeyTable::read),
            tenants: read_all(root, report, "tenant", TenantTable::read),
            applications: read_all(root, report, "application", ApplicationTable::read),
            resource_servers: read_all(root, report, "resource_server", ResourceServerTable::read),
            paths: read_all(root, report, "path", PathTable::read),
        }
    }
}

fn read_all<'d, T>(
    root: &mut Section<'d>,
    report: &mut Report<'_>,
    key: &'static str,
    read: impl Fn(&mut Section<'d>, &mut Report<'_>) -> T,
) -> Vec<T> {
    let sections = root.sections(report, key, key);
    let mut tables = Vec::with_capacity(sections.len());
    for mut section in sections {
        tables.push(read(&mut section, report));
        section.finish(report);
    }
    tables
}

/// Texts of a list that may be absent.
type Texts<'d> = Vec<At<&'d str>>;
