//! # Countries, autonomous systems, and what goes before what
//!
//! **Decision.** An ACL names countries and autonomous systems by keys of their own (`allow_countries`, `block_countries`,
//! `allow_asns`, `block_asns`). What a database says of them is expanded into ranges when a policy is loaded, and decided by
//! the one range map. Of everything that covers an address, the strongest decides:
//!
//! 1. a range, written or from a list file: the narrowest, and of ranges of one size Block;
//! 2. the autonomous system;
//! 3. the country;
//! 4. the default.
//!
//! **Why not simply the narrowest.** How finely a database cuts a country up is an accident of its making and changes
//! every week. If its networks counted by their own size, a country's `/28` would go before a `/24` that somebody wrote
//! down, and next week perhaps not. If a country counted by all of its addresses, two entries would change places when
//! one of them grew. A rank that does not depend on data is the same tomorrow, and "what you write by hand goes before
//! what a database says" can be said in one sentence. Within a rank nothing is left to decide: a database puts an address
//! into one country and one system at most, and Block wins where one is both allowed and blocked.
//!
//! **What others do.** nginx's `geo` takes the most specific network, its `allow` and `deny` the first that matches, and a
//! country from a database is one more variable in whatever condition the operator writes. HAProxy's rules and AWS WAF's
//! are tested in the order in which they are written or numbered, of whatever kind they are. Cloudflare's IP Access rules
//! let Allow go before Block, whether it is an address or a whole country that is
//! allowed. In none of them does a wide allowance for a country open what a narrow range closes unless it is
//! written first; here it never does, in whatever order things are written.
//!
//! **When a database is missing or broken.** `check` warns, and the gateway starts: an operator must be able to start one
//! while a download fails. But nobody gets through by it. Where an ACL depends on the database, everybody is blocked whom no
//! stronger entry names: addresses that are written as ranges keep their answer, and with a missing database of
//! countries so do autonomous systems. A running gateway does not give up a database that it has read: a reload without it is
//! refused as any broken file is, and the last good policy stays, with its data; the log, `/readyz` and a metric say so.
//!
//! **Consequences.** A look-up costs what it costs with ranges, and `explain` names the range, the database and the
//! country or system. Neighbouring networks of one country are one range. A database is read whole, expanded and let go
//! of. The management API shows countries and systems beside an ACL's entries (`allowCountries`…), and changes them
//! as little as it changes list files. 6to4 and Teredo addresses are addresses of their own, so they are in no country;
//! nor is an address that the database does not know: the default decides. With `default = "allow"` and
//! `block_countries` such addresses get through; who cannot have that, allows countries and blocks the rest.
//!
//! **Rejected.** Looking the database up on every request: a memory map needs `unsafe`, a resident copy of the file costs
//! more than the ranges of a few countries, and `explain` would have two sources. Tables such as `{ country = "CH" }` within
//! `allow` and `block`: these are the lists that the management API writes, and one element would stand for ten
//! thousand entries of its answers.
