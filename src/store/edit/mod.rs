//! Changes of the management API, brought into the file and into force: whole, durable, and with the layout kept.
//!
//! A [`Change`] and the snapshot that it was made up for in → [`Editor`] → the snapshot in force, or an [`EditError`].
//! The steps of a change, one at a time:
//!
//! 1. The [reloader](super::Reloader) is held, so that nothing else comes into force, and the file is locked, so that
//!    no other process writes it.
//! 2. If the file is not what is in force, it was edited by hand: that comes into force first. Where it concerned the
//!    very object of the change, or does not load, the change is refused.
//! 3. The new text is made by splicing ([`plan`]): nothing but the change differs.
//! 4. It is validated by the one front door while it is written to a temporary file and synced; what came out is
//!    compared with what was asked for, and shown to the caller's check.
//! 5. The file is replaced ([`file`](mod@file)), the candidate is put in force, and only then the caller is answered.
//!
//! A change may be made on trial ([`trial`]): it is undone by itself unless it is confirmed in time, also across a
//! restart.
//!
//! Entries of list files stay there: an ACL is told apart into what its files hold and what its own lists hold.
//! `data` is TOML where TOML can say it, else JSON in a text ([`data`]).
//!
//! Deliberately absent: objects written as one inline list (`api_key = [{ … }]`); such files are refused.

mod array;
mod data;
mod editor;
mod entries;
mod file;
mod fresh;
mod graft;
mod object;
mod on_trial;
mod outline;
mod plan;
mod references;
mod replacement;
mod splice;
mod table;
mod trial;

pub use editor::{Applied, EditError, Editor};
pub use object::{ApiKeyObject, ApplicationObject, Change, EntryObject, IpAclObject, Object, TenantObject};

#[cfg(test)]
mod tests;
