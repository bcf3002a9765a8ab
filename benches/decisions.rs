//! Decisions, from a request's head to the verdict, and the policies behind them: loaded, asked, exchanged while asked.
//!
//! `cargo bench --bench decisions`; a filter is a part of a name, such as `decide::ranges`.

use aclgate::config::{Loaded, load};
use aclgate::policy::decide::{Check, Effect, Subject, decide};
use aclgate::policy::moment::Moment;
use aclgate::policy::subject::{Assignment, Mode};
use aclgate::policy::{FileError, Files};
use aclgate::request::{RequestHead, client_address, facts};
use aclgate::store::{Snapshot, SnapshotReader, SnapshotStore};
use aclgate::telemetry::hits::{Epoch, Hits};
use aclgate::telemetry::metrics::AgeingFiles;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use http::Request;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

const SIZES: [u32; 3] = [10, 10_000, 1_000_000];
/// So many clients ask in turn.
const CLIENTS: u32 = 1 << 12;

fn main() {
    divan::main();
}

/// One list file, whatever its name.
struct OneList(String);

impl Files for OneList {
    fn read(&self, _: &str) -> Result<Vec<u8>, FileError> {
        Ok(self.0.clone().into_bytes())
    }
}

/// Every 4,000th address or so, by a stride that leaves no pattern in the leading bits.
fn list(size: u32) -> OneList {
    let mut text = String::new();
    for at in 0..size {
        let _ = writeln!(text, "{}", address(at));
    }
    OneList(text)
}

fn address(at: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(at.wrapping_mul(2_654_435_761) | 1)
}

