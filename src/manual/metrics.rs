//! # Metrics
//!
//! `GET /metrics` on the `[admin]` listener, without a key. A scraper that asks for OpenMetrics 1.0.0 (`Accept`), as
//! Prometheus does, gets it; all others get Prometheus' text format 0.0.4. Times are seconds, sizes bytes, instants
//! seconds since 1970. The number of series is bounded by the configuration, never by what clients send.
//!
//! | name | type | labels | meaning |
//! | --- | --- | --- | --- |
//! | `aclgate_build_info` | gauge, always 1 | `version` | The running version |
//! | `process_start_time_seconds` | gauge |  | When the process started |
//! | `process_cpu_seconds_total` | counter |  | Time that the process spent on CPUs |
//! | `process_resident_memory_bytes` | gauge |  | Memory of the process |
//! | `process_open_fds` | gauge |  | Open file descriptors |
//! | `process_max_fds` | gauge |  | The most file descriptors that the process may open |
//! | `aclgate_requests_total` | counter | `decision`, `subject` | Requests by decision and by the kind of the subject that decided |
//! | `aclgate_client_addresses_total` | counter | `found` | Requests by the way in which the client's address was found |
//! | `aclgate_acl_hits_total` | counter | `acl`, `action`, `matched` | Times that an IP ACL was asked, by its answer and by what of it decided |
//! | `aclgate_responses_total` | counter | `class` | Answers by status class |
//! | `aclgate_decision_duration_seconds` | histogram |  | Time that a decision takes, waiting for a body aside |
//! | `aclgate_upstream_duration_seconds` | histogram |  | Time until the head of the upstream's response |
//! | `aclgate_upstream_failures_total` | counter |  | Requests that the upstream refused, timed out on or broke off |
//! | `aclgate_connections_open` | gauge |  | Client connections at this moment |
//! | `aclgate_connections_accepted_total` | counter |  | Client connections accepted |
//! | `aclgate_connections_refused_total` | counter | `reason` | Client connections refused by reason |
//! | `aclgate_received_bytes_total` | counter |  | Bytes received from clients, as they are on the wire |
//! | `aclgate_sent_bytes_total` | counter |  | Bytes sent to clients, as they are on the wire |
//! | `aclgate_heads_refused_total` | counter |  | HTTP/1 request heads refused before they were parsed |
//! | `aclgate_tls_handshakes_total` | counter | `result` | TLS handshakes with clients by result |
//! | `aclgate_reloads_total` | counter | `result` | Attempts to reload the configuration by result |
//! | `aclgate_last_reload_success` | gauge |  | Whether the last attempt to reload did not fail |
//! | `aclgate_last_reload_timestamp_seconds` | gauge |  | When the last attempt to reload was made |
//! | `aclgate_policy_info` | gauge, always 1 | `digest` | SHA-256 over the file in force and what it refers to |
//! | `aclgate_policy_revision` | gauge |  | Revision of the policy in force, from 1 |
//! | `aclgate_policy_loaded_timestamp_seconds` | gauge |  | When the policy in force was loaded |
//! | `aclgate_policy_acls` | gauge |  | IP ACLs of the policy in force |
//! | `aclgate_policy_ranges` | gauge |  | Address ranges of the policy in force |
//! | `aclgate_list_modified_timestamp_seconds` | gauge | `file` | When a list file in force was last written |
//! | `aclgate_certificate_expiry_timestamp_seconds` | gauge | `certificate`, `use` | When a certificate expires |
//! | `aclgate_log_lines_dropped_total` | counter |  | Log lines dropped because their reader is too slow |
//! | `aclgate_blocked_lines_held_back_total` | counter |  | Lines on blocked requests held back in a flood |
//!
//! ## Values of labels
//! * `decision`: `allow`, `block`, `report` (an ACL in report mode would have blocked), `refuse` (before any ACL was
//!   asked: malformed, too large, too slow).
//! * `subject`: the kind of what decided, as in `aclgate explain`, or `none`.
//! * `acl`, `action`, `matched`: an ACL's name, its answer, and what of it decided: `entry`, `default`, or `undetermined`
//!   for clients without a known address. Behind the first 250 ACLs all others share the name `(others)`. An ACL in
//!   report mode counts like any other. `aclgate stats` has each entry.
//! * `use`: `server`, `admin`, `client_ca`, `upstream_ca`. A chain expires with its first certificate, a CA file with
//!   its last one.
//!
//! ## Worth an alert
//! ```promql
//! aclgate_last_reload_success == 0                                              # the file is broken, the last good policy stays
//! aclgate_certificate_expiry_timestamp_seconds - time() < 14 * 86400
//! time() - aclgate_list_modified_timestamp_seconds > 7 * 86400                  # whoever keeps up the list has stopped
//! rate(aclgate_upstream_failures_total[5m]) > 0
//! rate(aclgate_requests_total{decision="block"}[5m]) > 10 * rate(aclgate_requests_total{decision="block"}[1d])
//! rate(aclgate_log_lines_dropped_total[5m]) > 0
//! count(count by (digest) (aclgate_policy_info)) > 1                            # instances disagree on the policy
//! ```
//!
//! ## Decisions
//! **Context.** A scrape must cost the requests nothing, and attackers choose what requests say.
//!
//! **Decision.** Every worker counts for itself and a scrape adds up. No label holds anything of a request: no path, host,
//! client or subject, only its kind; an ACL is the operator's own. Ages are given as instants, so that they are right between scrapes too.
//!
//! **Rejected.** A metric for each subject or entry: a policy may have 100,000 of the one and a million of the other.
//! Entries are counted all the same ([`crate::telemetry::hits`]), and shown a page at a time.
