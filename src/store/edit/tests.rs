//! Changes of commented files, looked at as differences, and the editor over real files.

mod changes;
mod editing;
mod expiring;
mod grafts;
mod trials;

use super::object::*;
use super::object::{EntryObject, entries_of};
use super::plan::{Current, plan};
use crate::config;
use crate::policy::acl::Action;
use crate::policy::moment::Moment;
use crate::policy::subject::ApiKeyHash;
use crate::policy::{NoFiles, Policy};
use crate::store::{Editor, Loader, Reloader};
use crate::telemetry::logging::LogControl;
use crate::telemetry::metrics::Metrics;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// A file with a comment wherever one can stand.
const COMMENTED: &str = include_str!("tests/commented.toml");

fn policy_of(text: &str) -> Policy {
    let outcome = config::load(text, "gateway.toml", &NoFiles, Moment::FIRST);
    outcome.loaded.unwrap_or_else(|| panic!("{}\n{text}", outcome.findings.render(false))).policy
}

/// The text with a change.
fn changed(text: &str, change: &Change) -> Result<String, String> {
    let policy = policy_of(text);
    let changed = plan(Current { text, policy: &policy }, change).map_err(|error| error.to_string())?;
    Ok(changed.unwrap_or_else(|| text.to_owned()))
}

fn acl(policy: &Policy, name: &str) -> IpAclObject {
    let acl = policy.parts().acls.iter().find(|acl| **acl.name() == *name).unwrap();
    IpAclObject {
        id: acl.id(),
        name: name.to_owned(),
        default: acl.default_action(),
        entries: entries_of(acl),
        insert_instant: acl.insert_instant(),
        last_update_instant: acl.last_update_instant(),
        data: acl.data().cloned(),
    }
}

fn key(policy: &Policy, name: &str) -> ApiKeyObject {
    let key = policy.parts().api_keys.iter().find(|key| *key.name == *name).unwrap();
    ApiKeyObject {
        id: key.id,
        name: name.to_owned(),
        hash: key.hash,
        ip_acl: key.assignment.as_ref().map(|given| given.acl.id()),
        insert_instant: key.insert_instant,
        last_update_instant: key.last_update_instant,
        data: key.data.as_deref().cloned(),
    }
}

fn new_acl(number: u128, name: &str) -> IpAclObject {
    IpAclObject {
        id: Uuid::from_u128(number),
        name: name.to_owned(),
        default: Action::Block,
        entries: vec![EntryObject::plain("192.0.2.0/24".parse().unwrap(), Action::Allow)],
        insert_instant: Some(1),
        last_update_instant: Some(2),
        data: None,
    }
}

fn new_key(number: u128, name: &str, ip_acl: Option<Uuid>) -> ApiKeyObject {
    ApiKeyObject {
        id: Uuid::from_u128(number),
        name: name.to_owned(),
        hash: ApiKeyHash::of(name.as_bytes()),
        ip_acl,
        insert_instant: None,
        last_update_instant: None,
        data: None,
    }
}

fn create_acl(acl: IpAclObject) -> Change {
    Change::Create(Object::IpAcl(acl))
}

fn replace_acl(acl: IpAclObject) -> Change {
    Change::Replace(Object::IpAcl(acl))
}

/// A file in a folder of its own, in force, and its editor.
struct Room {
    folder: tempfile::TempDir,
    file: PathBuf,
    reloader: Arc<Reloader>,
    editor: Editor,
}

impl Room {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
        Self::in_folder(folder)
    }

    /// As after a restart.
    fn in_folder(folder: tempfile::TempDir) -> Self {
        let file = folder.path().join("gateway.toml");
        let loader = Loader::new(&file);
        let first = loader.load().unwrap_or_else(|error| panic!("{error}"));
        let reloader = Arc::new(Reloader::new(loader, first, LogControl::none(), Arc::new(Metrics::new(0))));
        let editor = Editor::new(Arc::clone(&reloader));
        Self { folder, file, reloader, editor }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }

    /// Writes as a person does, some time ago.
    fn by_hand(&self, text: &str) {
        std::fs::write(&self.file, text).unwrap();
        let file = std::fs::File::options().append(true).open(&self.file).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn fine(_: &crate::store::Snapshot) -> Result<(), String> {
    Ok(())
}
