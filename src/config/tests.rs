//! The front door, whole: what is read, refused and warned of.

use super::load::read_all;
use super::*;
use crate::policy::finding::{Code, Report, Severity};
use crate::policy::moment::Moment;
use crate::policy::preset::Preset;
use crate::policy::{FileError, Files, NoFiles};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

const EXAMPLE: &str = include_str!("../../gateway.toml.example");
/// In the year 2025.
const NOW: Moment = Moment::from_millis(1_750_000_000_000);
const MINIMAL: &str = "[upstream]\nurl = \"http://127.0.0.1:9011\"\n";

/// Any path is a file with this content.
struct Always(Vec<u8>);

impl Files for Always {
    fn read(&self, _path: &str) -> Result<Vec<u8>, FileError> {
        Ok(self.0.clone())
    }
}

fn loaded(text: &str) -> Loaded {
    let outcome = load(text, "gateway.toml", &NoFiles, NOW);
    outcome.loaded.unwrap_or_else(|| panic!("{}", outcome.findings.render(false)))
}

/// The example with every optional key switched on.
fn full_example() -> String {
    let mut full = String::new();
    for line in EXAMPLE.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let key = bare.split_once(" = ").is_some_and(|(key, _)| {
            key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        });
        full.push_str(if key || bare.starts_with('[') { bare } else { line });
        full.push('\n');
    }
    full
}

#[test]
fn the_example_is_valid_and_quiet() {
    let outcome = load(EXAMPLE, "gateway.toml.example", &NoFiles, NOW);
    assert!(outcome.findings.is_empty(), "{}", outcome.findings.render(false));
}

#[test]
fn the_example_says_nothing_but_the_defaults() {
    let example = loaded(EXAMPLE);
    let default = loaded(MINIMAL);
    assert_eq!(format!("{:?}", example.config), format!("{:?}", default.config));
    assert_eq!(format!("{:?}", example.policy.rules()), format!("{:?}", default.policy.rules()));
}

#[test]
fn every_key_is_in_the_example() {
    let full = full_example();
    let pem = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = format!("{}{}", pem.cert.pem(), pem.signing_key.serialize_pem());
    let mut report = Report::new("full", &full);
    report.note_keys();
    let loaded = read_all(&full, (&Always(pem.into_bytes()), NOW), &mut report);
    let asked: BTreeSet<(&str, &str)> = report.noted_keys().iter().copied().collect();
    let findings = report.finish();
    let unknown: Vec<_> = findings.iter().filter(|finding| finding.code == Code::UnknownKey).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    drop(loaded);
    for (section, key) in asked {
        let elsewhere = ["urls", "certificates", "listen", "address"].contains(&key);
        let written = full.contains(&format!("{key} = ")) || full.contains(&format!("[{key}]"));
        assert!(
            written || elsewhere && EXAMPLE.contains(key) || full.contains(&format!("[{section}.{key}]")),
            "{section}.{key}"
        );
    }
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let Loaded { config, policy } = loaded(MINIMAL);
    assert_eq!(config.server.listen[0].address, "127.0.0.1:8080");
    assert_eq!(config.server.workers, None);
    assert_eq!((config.server.limits.head, config.server.limits.fields), (32768, 100));
    assert_eq!(config.client_ip.header, ClientIpHeader::XForwardedFor);
    assert_eq!(config.client_ip.select, ClientIpSelect::First);
    assert!(config.client_ip.trusted_proxies.contain("10.0.0.1".parse().unwrap()));
    assert!(!config.client_ip.trusted_proxies.contain("203.0.113.1".parse().unwrap()));
    assert!(config.admin.is_none());
    assert!(matches!(&config.answers.api_key, KeyAnswer::Respond(answer) if answer.status == 401));
    assert_eq!((config.answers.page.status.as_u16(), config.answers.token.status.as_u16()), (403, 400));
    assert_eq!(config.answers.token.error, "invalid_request");
    assert!(policy.rules().api_key_sources.raw_authorization);
    assert_eq!(policy.rules().api_key_sources.basic_user.as_deref(), Some("apikey"));
    assert_eq!(policy.rules().loopback_paths.len(), 2);
}

