//! # The management API
//!
//! It listens where `[admin] listen` says and nowhere else, and speaks FusionAuth's IP ACL API: its client libraries work with
//! it unchanged. `GET /openapi.json` describes every operation. A change is in the file (comments and layout kept) and in force
//! before it is answered.
//!
//! ```toml
//! [admin]
//! listen = "127.0.0.1:9091"
//! api_keys = [
//!   { name = "ops", sha256 = "…", ip_acl = "office-only" },   # `aclgate hash-key` prints the hash
//!   { name = "viewer", sha256 = "…", role = "reader" },
//! ]
//! audit_log = "audit.jsonl"
//! ```
//!
//! ## By example
//! ```sh
//! A='Authorization: the-admin-key'; J='Content-Type: application/json'; API=http://127.0.0.1:9091
//!
//! # Create an IP ACL; the answer has its id. Without an id in the path it is random.
//! curl -H "$A" -H "$J" $API/api/ip-acl -d '{ "ipAccessControlList": { "name": "office-only", "entries": [
//!   { "action": "Block", "startIPAddress": "*" },
//!   { "action": "Allow", "startIPAddress": "198.51.100.0", "endIPAddress": "198.51.100.255" },
//!   { "action": "Allow", "startIPAddress": "2001:db8:1::/48" } ] } }'
//!
//! # Look for it, by name; `*` stands for anything.
//! curl -H "$A" "$API/api/ip-acl/search?name=office*&orderBy=lastUpdateInstant%20DESC"
//!
//! # Give it to a tenant and to a new API key, which is shown in this one answer.
//! curl -H "$A" -H "$J" -X PATCH $API/api/tenant/$TENANT \
//!   -d '{ "tenant": { "accessControlConfiguration": { "uiIPAccessControlListId": "'$ACL'" } } }'
//! curl -H "$A" -H "$J" $API/api/api-key -d '{ "apiKey": { "name": "ci", "ipAccessControlListId": "'$ACL'" } }'
//!
//! # Add an entry; remove one by RFC 6902; replace the list by RFC 7396.
//! curl -H "$A" -H "$J" -X PATCH $API/api/ip-acl/$ACL -d '{ "ipAccessControlList": { "entries": [
//!   { "action": "Block", "startIPAddress": "198.51.100.66", "endIPAddress": "198.51.100.66" } ] } }'
//! curl -H "$A" -H 'Content-Type: application/json-patch+json' -X PATCH $API/api/ip-acl/$ACL \
//!   -d '[{ "op": "remove", "path": "/ipAccessControlList/entries/1" }]'
//! curl -H "$A" -H 'Content-Type: application/merge-patch+json' -X PATCH $API/api/ip-acl/$ACL \
//!   -d '{ "ipAccessControlList": { "entries": [{ "action": "Allow", "startIPAddress": "*" }] } }'
//!
//! # Make a change that is undone after two minutes, unless it is confirmed: also if this shell is what it locks out.
//! curl -H "$A" -H "$J" -X PUT "$API/api/ip-acl/$ACL?confirmWithin=120" -d @acl.json && curl -H "$A" -X POST $API/api/confirm
//!
//! # Ask why.
//! curl -H "$A" -H "$J" $API/api/explain \
//!   -d '{ "clientIPAddress": "203.0.113.9", "path": "/oauth2/authorize?client_id=…" }'
//!
//! # Let somebody in until an instant, in milliseconds since 1970, and say why; the entry expires by itself.
//! curl -H "$A" -H "$J" -X PATCH $API/api/ip-acl/$ACL -d '{ "ipAccessControlList": { "entries": [ { "action": "Allow",
//!   "startIPAddress": "203.0.113.7/32", "expirationInstant": 4102444800000, "note": "consultant", "owner": "hr" } ] } }'
//!
//! # See which entries are used, and which are not; make the log say more for ten minutes.
//! curl -H "$A" "$API/api/stats?ipAccessControlList=office-only&unused=true"
//! curl -H "$A" -H "$J" -X PUT $API/api/log -d '{ "log": { "level": "debug", "seconds": 600 } }'
//!
//! # No key needed.
//! curl $API/healthz $API/readyz $API/metrics
//! ```
//!
//! ## Decisions
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
