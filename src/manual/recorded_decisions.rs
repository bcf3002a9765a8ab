//! # Recorded decisions
//!
//! **Context.** Before a policy changes, its author wants to know whom it would newly block. That takes requests of the
//! past, and another policy that decides over them. A request holds keys, passwords, codes and tokens; none of them may be
//! in a log.
//!
//! **Decision.** With `[log] decisions = "all"` every decision has a line, of the same form as that of a blocked request. In
//! a JSON log it has a [`Record`](crate::request::record::Record): what the request said of subjects, with each value
//! replaced by the first 64 bits of a SHA-256 over the form by which policies compare it. The very code that gathers facts
//! takes it down, and it is said again to the very code when it is replayed ([`subjects`](crate::request::subjects)), so
//! that the two cannot drift apart. API keys are known by their id in the policy; of others it is only kept that there were some. The header
//! that names the client is kept as it came, and the client is found again by the candidate's own rules.
//!
//! **Consequences.**
//! * An id that nobody listed when the line was written is found again once a policy lists it: the common change.
//! * What cannot be known is said and counted, never guessed: an unread body, an unlisted key, a cut path. It is still certain where
//!   nothing that could be missing would change the effect: keys and bodies add checks, so nothing is missing where no ACL in question
//!   blocks this client.
//! * A short id can be guessed from its hash. Ids of clients and tenants are no secrets (RFC 6749 §2.2); values of other fields are
//!   not taken down.
//! * The record costs some hashes a line, hence it is made for lines that are written and for no other. A decoy has none unless every
//!   decision has one: an invalid key must not be the faster one.
//!
//! **Rejected.** Ids as they are: a query value may be anything, also a password in the wrong field. Whole requests, encrypted: a
//! key to keep, and a treasure for who finds it. Only the ids that are listed: then nobody could say whom a newly
//! listed application would lose. Hashes of unlisted keys: weak ones can be guessed.
