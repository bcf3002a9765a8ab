//! # The management API
//!
//! How to use it, call by call: `docs/src/how-to/management-api.md`.
//!
//! **Context.** Whoever may use this API decides who gets in. Its clients expect FusionAuth's shapes and quirks.
//!
//! **Decision.** A server of its own on one worker, with the strictness of the public one. Keys are hashed and compared with every
//! hash in constant time. After [ten wrong keys](crate::admin::throttle::BURST) an address is not listened to until
//! [some time](crate::admin::throttle::REFILL) has passed, whatever key it presents: an answer would say whether it was right. A
//! key with an `ip_acl` that blocks the address is answered like a wrong one. A change after which the same key could not be used
//! from the same address is refused with 409, unless `?force=true`. What cannot be recorded in the audit file is not done.
//!
//! **Fields that FusionAuth does not have.** An entry may carry `expirationInstant`, `note` and `owner`. FusionAuth's typed clients
//! drop what they do not know, so a field that a request leaves out stays as it is for the entry with the same range and action,
//! and `null` takes it away: a form that was opened before an entry expired and saved after it makes nothing last for
//! ever. A JSON Patch works on the document as it was shown, so there a field that was removed is removed. Entries that have expired
//! are shown, as they are in the file, until somebody takes them out; nothing else takes notice of them. What a database says of
//! countries and autonomous systems is no entry: `allowCountries` and the like are shown, and changed in the file alone.
//!
//! **Consequences.** Clients behind one address share its wrong keys: a script with an old key can hold up others on its host,
//! for seconds. Tenants and applications are those of the file, and of them as much as concerns ACLs: deleting an application
//! here means that it has no ACL of its own any more, not that it is gone upstream. An ACL in use cannot be deleted, a tenant with
//! applications neither. Names of API keys are unique here, which they are not with FusionAuth. Where the file gives an object no
//! instants, its own time stands in; the first change by the API writes them down.
//!
//! **Rejected.** A framework: a table of ten paths needs none. Tokens with scopes: two roles are what an ACL administrator and a
//! dashboard need. Answering right keys while wrong ones are limited: the limit would then be none.
