//! The manual: its reference is made from the code, its configurations are checked, its links lead somewhere, and the
//! commands of its pages are run.
//!
//! `ACLGATE_UPDATE_DOCS=1 cargo test --test it docs` writes the generated pages.

mod page;
mod reference;
mod tutorial;

use aclgate::store::{LoadError, Loader};
use page::{Block, Page, pages};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_reference_is_made_from_the_code() {
    let update = std::env::var_os("ACLGATE_UPDATE_DOCS").is_some();
    for (name, text) in reference::pages() {
        let path = root().join("docs/src/reference").join(name);
        if update {
            std::fs::write(&path, &text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{name} is not up to date: ACLGATE_UPDATE_DOCS=1 cargo test --test it docs");
    }
}

/// Files that configurations refer to, and the configuration itself.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(["idp.example".to_owned()]).unwrap();
    for name in ["tls.crt", "origin-pull-ca.crt"] {
        std::fs::write(folder.path().join(name), issued.cert.pem()).unwrap();
    }
    std::fs::write(folder.path().join("tls.key"), issued.signing_key.serialize_pem()).unwrap();
    std::fs::create_dir(folder.path().join("lists")).unwrap();
    for (list, text) in [
        ("partners.netset", "192.0.2.0/24\n"),
        ("hosts.csv", "address\n192.0.2.1\n"),
        (
            "ip-ranges.json",
            r#"{ "prefixes": [{ "ip_prefix": "192.0.2.0/24", "region": "eu-central-1", "service": "EC2" }], "ipv6_prefixes": [] }"#,
        ),
    ] {
        std::fs::write(folder.path().join("lists").join(list), text).unwrap();
    }
    std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
    folder
}

#[test]
fn every_configuration_is_right() {
    let mut checked = 0;
    for page in pages() {
        for block in page.blocks.iter().filter(|block| matches!(&*block.info, "toml" | "toml,part")) {
            let text = if block.info == "toml" { block.text.clone() } else { completed(&block.text) };
            let folder = folder(&text);
            if let Err(error) = Loader::new(folder.path().join("gateway.toml")).load() {
                let LoadError::Findings { findings, .. } = error else { panic!("{}: {error}", page.name()) };
                panic!("{}:{}\n{}", page.name(), block.line, findings.render(false));
            }
            checked += 1;
        }
        assert!(
            page.blocks.iter().all(|block| !block.info.starts_with("toml,")
                || ["toml,part", "toml,cases", "toml,shown"].contains(&&*block.info)),
            "{}: an unknown kind of block",
            page.name()
        );
    }
    assert!(checked > 12, "{checked} configurations alone");
}

/// A part with what it leaves out: an upstream, and the ACLs and tenants that it names.
fn completed(part: &str) -> String {
    let table: toml::Table = part.parse().unwrap_or_else(|error| panic!("{error}\n{part}"));
    let names = |key: &str, kind: &str| -> BTreeSet<String> {
        let of = |name: &str| table.get(name).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let kinds = if kind.is_empty() {
            vec!["api_key", "tenant", "application", "resource_server", "path"]
        } else {
            vec![kind]
        };
        let values = kinds.into_iter().flat_map(of);
        values.filter_map(|value| value.get(key)?.as_str().map(str::to_owned)).collect()
    };
    let mut text = part.to_owned();
    if !table.contains_key("upstream") {
        text.push_str("\n[upstream]\nurl = \"http://127.0.0.1:9011\"\n");
    }
    for acl in names("ip_acl", "").difference(&names("name", "ip_acl")) {
        text.push_str(&format!("\n[[ip_acl]]\nname = \"{acl}\"\ndefault = \"block\"\n"));
    }
    for tenant in names("tenant", "application").difference(&names("name", "tenant")) {
        text.push_str(&format!("\n[[tenant]]\nid = \"{tenant}\"\n"));
    }
    text
}

#[test]
fn every_table_of_cases_passes() {
    let mut tested = 0;
    for page in pages() {
        for (at, cases) in page.blocks.iter().enumerate().filter(|(_, block)| block.info == "toml,cases") {
            let policy = page.blocks[..at].iter().rev().find(|block| block.info == "toml").unwrap();
            let folder = folder(&policy.text);
            std::fs::write(folder.path().join("cases.toml"), &cases.text).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_aclgate"))
                .args(["test", "-c", "gateway.toml", "cases.toml"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{}\n{}", page.name(), String::from_utf8_lossy(&output.stdout));
            tested += 1;
        }
    }
    assert!(tested > 0);
}

#[test]
fn every_link_leads_somewhere() {
    let (pages, book) = (pages(), root().join("docs/src").canonicalize().unwrap());
    let mut broken = Vec::new();
    for page in &pages {
        for link in page.links() {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            let Ok(target) = target.canonicalize() else {
                broken.push(format!("{}: {link}", page.name()));
                continue;
            };
            if page.path.starts_with(&book) && !target.starts_with(&book) {
                broken.push(format!("{}: {link}, which is not in the book", page.name()));
            }
            if !anchor.is_empty() && !Page::read(&target).anchors().contains(anchor) {
                broken.push(format!("{}: {link}, no such heading", page.name()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_page_is_in_the_summary() {
    let sources = root().join("docs/src").canonicalize().unwrap();
    let summary = Page::read(&sources.join("SUMMARY.md"));
    let listed: BTreeSet<PathBuf> = summary.links().iter().map(|link| sources.join(link)).collect();
    let there: BTreeSet<PathBuf> = pages()
        .into_iter()
        .map(|page| page.path)
        .filter(|path| path.starts_with(&sources) && !path.ends_with("SUMMARY.md"))
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn every_finding_that_is_named_exists() {
    let known: BTreeSet<&str> = aclgate::policy::finding::Code::ALL
        .iter()
        .map(|code| code.name())
        .chain(aclgate::cli::doctor::Ailment::ALL.iter().map(|ailment| ailment.name()))
        .collect();
    for (page, name) in [
        ("how-to/behind-alb.md", "edge-appends"),
        ("how-to/behind-cloudflare.md", "edge-hides-clients"),
        ("how-to/behind-cloudflare.md", "edge-not-trusted"),
        ("how-to/list-files.md", "list-old"),
        ("how-to/serve-tls.md", "exposed-key"),
        ("how-to/behind-ingress-nginx.md", "one-client"),
        ("explanation/precedence.md", "opener-application"),
    ] {
        let text = std::fs::read_to_string(root().join("docs/src").join(page)).unwrap();
        assert!(known.contains(name) && text.contains(&format!("`{name}`")), "{page}: {name}");
    }
}

/// Whoever reads on a machine without `curl` or `python3` cannot follow them either.
#[test]
fn every_page_with_commands_does_what_it_says() {
    let pages = pages();
    let has_commands = |page: &&Page| page.blocks.iter().any(|block| block.info == "console");
    let followed: Vec<_> = pages.iter().filter(has_commands).collect();
    assert!(followed.len() > 5, "{} pages alone", followed.len());
    std::thread::scope(|scope| {
        for page in followed {
            scope.spawn(|| tutorial::run(page));
        }
    });
}

#[test]
fn the_checks_of_this_file_can_fail() {
    let page = Page::parse(Path::new("a.md"), "# A b\n[x](y.md#z) `[no](no.md)`\n```toml,part\nx = 1\n```\n");
    assert_eq!(page.links(), ["y.md#z"]);
    assert!(page.anchors().contains("a-b"));
    assert_eq!(page.blocks, [Block { info: "toml,part".into(), text: "x = 1\n".into(), line: 3 }]);
    assert!(tutorial::matches("a ... c", "a b c") && !tutorial::matches("a ... c", "a b d"));
    assert!(tutorial::matches("...b", "a b") && !tutorial::matches("b...", "a b"));
}
