//! # Scale, on paper
//!
//! **What a request costs.** Behind a kept-alive connection on either side: two receives, two sends and two wake-ups of the worker, which
//! is the system's share and the larger part, the same for every proxy that copies bytes through user space; on top of it our own work,
//! some tens of thousands of instructions (`benches/README.md` has the number of the day). It grows with the bytes of the two heads, not with the policy.
//!
//! | grows with | how | what bounds it |
//! | --- | --- | --- |
//! | requests | linear in CPU; workers share nothing but the snapshot, so cores add up | `[server] workers`, by default one a core |
//! | connections, idle | memory alone: no buffer, no timer; one slot looked at four times a second | `limits.connections`; open files |
//! | connections, new | a full TLS handshake costs about as much CPU as twenty requests, one signature most of it | session resumption; `limits.connections` |
//! | bodies in flight | at most 256 KiB each, whatever their size | `limits.connections`, `limits.h2_streams` |
//! | ranges | look-up: a direct index on the leading bits, then a short search: nearly constant; memory: 16 bytes a range (IPv4); load: linear | memory of two policies during a reload |
//! | keys, tenants, applications | look-up: a hash; load: linear | the same |
//! | path rules | linear in their number, in the first bytes of the path | keep hundreds, not tens of thousands |
//! | list files | read again when one of them changes | the disk |
//! | log lines | formatted by the worker, written by a thread of their own; a full queue drops and counts | `blocked_requests`, rate limit |
//!
//! **What bounds one instance.** CPU, as with any proxy: the policy of an instance with a million ranges fits into some 30 MiB, and
//! asking it is within the noise of a request. In front of an identity server the upstream is nearly always the narrower place: a
//! login costs it milliseconds of password hashing, and a request costs us microseconds.
//!
//! **A fleet for a million requests a second.** With 20 µs of CPU a request, a core carries some 40,000 a second at 80 % load: 25 cores,
//! or seven instances of four cores with one to spare, behind a load balancer that keeps connections (L4, with the PROXY protocol, or an L7 edge that is
//! in `trusted_proxies`). Instances share nothing: each reads the file for itself, from a ConfigMap or a shared disk, and a change is in force
//! on all of them once the last has seen it; `aclgate_policy_revision` and the policy's digest in the metrics say which have. Management
//! changes go to one instance that can write the file. Upstream connections are per worker: `idle_connections` times
//! workers times instances is what the identity server must be willing to hold open.
//!
//! **What does not scale by adding instances.** The time that a change needs to reach all of them, and counters: entry hits and rate limits
//! of log lines are those of an instance; Prometheus adds them up.
