//! `[policy]`: the preset unfolded, paths parsed.

use crate::policy::compiled::{ApiKeySources, Rules};
use crate::policy::document::RulesTable;
use crate::policy::document::reader::At;
use crate::policy::finding::{Code, Report};
use crate::policy::preset::{BASIC_USER, EXEMPT_PATHS, SSO_PATHS, TENANT_HEADER, TOKEN_PATHS};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// `[policy] inspect_body_limit`, if the file has none.
pub const INSPECT_BODY_BYTES: usize = 64 * 1024;

pub(super) fn rules(table: RulesTable<'_>, report: &mut Report<'_>) -> Rules {
    let RulesTable {
        mode,
        preset,
        sso_paths,
        token_paths,
        loopback_paths,
        tenant_paths,
        tenant_headers,
        inspect_body_limit,
        api_key_sources: sources,
    } = table;
    let mut headers = vec![Arc::from(TENANT_HEADER)];
    headers.extend(tenant_headers.into_iter().filter(|name| **name != *TENANT_HEADER));
    let preset_loopback_paths = if loopback_paths.is_none() { preset.loopback_paths() } else { &[] };
    Rules {
        mode,
        sign_on_paths: paths(&[SSO_PATHS, preset.sso_paths()], &sso_paths, report),
        exempt_paths: paths(&[EXEMPT_PATHS], &[], report),
        token_paths: paths(&[TOKEN_PATHS, preset.token_paths()], &token_paths, report),
        loopback_paths: paths(&[preset_loopback_paths], &loopback_paths.unwrap_or_default(), report),
        tenant_patterns: paths(&[preset.tenant_paths()], &tenant_paths, report),
        tenant_headers: headers,
        json_names: preset.json_names(),
        api_key_sources: ApiKeySources {
            raw_authorization: sources.authorization.unwrap_or(true),
            basic_user: sources.basic_user.unwrap_or_else(|| Some(BASIC_USER.into())),
            bearer: sources.bearer.unwrap_or(false),
            headers: sources.headers,
        },
        inspect_body_limit: inspect_body_limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(INSPECT_BODY_BYTES),
    }
}

/// The built-in paths, which parse (a test says so), and those of the file.
fn paths<P: FromStr<Err: fmt::Display>>(
    built_in: &[&[&str]],
    written: &[At<&str>],
    report: &mut Report<'_>,
) -> Vec<P> {
    let built_in = built_in.iter().copied().flatten().filter_map(|path| path.parse().ok());
    let mut all: Vec<P> = built_in.collect();
    all.extend(written.iter().filter_map(|text| path(*text, report)));
    all
}

/// A path prefix or pattern of the file.
pub(super) fn path<P: FromStr<Err: fmt::Display>>(text: At<&str>, report: &mut Report<'_>) -> Option<P> {
    match text.value.parse() {
        Ok(path) => Some(path),
        Err(error) => {
            report.add(Code::BadPath, text.span, error.to_string()).label("expected a path from the root");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::path::{PathPrefix, TenantPattern};
    use crate::policy::preset::Preset;

    #[test]
    fn every_built_in_path_parses() {
        for (word, preset) in Preset::WORDS {
            let all = [SSO_PATHS, TOKEN_PATHS, EXEMPT_PATHS, preset.sso_paths(), preset.token_paths()];
            for path in all.into_iter().chain([preset.loopback_paths()]).flatten() {
                assert!(path.parse::<PathPrefix>().is_ok(), "{word}: {path}");
            }
            for path in preset.tenant_paths() {
                assert!(path.parse::<TenantPattern>().is_ok(), "{word}: {path}");
            }
        }
    }
}