#[test]
fn presets_unfold() {
    for (word, preset) in Preset::WORDS {
        let Loaded { policy, .. } =
            loaded(&format!("{MINIMAL}[policy]\npreset = \"{word}\"\nsso_paths = [\"/x/\"]\n"));
        let rules = policy.rules();
        assert_eq!(rules.sign_on_paths.len(), 5 + preset.sso_paths().len() + 1, "{word}");
        assert_eq!(rules.token_paths.len(), 2 + preset.token_paths().len(), "{word}");
        assert_eq!(rules.json_names, *word == "auth0");
        assert_eq!(rules.tenant_patterns.len(), usize::from(*word == "keycloak"));
        assert_eq!(rules.loopback_paths.is_empty(), *word != "fusionauth");
    }
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    cases.sort();
    cases
}

fn check(path: &Path) -> Outcome {
    let text = std::fs::read_to_string(path).unwrap();
    load(&text, path.file_name().unwrap().to_str().unwrap(), &DiskFiles::beside(path), NOW)
}

/// Run with `BLESS=1` to write the snapshots anew, and read the difference before it is committed.
#[test]
fn findings_look_as_in_the_snapshots() {
    let mut different = Vec::new();
    for path in cases("invalid") {
        let rendered = check(&path).findings.render(false);
        let snapshot = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&snapshot, &rendered).unwrap();
        } else if std::fs::read_to_string(&snapshot).unwrap_or_default() != rendered {
            different.push(format!("{}:\n{rendered}", path.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// `# expect: code line:column, code line:column` in the first line says all that must be found.
#[test]
fn every_mistake_is_found_at_its_place() {
    for path in cases("invalid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let expected =
            text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).unwrap_or_default();
        let outcome = check(&path);
        let found: Vec<String> = outcome
            .findings
            .iter()
            .map(|finding| {
                let list = if finding.file() == path.file_name().unwrap() { "" } else { finding.file() };
                format!(
                    "{} {list}{}{}:{}",
                    finding.code.name(),
                    if list.is_empty() { "" } else { ":" },
                    finding.line(),
                    finding.column()
                )
            })
            .collect();
        if std::env::var_os("BLESS").is_some() {
            let rest = text.split_once('\n').unwrap().1;
            std::fs::write(&path, format!("# expect: {}\n{rest}", found.join(", "))).unwrap();
            continue;
        }
        assert_eq!(found.join(", "), expected, "{}\n{}", path.display(), outcome.findings.render(false));
        assert_eq!(outcome.loaded.is_none(), outcome.findings.has_errors(), "{}", path.display());
    }
}

#[test]
fn every_code_has_a_case() {
    let mut count: BTreeMap<Code, usize> = BTreeMap::new();
    for path in cases("invalid") {
        for finding in &check(&path).findings {
            *count.entry(finding.code).or_default() += 1;
        }
    }
    // 65,536 list files are made in a test of their own; the mode of a file does not survive version control; the last
    // two are found by `import` alone.
    let elsewhere = [Code::TooMuch, Code::ExposedKey, Code::LeftOut, Code::LeftAside];
    let missing: Vec<_> =
        Code::ALL.iter().filter(|code| !count.contains_key(code) && !elsewhere.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn more_list_files_than_can_be_told_apart() {
    let names: Vec<String> = (0..=65_535).map(|number| format!("\"{number}\"")).collect();
    let text = format!(
        "{MINIMAL}[[ip_acl]]\nname = \"a\"\ndefault = \"allow\"\nblock_files = [{}]\n[[path]]\nprefix = \"/\"\nip_acl = \"a\"\n",
        names.join(", ")
    );
    let findings = load(&text, "gateway.toml", &Always(b"192.0.2.1\n".to_vec()), NOW).findings;
    assert_eq!(findings.errors().map(|finding| finding.code).collect::<Vec<_>>(), [Code::TooMuch]);
}

#[cfg(unix)]
#[test]
fn an_exposed_private_key_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let pem = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.path().join("tls.crt"), pem.cert.pem()).unwrap();
    let key = directory.path().join("tls.key");
    std::fs::write(&key, pem.signing_key.serialize_pem()).unwrap();
    let path = directory.path().join("gateway.toml");
    let tls = "[server]\ntls = { certificate = \"tls.crt\", private_key = \"tls.key\" }\n";
    std::fs::write(&path, format!("{MINIMAL}{tls}")).unwrap();
    for (mode, expected) in [(0o644, vec![Code::ExposedKey]), (0o600, vec![])] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let outcome = check(&path);
        assert_eq!(
            outcome.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            expected,
            "{mode:o}"
        );
        let tls = outcome.loaded.unwrap().config.server.listen[0].tls.clone().unwrap();
        assert_eq!(tls.certificates[0].private_key, key, "paths are resolved");
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let [one, other] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap());
    std::fs::write(directory.path().join("tls.crt"), one.cert.pem()).unwrap();
    std::fs::write(directory.path().join("tls.key"), other.signing_key.serialize_pem()).unwrap();
    let path = directory.path().join("gateway.toml");
    std::fs::write(
        &path,
        format!("{MINIMAL}[server]\ntls = [{{ certificate = \"tls.crt\", private_key = \"tls.key\" }}]\n"),
    )
    .unwrap();
    let outcome = check(&path);
    let error = outcome.findings.errors().next().unwrap();
    assert_eq!((error.code, error.line()), (Code::BadCertificate, 4));
    assert!(error.message.contains("is not the key of"), "{}", error.message);
}

#[test]
fn secrets_are_not_shown() {
    let secret = "hunter2hunter2";
    let cases = [
        format!("[[api_key]]\nname = \"ci\"\nsha256 = \"{secret}\"\n"),
        format!("[[api_key]]\nname = \"ci\"\nkey = \"{secret}\"\n"),
        format!("[[api_key]]\nname = \"ci\"\nsha265 = '''{secret}'''\n"),
        format!("[[api_key]]\nname = \"ci\"\nsha256 = \"{secret}\n"),
        format!("[[api_key]]\nname = \"ci\"\nsha256 = {secret}\n"),
        format!("[admin]\nlisten = \"x\"\napi_keys = [{{ name = 1, sha256 = \"{secret}\" }}]\n"),
        format!(
            "[admin]\nlisten = \"x\"\napi_keys = [{{ name = 1, token = \"{secret}\", role = \"boss\" }}]\n"
        ),
        format!("[upstream]\nurl = \"http://me:{secret}@127.0.0.1\"\n"),
    ];
    for text in cases {
        let findings = load(&text, "gateway.toml", &NoFiles, NOW).findings;
        assert!(findings.has_errors(), "{text}");
        for shown in [findings.render(false), findings.to_json().to_string(), format!("{findings:?}")] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn what_needs_a_restart_is_named() {
    let old = loaded(MINIMAL).config;
    assert!(old.restart_differences(&old).is_empty());
    let text = format!(
        "{MINIMAL}[server]\nlisten = [\"127.0.0.1:8081\"]\nworkers = 2\nproxy_protocol = true\n[server.timeouts]\nidle = \"1s\"\n[admin]\nlisten = \"127.0.0.1:9091\"\napi_keys = [{{ name = \"ops\", sha256 = \"{}\" }}]\n[[decision]]\nlisten = \"127.0.0.1:9092\"\ndialect = \"envoy\"\npath_prefix = \"/decide\"\n[log]\nlevel = \"debug\"\nformat = \"json\"\n",
        "0".repeat(64)
    );
    let new = loaded(&text).config;
    assert_eq!(
        old.restart_differences(&new),
        [
            "server.listen: 127.0.0.1:8080 → 127.0.0.1:8081 with PROXY protocol",
            "server.workers: one for each CPU → 2",
            "admin.listen: none → 127.0.0.1:9091",
            "decision: none → 127.0.0.1:9092 for envoy (`/decide`)",
            "log.format: text → json",
        ]
    );
}

#[test]
fn listeners_take_what_they_do_not_say_from_the_server() {
    let Loaded { config, .. } = loaded(&format!(
        "{MINIMAL}[server]\nproxy_protocol = true\nlisten = [\"[::1]:1\", {{ address = \"127.0.0.1:2\", proxy_protocol = false, tls = false }}]\n"
    ));
    let listen: Vec<_> =
        config.server.listen.iter().map(|l| (l.address.as_str(), l.proxy_protocol)).collect();
    assert_eq!(listen, [("[::1]:1", true), ("127.0.0.1:2", false)]);
}

#[test]
fn report_mode_of_the_policy_is_in_every_assignment() {
    use crate::policy::subject::Mode;
    let subjects = "[[ip_acl]]\nname = \"a\"\ndefault = \"block\"\ndata = { a = [1, 2.5, true, \"x\"] }\ninsert_instant = 5\n\
        [[path]]\nprefix = \"/a/\"\nip_acl = \"a\"\n[[path]]\nprefix = \"/b/\"\nip_acl = \"a\"\nmode = \"report\"\n";
    for (mode, expected) in [("enforce", [Mode::Enforce, Mode::Report]), ("report", [Mode::Report; 2])] {
        let Loaded { policy, .. } = loaded(&format!("{MINIMAL}[policy]\nmode = \"{mode}\"\n{subjects}"));
        let modes: Vec<_> = policy.path_rules().iter().map(|rule| rule.assignment.mode).collect();
        assert_eq!(modes, expected);
        let acl = &policy.parts().acls[0];
        assert_eq!(acl.insert_instant(), Some(5));
        assert_eq!(acl.data().unwrap(), &serde_json::json!({ "a": [1, 2.5, true, "x"] }));
    }
}

/// A configuration for a large site: ten thousand tenants, fifty thousand applications, a hundred thousand keys.
fn large() -> String {
    use std::fmt::Write as _;
    let mut text = MINIMAL.to_owned();
    for acl in 0..100 {
        writeln!(
            text,
            "[[ip_acl]]\nname = \"acl-{acl}\"\ndefault = \"block\"\nallow = [\"10.{acl}.0.0/16\"]"
        )
        .unwrap();
    }
    for tenant in 0..10_000 {
        let id = uuid::Uuid::from_u128(tenant);
        writeln!(
            text,
            "[[tenant]]\nid = \"{id}\"\nname = \"tenant-{tenant}\"\nip_acl = \"acl-{}\"",
            tenant % 100
        )
        .unwrap();
    }
    for application in 0..50_000u128 {
        let id = uuid::Uuid::from_u128(application << 64);
        writeln!(text, "[[application]]\nid = \"{id}\"\ntenant = \"tenant-{}\"", application % 10_000)
            .unwrap();
    }
    for key in 0..100_000 {
        writeln!(
            text,
            "[[api_key]]\nname = \"key-{key}\"\nsha256 = \"{key:064x}\"\nip_acl = \"acl-{}\"",
            key % 100
        )
        .unwrap();
    }
    text
}

/// Linear, not quadratic; the bound leaves room for unoptimised builds and busy machines.
#[test]
fn large_files_load_fast() {
    let text = large();
    let start = Instant::now();
    let Loaded { policy, .. } = loaded(&text);
    let took = start.elapsed();
    assert_eq!(policy.parts().api_keys.len(), 100_000);
    assert_eq!(policy.parts().applications.len(), 50_000);
    eprintln!("{} bytes in {took:?}", text.len());
    assert!(took.as_secs() < 30, "{took:?}");
}

#[test]
fn large_files_full_of_mistakes_are_refused_fast() {
    let text = large().replace("ip_acl = \"acl-", "ip_acl = \"alc-");
    let start = Instant::now();
    let findings = load(&text, "gateway.toml", &NoFiles, NOW).findings;
    assert_eq!(findings.errors().count(), 110_000);
    let rendered = findings.render(false);
    assert!(rendered.contains("more"), "{}", rendered.len());
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn severities_and_json_go_together() {
    let outcome = load(
        "[upstream]\nurl = \"http://a\"\n[client_ip]\ntrusted_proxies = [\"all\"]\n",
        "a.toml",
        &NoFiles,
        NOW,
    );
    let json = outcome.findings.to_json();
    let finding = &json[0];
    assert_eq!(finding["severity"], Severity::Warning.name());
    assert_eq!(finding["code"], "trusts-everybody");
    assert_eq!(
        (finding["file"].as_str(), finding["line"].as_u64(), finding["column"].as_u64()),
        (Some("a.toml"), Some(4), Some(20))
    );
}

proptest::proptest! {
    /// Whatever the text: findings or a configuration, and never both missing.
    #[test]
    fn any_text_is_answered(text in "(\\[{1,2}(server|upstream|policy|ip_acl|api_key|admin|tenant|x)\\]{1,2}\n|(listen|url|name|id|sha256|ip_acl|allow|default|api_keys|tls) = (\"[a-z0-9./:\\-]{0,12}\"|[0-9]{1,3}|\\[\\]|\\[\"ä\"|\\{\\}|true|'''\n)\n?){0,12}") {
        let outcome = load(&text, "gateway.toml", &NoFiles, NOW);
        proptest::prop_assert_eq!(outcome.loaded.is_none(), outcome.findings.has_errors());
        outcome.findings.render(false);
    }

    /// Noise does not break the reader.
    #[test]
    fn noise_is_answered(text in "\\PC{0,200}") {
        load(&text, "gateway.toml", &NoFiles, NOW).findings.render(true);
    }
}
