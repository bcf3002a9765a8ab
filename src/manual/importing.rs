//! # Lists from elsewhere
//!
//! What is read of each product: `docs/src/how-to/import-lists.md`.
//!
//! **Context.** nginx takes the first rule that matches, aclgate the narrowest. `allow 10.0.0.0/8; deny 10.0.0.1;` blocks nobody
//! there, and written over rule by rule it would block 10.0.0.1 here. A list that is copied with one line less may open a door.
//!
//! **Decision.** Where the narrowest of the author's ranges says the same as the first match, they stay as they are. Where not, the
//! ranges are [worked out](crate::import) anew, disjoint, and a comment says so. One line that cannot be said leaves the whole
//! list out, with a finding that names its place, and the exit code is 1: `satisfy any`, an `include`, `unix:`, a country, a
//! condition of two lists. What is not the list's business (`ipStrategy`, a path beside `remote_ip`) is a warning.
//!
//! **Consequences.** The tables are lists alone: nothing is given them yet, and `aclgate check` says so. A location's path becomes a
//! `[[path]]`, its host a tenant's `hosts`, by hand: only a person knows what the location was for.
//!
//! **Rejected.** Following `include`: a file on another host has other files. Priorities in our own lists: the order of lines would
//! then mean something, in every list, for ever.
