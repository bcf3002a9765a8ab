//! References by name follow a rename.
//!
//! The text and its outline in, changes of the values of `ip_acl` or `tenant` out. Only tables whose lines contain the
//! old name are looked at closely, so that 100,000 tables cost little.

use super::outline::{Kind, Lines, Outline, Section, What};
use super::splice::Splices;
use super::table::written;
use crate::policy::uuid::lenient_uuid;
use toml_edit::{Document, Item, TableLike, Value};

/// A new name of the object with this id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rename<'a> {
    pub(super) old: &'a str,
    pub(super) new: &'a str,
    pub(super) id: &'a str,
}

/// Tables that refer to others.
const REFERRING: [Kind; 6] =
    [Kind::ApiKey, Kind::Tenant, Kind::Application, Kind::ResourceServer, Kind::Path, Kind::Admin];

/// Changes every reference; `key` is what the tables call it.
pub(super) fn rename(
    text: &str,
    outline: &Outline,
    (key, rename): (&str, Rename<'_>),
    splices: &mut Splices,
) {
    let kinds = if key == "tenant" { [Kind::Application].as_slice() } else { REFERRING.as_slice() };
    for section in kinds.iter().flat_map(|kind| outline.of_kind(*kind)) {
        in_section(text, section, (key, rename), splices);
    }
}

fn in_section(text: &str, section: &Section, (key, rename): (&str, Rename<'_>), splices: &mut Splices) {
    let lines = text.get(section.header..section.end).unwrap_or_default();
    let statements = Lines::of(lines).filter(|line| line.what == What::Statement);
    for statement in statements {
        let own = lines.get(statement.range.clone()).unwrap_or_default();
        if !own.contains(key) || !rename.may_be_in(own) {
            continue;
        }
        let Ok(document) = Document::parse(own) else { continue };
        let start = section.header + statement.range.start;
        visit(document.as_table(), key, &mut |value| {
            if let (Some(name), Some(span)) = (value.as_str(), value.span())
                && rename.concerns(name)
            {
                splices.replace(start + span.start..start + span.end, written(rename.new));
            }
        });
    }
}

/// Every value of a key, also in lists of tables (`[admin] api_keys`).
fn visit<'d>(table: &'d dyn TableLike, key: &str, see: &mut dyn FnMut(&'d Value)) {
    for (name, item) in table.iter() {
        match item {
            Item::Value(value) if name == key => see(value),
            Item::Value(Value::Array(items)) => {
                for inner in items.iter().filter_map(Value::as_inline_table) {
                    visit(inner, key, see);
                }
            }
            Item::Value(Value::InlineTable(inner)) if name != "data" => visit(inner, key, see),
            _ => {}
        }
    }
}

impl Rename<'_> {
    /// Cheap: whether a line can refer to the old name at all.
    fn may_be_in(&self, line: &str) -> bool {
        line.contains(self.old) || line.contains('\\') || lenient_uuid(self.old).is_some()
    }

    /// Whether a reference is to the old name, and not to the id, which stays.
    fn concerns(&self, reference: &str) -> bool {
        let comparable = |text: &str| lenient_uuid(text).map_or_else(|| Err(text.to_owned()), Ok);
        let reference = comparable(reference);
        reference == comparable(self.old) && reference != comparable(self.id)
    }
}