const HEAD: &str = r#"
[upstream]
url = "http://127.0.0.1:9011"
[client_ip]
trusted_proxies = ["loopback"]
[[ip_acl]]
name = "list"
default = "allow"
block_files = ["list"]
[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "main"
default = true
ip_acl = "list"
"#;

fn loaded(text: &str, files: &OneList) -> Loaded {
    load(text, "bench.toml", files, Moment::FIRST).loaded.unwrap_or_else(|| std::process::abort())
}

/// A policy with keys, applications and tenants, a tenth of `keys` of each of the latter two.
fn subjects(keys: u32) -> String {
    let mut text = HEAD.to_owned();
    for at in 0..keys {
        let _ = writeln!(text, "[[api_key]]\nname = \"k{at}\"\nsha256 = \"{at:064x}\"\nip_acl = \"list\"");
    }
    for at in 0..keys / 2 {
        let id = format!("00000000-0000-4000-8000-{at:012x}");
        let _ = writeln!(text, "[[application]]\nid = \"{id}\"\ntenant = \"main\"\nip_acl = \"list\"");
    }
    for at in 0..keys / 10 {
        let id = format!("10000000-0000-4000-8000-{at:012x}");
        let _ = writeln!(text, "[[tenant]]\nid = \"{id}\"\nname = \"t{at}\"\nip_acl = \"list\"");
    }
    text
}

/// The first page of a login, as a browser behind a proxy asks for it.
fn request(client: u32) -> RequestHead {
    let address = Ipv4Addr::from_bits(client.wrapping_mul(2_246_822_519));
    let request = Request::get(
        "/oauth2/authorize?client_id=00000000-0000-4000-8000-000000000001&response_type=code&scope=openid",
    )
    .header("host", "login.example.com")
    .header("user-agent", "Mozilla/5.0")
    .header("accept", "text/html")
    .header("authorization", "not-a-listed-key")
    .header("x-forwarded-for", address.to_string())
    .body(());
    request.map_or_else(|_| std::process::abort(), |request| request.into_parts().0.into())
}

/// From the head to the verdict.
fn blocks(loaded: (&aclgate::config::Config, &aclgate::policy::Policy), parts: &RequestHead) -> usize {
    let (config, policy) = loaded;
    let peer = IpAddr::from([127, 0, 0, 1]);
    let client = client_address::resolve(&config.client_ip, peer, &parts.fields);
    let Ok(facts) = facts::gather(policy, parts, client.address) else { return 0 };
    usize::from(decide(policy, &facts, |_| {}).effect == Effect::Block)
}

/// Times are for [`CLIENTS`] requests together; the items a second are requests.
#[divan::bench_group(max_time = 2)]
mod decide_requests {
    use super::*;

    fn run(bencher: Bencher<'_, '_>, loaded: &Loaded) {
        let requests: Vec<RequestHead> = (0..CLIENTS).map(request).collect();
        bencher.counter(ItemsCount::new(requests.len())).bench(|| {
            let decide = |parts| blocks((&loaded.config, &loaded.policy), parts);
            black_box(&requests).iter().map(decide).sum::<usize>()
        });
    }

    #[divan::bench(args = SIZES)]
    fn ranges(bencher: Bencher<'_, '_>, size: u32) {
        run(bencher, &loaded(HEAD, &list(size)));
    }

    #[divan::bench(args = [10, 1_000, 100_000])]
    fn subjects_of_each_kind(bencher: Bencher<'_, '_>, keys: u32) {
        run(bencher, &loaded(&subjects(keys), &list(10)));
    }
}

/// The same from facts that are gathered already.
#[divan::bench_group(max_time = 2)]
mod decide_facts {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn ranges(bencher: Bencher<'_, '_>, size: u32) {
        let Loaded { config, policy } = loaded(HEAD, &list(size));
        let requests: Vec<RequestHead> = (0..CLIENTS).map(request).collect();
        let peer = IpAddr::from([127, 0, 0, 1]);
        let client =
            |parts: &RequestHead| client_address::resolve(&config.client_ip, peer, &parts.fields).address;
        let gathered = requests.iter().map(|parts| facts::gather(&policy, parts, client(parts)));
        let facts: Vec<_> = gathered.flatten().collect();
        bencher.counter(ItemsCount::new(facts.len())).bench(|| {
            let blocks = |facts| usize::from(decide(&policy, facts, |_| {}).effect == Effect::Block);
            black_box(&facts).iter().map(blocks).sum::<usize>()
        });
    }
}

/// What a decision by an entry costs to be counted: that of its ACL and its own.
#[divan::bench_group(max_time = 1)]
mod count_hits {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn entries(bencher: Bencher<'_, '_>, size: u32) {
        let Loaded { policy, .. } = loaded(HEAD, &list(size));
        let hits = Hits::new(&policy, 1, Epoch::now());
        let Some(acl) = policy.parts().acls.first() else { std::process::abort() };
        let assignment = Assignment { acl: Arc::clone(acl), mode: Mode::Enforce };
        let blocked = (0..CLIENTS).map(|at| at.wrapping_mul(2_246_822_519) % size);
        let verdicts = blocked.map(|at| acl.test(Some(IpAddr::V4(address(at)))));
        let check = |verdict| Check { subject: Subject::Loopback, assignment: Some(&assignment), verdict };
        let (checks, now) = (verdicts.map(check).collect::<Vec<_>>(), Instant::now());
        bencher
            .counter(ItemsCount::new(checks.len()))
            .bench_local(|| black_box(&checks).iter().for_each(|check| hits.count(0, check, now)));
    }
}

#[divan::bench_group(max_time = 4)]
mod load_policy {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn ranges(bencher: Bencher<'_, '_>, size: u32) {
        let files = list(size);
        bencher.counter(ItemsCount::new(size)).bench(|| loaded(black_box(HEAD), &files));
    }

    #[divan::bench(args = [1_000, 100_000])]
    fn subjects_of_each_kind(bencher: Bencher<'_, '_>, keys: u32) {
        let (text, files) = (subjects(keys), list(10));
        bencher.counter(ItemsCount::new(keys)).bench(|| loaded(black_box(&text), &files));
    }
}

fn snapshot(revision: u64, files: &OneList) -> Snapshot {
    let Loaded { config, policy } = loaded(HEAD, files);
    let hits = Arc::new(Hits::new(&policy, 1, Epoch::now()));
    let (digest, loaded_at) = (String::new(), SystemTime::UNIX_EPOCH);
    Snapshot { revision, digest, loaded_at, config, policy, ageing: AgeingFiles::default(), hits }
}

/// Decisions on one thread while another loads and swaps in one policy after the other.
#[divan::bench_group(max_time = 4)]
mod decide_while_reloading {
    use super::*;

    #[divan::bench(args = [10, 100_000])]
    fn ranges(bencher: Bencher<'_, '_>, size: u32) {
        let files = list(size);
        let store = Arc::new(SnapshotStore::new(snapshot(1, &files)));
        let reader = SnapshotReader::new(Arc::clone(&store));
        let requests: Vec<RequestHead> = (0..CLIENTS).map(request).collect();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for revision in 2.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    drop(store.swap(snapshot(revision, &files)));
                }
            });
            bencher.counter(ItemsCount::new(requests.len())).bench_local(|| {
                let decide = |parts| {
                    let snapshot = reader.load();
                    blocks((&snapshot.config, &snapshot.policy), parts)
                };
                black_box(&requests).iter().map(decide).sum::<usize>()
            });
            over.store(true, Ordering::Relaxed);
        });
    }
}
