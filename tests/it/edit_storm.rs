//! A writer that is killed at random instants, 200 times: the file is always whole, every acknowledged change is in
//! it, and none is half there.
//!
//! The writer is this very test binary, run again for the one test that writes. What the file holds after the nth
//! change follows from n alone, so whoever looks at the file can tell which change was the last.

use aclgate::policy::acl::Action;
use aclgate::policy::subject::ApiKeyHash;
use aclgate::store::edit::{ApiKeyObject, Change, EntryObject, IpAclObject, Object};
use aclgate::store::{Editor, Loader, Reloader, Snapshot};
use aclgate::telemetry::logging::LogControl;
use aclgate::telemetry::metrics::Metrics;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const KILLS: u64 = 200;
const FILE: &str = "ACLGATE_STORM_FILE";
const STORM: Uuid = Uuid::from_u128(1);

const START: &str = r#"# comment at the top
[upstream]
url = "http://127.0.0.1:9011" # comment on upstream

# comment above the acl
[[ip_acl]]
id = "00000000-0000-0000-0000-000000000001"
name = "storm-0" # comment on the name
default = "block"
allow = [
    "10.0.0.0", # comment on an entry
    "192.0.2.0/24", # comment on another
]
data = 0

# comment above the key
[[api_key]]
name = "user"
sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
ip_acl = "storm-0" # comment on a reference

[[tenant]]
id = "acme"
ip_acl = "storm-0"

[[path]]
prefix = "/api/"
ip_acl = "storm-0"
# comment at the end
"#;

/// Every third change makes a key, the others change an ACL, its name and with it all references.
fn is_key(number: u64) -> bool {
    number.is_multiple_of(3)
}

/// The changes that reach the disk by way of a trial.
fn is_on_trial(number: u64) -> bool {
    number.is_multiple_of(7)
}

fn change(number: u64) -> Change {
    if is_key(number) {
        return Change::Create(Object::ApiKey(ApiKeyObject {
            id: Uuid::from_u128(1000 + u128::from(number)),
            name: format!("key-{number}"),
            hash: ApiKeyHash::of(&number.to_be_bytes()),
            ip_acl: Some(STORM),
            insert_instant: None,
            last_update_instant: None,
            data: None,
        }));
    }
    let allow = |text: &str| EntryObject::plain(text.parse().unwrap(), Action::Allow);
    Change::Replace(Object::IpAcl(IpAclObject {
        id: STORM,
        name: format!("storm-{number}"),
        default: Action::Block,
        entries: vec![allow(&format!("10.0.{}.{}", number / 256, number % 256)), allow("192.0.2.0/24")],
        insert_instant: None,
        last_update_instant: None,
        data: Some(number.into()),
    }))
}

/// The number of the last change in what was loaded, if everything fits to it.
fn last_change(snapshot: &Snapshot) -> Result<u64, String> {
    let parts = snapshot.policy.parts();
    let acl = &parts.acls[0];
    let number = acl.data().and_then(serde_json::Value::as_u64).ok_or("no data")?;
    let entry = format!("10.0.{}.{}", number / 256, number % 256);
    let fits = **acl.name() == *format!("storm-{number}")
        && acl.len() == 2
        && acl.entries().any(|found| found.range.to_string() == entry);
    let keys = parts.api_keys.len() as u64 - 1;
    let last = number.max(keys * 3);
    let all_keys =
        (1..=keys).all(|at| parts.api_keys.iter().any(|key| *key.name == *format!("key-{}", at * 3)));
    match fits && all_keys && last / 3 == keys && last - number <= 1 {
        true => Ok(last),
        false => Err(format!("{} with {keys} keys and {:?}", acl.name(), acl.entries().collect::<Vec<_>>())),
    }
}

fn loaded(file: &Path) -> Snapshot {
    Loader::new(file).load().unwrap_or_else(|error| panic!("{error}")).into_snapshot(1, &Metrics::new(1))
}

#[test]
#[ignore = "is run by the storm, and killed by it"]
fn writer() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let loader = Loader::new(&file);
        let first = loader.load().unwrap();
        let reloader = Arc::new(Reloader::new(loader, first, LogControl::none(), Arc::new(Metrics::new(0))));
        let editor = Editor::new(Arc::clone(&reloader));
        editor.resume().await;
        if editor.unconfirmed_until().is_some() {
            editor.confirm().await.unwrap();
        }
        let mut now = reloader.store().load();
        for number in last_change(&now).unwrap() + 1.. {
            let trial = is_on_trial(number).then_some(Duration::from_secs(600));
            let fine = |_: &Snapshot| Ok::<_, std::convert::Infallible>(());
            now = editor.apply(&now, change(number), trial, fine).await.unwrap().snapshot;
            if trial.is_some() {
                editor.confirm().await.unwrap();
            }
            println!("\nacknowledged {number}");
        }
    });
}

/// Starts a writer and kills it a random while after its first acknowledgement, or before. Gives the last
/// acknowledged change.
fn killed_writer(file: &Path, random: u64) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "edit_storm::writer", "--ignored", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: &str| line.strip_prefix("acknowledged ").and_then(|number| number.parse().ok());
    let mut last: Option<u64> = None;
    if !random.is_multiple_of(8) {
        last = lines.by_ref().map_while(Result::ok).find_map(|line| number(&line));
        if last.is_none() {
            let mut errors = String::new();
            std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut errors).unwrap();
            panic!("the writer ended by itself: {errors}");
        }
    }
    // Not to wait for anything: the instant is to be a random one.
    std::thread::sleep(Duration::from_micros(random / 8 % 25_000));
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).filter_map(|line| number(&line)).last().or(last)
}

#[test]
fn no_acknowledged_change_is_lost_and_none_is_half_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, START).unwrap();
    let (mut random, mut before) = (0x9E37_79B9_7F4A_7C15_u64, 0);
    for kill in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let acknowledged = killed_writer(&file, random >> 33).unwrap_or(before);
        let last = last_change(&loaded(&file)).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        let text = std::fs::read_to_string(&file).unwrap();
        // One more may be in the file whose acknowledgement never came.
        assert!(
            last == acknowledged || last == acknowledged + 1,
            "kill {kill}: {last} for {acknowledged}\n{text}"
        );
        for comment in START.lines().filter_map(|line| line.split_once("# ")) {
            let kept = comment.1 == "comment on an entry" || text.contains(comment.1);
            assert!(kept, "kill {kill}: `{}` is gone\n{text}", comment.1);
        }
        before = last;
    }
    assert!(before >= KILLS / 2, "{before} changes alone");
}
