//! `/api/log`: the level of the running log, to be raised for a while without touching the file.
//!
//! `GET` says what holds, `PUT` changes it, for a number of seconds if one is given, and else until the file says another
//! level or the process ends. No level means that of the file again. Recorded as every change is, though it is none of the
//! policy.

use super::call::{Call, millis, now};
use super::change::open_audit;
use super::errors::{Errors, Problem};
use super::fields::Fields;
use super::reply;
use crate::config::is_log_level;
use crate::telemetry::audit_log::AuditRecord;
use crate::telemetry::logging::{Level, LogControl};
use bytes::Bytes;
use http::{Method, Response};
use serde::Serialize;
use serde_json::Value;
use std::time::{Duration, SystemTime};
use utoipa::ToSchema;

/// The longest time for which a level may be set.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The level of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLevel {
    /// What holds: a level, or a filter such as `info,aclgate=debug`.
    #[schema(examples("debug"))]
    pub level: String,
    /// What the file says; ignored in requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub configured_level: Option<String>,
    /// When the file's level holds again, in milliseconds since 1970; ignored in requests.
    pub reverts_instant: Option<i64>,
}

/// Shows the level, or changes it.
///
/// # Errors
/// The key may only read, there is no such level, or the process has no log of its own.
pub fn answer(call: &Call<'_>, method: &Method, log: &LogControl) -> Result<Response<Bytes>, Problem> {
    if method == Method::PUT {
        change(call, log)?;
    }
    Ok(reply::ok(&super::wire::wrapped("log", &shown(log)?)))
}

fn shown(log: &LogControl) -> Result<LogLevel, Problem> {
    let Some(Level { configured, set, until }) = log.level() else {
        return Err(Problem::Conflict(Errors::general("noLog", "this process has no log of its own")));
    };
    let level = set.unwrap_or_else(|| configured.clone());
    Ok(LogLevel { level, configured_level: Some(configured), reverts_instant: until.map(millis) })
}

fn change(call: &Call<'_>, log: &LogControl) -> Result<(), Problem> {
    call.options()?;
    let (body, mut errors) = (call.object()?, Errors::default());
    let fields = Fields::of(&body, "log", &mut errors);
    let level = fields.text("level", &mut errors);
    if level.is_some_and(|level| !is_log_level(level)) {
        let message = "expected `off`, `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,aclgate=debug`";
        errors.field("invalid", fields.path("level"), message);
    }
    let time = fields.value("seconds").map(|value| value.as_u64().map(Duration::from_secs));
    let time = time.map(|time| time.filter(|time| !time.is_zero() && *time <= LONGEST));
    if time == Some(None) {
        errors.field("invalid", fields.path("seconds"), "expected seconds, from 1 to 86400");
    }
    errors.check()?;
    let (old, audit) = (shown(log)?, open_audit(&call.snapshot)?);
    let time = time.flatten().filter(|_| level.is_some());
    let set = log.set_level(level, time.and_then(|time| SystemTime::now().checked_add(time)));
    if let Some(time) = time {
        let log = log.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(time).await;
            log.end_level(set);
        });
    }
    let [old, new] = [old, shown(log)?].map(|level| serde_json::to_value(level).unwrap_or(Value::Null));
    audit.write(&AuditRecord {
        at_millis: now(),
        key_name: &call.caller.key_name,
        client: call.caller.address,
        operation: "update",
        object: Some(("log", "level", "")),
        old: Some(&old),
        new: Some(&new),
        revision: call.snapshot.revision,
        forced: false,
        confirm_within: None,
    });
    Ok(())
}
