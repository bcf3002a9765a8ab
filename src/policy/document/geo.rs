//! Countries and autonomous systems: `[geo]`, and the keys of an ACL that need it.
//!
//! Keys of their own rather than tables in `allow` and `block`: what a database says is nobody's to write, as list
//! files are not, while these two lists are what the management API edits.

use super::reader::{At, Section, wrong_type};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report};
use crate::policy::geo::{CountryCode, Origin};
use toml::de::DeValue;

/// `[geo]`
#[derive(Debug, Default)]
pub struct GeoTable<'d> {
    /// `country_database`
    pub country_database: Option<At<&'d str>>,
    /// `asn_database`
    pub asn_database: Option<At<&'d str>>,
    /// Keys that are there, but wrong, which was reported.
    pub wrong: Vec<&'static str>,
}

impl<'d> GeoTable<'d> {
    pub(super) fn read(root: &mut Section<'d>, report: &mut Report<'_>) -> Self {
        let Some(mut table) = root.section(report, "geo", "geo") else { return Self::default() };
        let mut wrong = Vec::new();
        let mut database = |key| {
            let database = table.filled(report, key);
            if database.is_none() && table.has(key) {
                wrong.push(key);
            }
            database
        };
        let (country_database, asn_database) = (database("country_database"), database("asn_database"));
        table.finish(report);
        Self { country_database, asn_database, wrong }
    }
}

/// An item of `allow_countries` and the like.
#[derive(Clone, Copy, Debug)]
pub struct OriginValue {
    /// What it does.
    pub action: Action,
    /// The country or autonomous system.
    pub origin: At<Origin>,
}

/// Every country and autonomous system of an ACL.
pub(super) fn origins(table: &mut Section<'_>, report: &mut Report<'_>) -> Vec<OriginValue> {
    let mut origins = Vec::new();
    for (key, action) in [("allow_countries", Action::Allow), ("block_countries", Action::Block)] {
        let codes = table.strings(report, key).map(|codes| codes.value).unwrap_or_default();
        let codes = codes.into_iter().filter_map(|code| country(report, code));
        origins.extend(codes.map(|origin| OriginValue { action, origin }));
    }
    for (key, action) in [("allow_asns", Action::Allow), ("block_asns", Action::Block)] {
        let numbers = asns(table, report, key);
        origins.extend(numbers.into_iter().map(|origin| OriginValue { action, origin }));
    }
    origins
}

fn country(report: &mut Report<'_>, text: At<&str>) -> Option<At<Origin>> {
    match text.value.parse::<CountryCode>() {
        Ok(code) => Some(text.map(|_| Origin::Country(code))),
        Err(error) => {
            let finding = report.add(Code::UnknownWord, text.span, error.to_string());
            finding.label("expected a code of ISO 3166-1").hint = error.hint();
            None
        }
    }
}

fn asns(table: &mut Section<'_>, report: &mut Report<'_>, key: &'static str) -> Vec<At<Origin>> {
    let items = table.items(report, key, "a list of numbers");
    let mut numbers = Vec::with_capacity(items.len());
    for item in items {
        let number = match item.value {
            DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => {
                let path = format!("an item of `{}`", table.path(key));
                wrong_type::<()>(report, item, &path, "the number of an autonomous system");
                if let DeValue::String(text) = item.value
                    && let Some(number) = text.strip_prefix("AS").and_then(|text| text.parse::<u32>().ok())
                {
                    report.amend(|finding| finding.hint(format!("write the number alone: `{number}`")));
                }
                continue;
            }
        };
        // The first and the last one belong to nobody (RFC 7607, RFC 7300).
        match number.filter(|number| (1..u32::MAX).contains(number)) {
            Some(number) => numbers.push(item.map(|_| Origin::Asn(number))),
            None => {
                let found = report.source().short(item.span).unwrap_or("this").to_owned();
                let message = format!("an item of `{}` cannot be {found}", table.path(key));
                report.add(Code::OutOfRange, item.span, message).label("expected 1 to 4294967294");
            }
        }
    }
    numbers
}
