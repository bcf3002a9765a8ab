//! Every metric: its name, its labels and its help, in one table. Names are whole but for `_total` and `_info`, which
//! OpenMetrics adds to counters and infos; units are base units and part of the name. Names that begin with `process_`
//! are those of all Prometheus clients. The manual's reference is made of this table.

use prometheus_client::metrics::MetricType;

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name, without `_total` or `_info`.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Counter, gauge, histogram or info.
    pub kind: MetricType,
}

macro_rules! families {
    ($($constant:ident $kind:ident $name:literal [$($label:literal)*] $help:literal)*) => {
        $(
            #[doc = $help]
            pub const $constant: Family =
                Family { name: $name, help: $help, labels: &[$($label),*], kind: MetricType::$kind };
        )*
        /// Every metric.
        pub const ALL: &[Family] = &[$($constant),*];
    };
}

families! {
    BUILD Info "aclgate_build" ["version"] "The running version"
    START Gauge "process_start_time_seconds" [] "When the process started"
    CPU Counter "process_cpu_seconds" [] "Time that the process spent on CPUs"
    MEMORY Gauge "process_resident_memory_bytes" [] "Memory of the process"
    DESCRIPTORS Gauge "process_open_fds" [] "Open file descriptors"
    MOST_DESCRIPTORS Gauge "process_max_fds" [] "The most file descriptors that the process may open"
    REQUESTS Counter "aclgate_requests" ["decision" "subject"] "Requests by decision and by the kind of the subject that decided"
    CLIENT_ADDRESSES Counter "aclgate_client_addresses" ["found"] "Requests by the way in which the client's address was found"
    ACL_HITS Counter "aclgate_acl_hits" ["acl" "action" "matched"] "Times that an IP ACL was asked, by its answer and by what of it decided"
    RESPONSES Counter "aclgate_responses" ["class"] "Answers by status class"
    DECISION_TIME Histogram "aclgate_decision_duration_seconds" [] "Time that a decision takes, waiting for a body aside; one in 16 is measured and stands for those up to the next"
    UPSTREAM_TIME Histogram "aclgate_upstream_duration_seconds" [] "Time until the head of the upstream's response"
    UPSTREAM_FAILURES Counter "aclgate_upstream_failures" [] "Requests that the upstream refused, timed out on or broke off"
    CONNECTIONS_OPEN Gauge "aclgate_connections_open" [] "Client connections at this moment"
    CONNECTIONS_ACCEPTED Counter "aclgate_connections_accepted" [] "Client connections accepted"
    CONNECTIONS_REFUSED Counter "aclgate_connections_refused" ["reason"] "Client connections refused by reason"
    RECEIVED Counter "aclgate_received_bytes" [] "Bytes received from clients, as they are on the wire"
    SENT Counter "aclgate_sent_bytes" [] "Bytes sent to clients, as they are on the wire"
    HEADS_REFUSED Counter "aclgate_heads_refused" [] "HTTP/1 request heads refused before they were parsed"
    TLS_HANDSHAKES Counter "aclgate_tls_handshakes" ["result"] "TLS handshakes with clients by result"
    RELOADS Counter "aclgate_reloads" ["result"] "Attempts to reload the configuration by result"
    LAST_RELOAD_SUCCESS Gauge "aclgate_last_reload_success" [] "Whether the last attempt to reload did not fail"
    LAST_RELOAD Gauge "aclgate_last_reload_timestamp_seconds" [] "When the last attempt to reload was made"
    POLICY Info "aclgate_policy" ["digest"] "SHA-256 over the file in force and what it refers to"
    POLICY_REVISION Gauge "aclgate_policy_revision" [] "Revision of the policy in force, from 1"
    POLICY_LOADED Gauge "aclgate_policy_loaded_timestamp_seconds" [] "When the policy in force was loaded"
    POLICY_ACLS Gauge "aclgate_policy_acls" [] "IP ACLs of the policy in force"
    POLICY_RANGES Gauge "aclgate_policy_ranges" [] "Address ranges of the policy in force"
    LIST_MODIFIED Gauge "aclgate_list_modified_timestamp_seconds" ["file"] "When a list file in force was last written"
    CERTIFICATE_EXPIRY Gauge "aclgate_certificate_expiry_timestamp_seconds" ["certificate" "use"] "When a certificate expires"
    LOG_LINES_DROPPED Counter "aclgate_log_lines_dropped" [] "Log lines dropped because their reader is too slow"
    DECISIONS_HELD_BACK Counter "aclgate_blocked_lines_held_back" [] "Lines on blocked requests held back in a flood"
}
