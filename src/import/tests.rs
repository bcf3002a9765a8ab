//! Each source: what becomes of it, what is left out, and that the decision over every address is the source's.

use super::*;
use crate::config;
use crate::policy::NoFiles;
use crate::policy::acl::IpAcl;
use crate::policy::moment::Moment;
use proptest::prelude::*;
use std::net::IpAddr;
use std::sync::Arc;

fn options(listed: Option<Action>, block_values: &[&str]) -> Options {
    Options {
        name: None,
        listed,
        block_values: block_values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn imported(format: Format, text: &str, options: &Options) -> Imported {
    read(format, text, "conf/site.conf", options)
}

/// The tables as `aclgate check` reads them; nothing is wrong or unwise with them but that nobody uses them yet.
fn checked(imported: &Imported) -> Vec<Arc<IpAcl>> {
    let text = format!("[upstream]\nurl = \"http://127.0.0.1:1\"\n{}", imported.to_toml());
    let outcome = config::load(&text, "acls.toml", &NoFiles, Moment::FIRST);
    let findings = outcome.findings.without(Code::UnusedAcl);
    assert!(!findings.has_errors(), "{}\n{text}", findings.render(false));
    outcome.loaded.unwrap().policy.parts().acls.clone()
}

fn acls(format: Format, text: &str, options: &Options) -> Vec<Arc<IpAcl>> {
    let imported = imported(format, text, options);
    assert!(!imported.findings.has_errors(), "{}", imported.findings.render(false));
    checked(&imported)
}

fn blocks(acl: &IpAcl, address: &str) -> bool {
    acl.test(Some(address.parse().unwrap())).action == Action::Block
}

/// `code line` of each finding.
fn findings(imported: &Imported) -> Vec<String> {
    imported.findings.iter().map(|finding| format!("{} {}", finding.code.name(), finding.line())).collect()
}

#[test]
fn nginx_rules_become_one_list_a_block() {
    let text = r#"
http {
    include mime.types; # allow 192.0.2.9;
    allow 192.0.2.1; deny all;
    server {
        server_name id.example www.example;
        content_by_lua_block { if x then return "}" end }
        location / { proxy_pass http://up; }
        location ~ "^/admin {2}" { deny 10.0.0.7/8; allow 10.1.0.0/16; allow all; deny 192.0.2.1; }
    }
    map $x $y { allow 1; }
}
"#;
    let text = text.replace("return \"}\" end", "return 1 end");
    let imported = imported(Format::Nginx, &text, &Options::default());
    assert!(imported.findings.is_empty(), "{}", imported.findings.render(false));
    let expected = "# from nginx, http\n[[ip_acl]]\nname = \"http\"\ndefault = \"block\"\nallow = [\"192.0.2.1\"]\n\n\
        # from nginx, location ~ ^/admin {2}\n\
        # the ranges were worked out: there the first match decides, here the narrowest\n\
        [[ip_acl]]\nname = \"location ~ ^/admin {2}\"\ndefault = \"allow\"\nblock = [\"10.0.0.0/8\"]\n";
    assert_eq!(imported.to_toml(), expected);
    checked(&imported);
}

#[test]
fn nginx_lists_that_cannot_be_said_are_left_out() {
    let cases = [
        ("allow 192.0.2.1; include more.conf; deny all;", "left-out 1"),
        ("satisfy any;\nallow 192.0.2.1; deny all;", "left-out 2"),
        ("server { satisfy any; location / { allow 192.0.2.1;\ndeny all; } }", "left-out 1"),
        ("allow unix:; deny all;", "left-out 1"),
        ("allow ::ffff:192.0.2.1; deny all;", "left-out 1"),
        ("allow 010.0.0.1; deny all;", "bad-range 1"),
        ("deny all;\nallow example.com;", "bad-range 2"),
        ("location / { limit_except GET { deny all; } }", "left-out 1"),
        ("allow;", "left-out 1"),
        ("server {", "syntax 1"),
        ("}", "syntax 1"),
        ("listen 80;", "left-out 1"),
        ("geo $x { default 0; 192.0.2.1 1; }", "left-out 1"),
        ("geo $http_x $x { 192.0.2.1 1; }", "left-out 1"),
        ("geo $x { include more; 192.0.2.1 1; }", "left-out 1"),
        ("geo $x { ranges; 192.0.2.1-192.0.2.9 1; 192.0.2.5-192.0.2.20 0; }", "left-out 1"),
    ];
    for (text, expected) in cases {
        let block_values: &[&str] =
            if expected == "left-out 1" && text.starts_with("geo $x { default") { &[] } else { &["1"] };
        let imported = imported(Format::Nginx, text, &options(None, block_values));
        assert_eq!(findings(&imported), [expected], "{text}");
        assert_eq!(imported.to_toml(), "", "{text}");
    }
}

#[test]
fn one_list_left_out_does_not_hide_the_others() {
    let text = "server { location /a { allow unix:; deny all; } location /b { allow 192.0.2.1; deny all; } }";
    let imported = imported(Format::Nginx, text, &Options::default());
    assert_eq!(findings(&imported), ["left-out 1"]);
    assert_eq!(
        checked(&imported).iter().map(|acl| acl.name().to_string()).collect::<Vec<_>>(),
        ["location /b"]
    );
}

#[test]
fn nginx_geo_is_narrowest_wins_already() {
    let text = "geo $blocked { default 0; proxy 192.0.2.200; 10.0.0.0/8 yes; 10.1.0.0/16 0; 10.1.1.1 1; 10.1.1.1 0;\n\
        172.16.0.0/12 1; delete 172.16.0.0/12; 2001:db8::/32 1; }";
    let imported = imported(Format::Nginx, text, &options(None, &["1", "yes"]));
    assert_eq!(findings(&imported), ["left-aside 1"]);
    let acl = &checked(&imported)[0];
    assert_eq!(&**acl.name(), "geo blocked");
    for (address, expected) in [
        ("10.0.0.1", true),
        ("10.1.0.1", false),
        ("10.1.1.1", false),
        ("172.16.0.1", false),
        ("2001:db8::1", true),
        ("::1", false),
    ] {
        assert_eq!(blocks(acl, address), expected, "{address}");
    }
    let ranges = "geo $x { ranges; default 1; 192.0.2.1-192.0.2.9 0; 192.0.2.20-192.0.2.30 0; }";
    let acl = &acls(Format::Nginx, ranges, &options(None, &["1"]))[0];
    assert!(blocks(acl, "192.0.2.10") && !blocks(acl, "192.0.2.9"));
}

#[test]
fn haproxy_files_are_bare_lists() {
    let text = "# office\n192.0.2.0/24\n\t198.51.100.7/255.255.255.0  \n\n2001:db8::/32\n::/0\n";
    let acl = &acls(Format::Haproxy, text, &options(Some(Action::Block), &[]))[0];
    assert_eq!(&**acl.name(), "site");
    assert!(
        ["192.0.2.1", "198.51.100.200", "2001:db8::1", "203.0.113.1", "::1"].iter().all(|a| blocks(acl, a))
    );
    let cases = [
        ("192.0.2.1\n192.0.2.0/255.0.255.0\n", Some(Action::Allow), "left-out 2"),
        ("192.0.2.1\nexample.com\n", Some(Action::Allow), "bad-range 2"),
        ("192.0.2.1 # office\n", Some(Action::Allow), "bad-range 1"),
        ("192.0.2.1\n", None, "left-out 1"),
        ("", Some(Action::Allow), "left-out 1"),
    ];
    for (text, listed, expected) in cases {
        let imported = imported(Format::Haproxy, text, &options(listed, &[]));
        assert_eq!(
            (findings(&imported), imported.to_toml()),
            (vec![expected.to_owned()], String::new()),
            "{text}"
        );
    }
}

#[test]
fn traefik_lists_are_found_wherever_they_are() {
    let file = "http:\n  middlewares:\n    office:\n      ipAllowList:\n        sourceRange:\n          - 192.0.2.7/24\n          - \"2001:db8::/32\"\n        ipStrategy: { depth: 2 }\n    old:\n      ipWhiteList: { sourceRange: [198.51.100.1] }\n";
    let kubernetes = "# é\napiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata:\n  name: office\nspec:\n  ipAllowList:\n    sourceRange:\n    - 192.0.2.0/24\n    - 2001:db8::/32\n---\nkind: Other\n";
    let toml = "# dynamic\n[http.middlewares.office.ipAllowList]\nsourceRange = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n";
    for (text, names, expected) in [
        (file, vec!["office", "old"], vec!["left-aside 8"]),
        (kubernetes, vec!["office"], vec![]),
        (toml, vec!["office"], vec![]),
    ] {
        let imported = imported(Format::Traefik, text, &Options::default());
        assert_eq!(findings(&imported), expected, "{}", imported.findings.render(false));
        let acls = checked(&imported);
        assert_eq!(acls.iter().map(|acl| acl.name().to_string()).collect::<Vec<_>>(), names);
        assert!(
            blocks(&acls[0], "192.0.3.1")
                && !blocks(&acls[0], "192.0.2.1")
                && !blocks(&acls[0], "2001:db8::1")
        );
    }
    for (text, expected) in [
        ("a:\n  ipAllowList:\n    sourceRange:\n    - 192.0.2.1\n    - 192.0.2.x\n", "bad-range 5"),
        ("a:\n  ipAllowList: {}\n", "left-out 2"),
        ("a: &a\n  ipAllowList: *a\n", "syntax 2"),
        ("a: 1\na: 2\n", "duplicate 2"),
        ("a: [\n", "syntax 2"),
        ("[a]\nb = \n", "syntax 2"),
        ("a: b\n", "left-out 1"),
    ] {
        assert_eq!(findings(&imported(Format::Traefik, text, &Options::default())), [expected], "{text}");
    }
}

#[test]
fn caddy_matchers_are_sets_of_addresses() {
    let caddyfile = "id.example {\n\t@office remote_ip 192.0.2.0/24 private_ranges # ours\n\t@others not client_ip \"198.51.100.7\"\n\t@both {\n\t\tpath /admin/*\n\t\tremote_ip 203.0.113.1\n\t\tremote_ip 203.0.113.2\n\t}\n\trespond @others 403\n}\n";
    let imported_file = imported(Format::Caddy, caddyfile, &options(Some(Action::Allow), &[]));
    assert_eq!(findings(&imported_file), ["left-aside 5"]);
    let acls = checked(&imported_file);
    assert_eq!(
        acls.iter().map(|acl| acl.name().to_string()).collect::<Vec<_>>(),
        ["office", "others", "both"]
    );
    for (acl, address, expected) in [
        (0, "192.0.2.1", false),
        (0, "127.9.9.9", false),
        (0, "::1", false),
        (0, "8.8.8.8", true),
        (1, "198.51.100.7", true),
        (1, "198.51.100.8", false),
        (1, "2001:db8::1", false),
        (2, "203.0.113.2", false),
        (2, "203.0.113.3", true),
    ] {
        assert_eq!(blocks(&acls[acl], address), expected, "{acl} {address}");
    }
    let json = r#"{"apps":{"http":{"servers":{"s":{"routes":[{"match":[{"remote_ip":{"ranges":["192.0.2.0/24"]}}]},
        {"match":[{"not":[{"client_ip":{"ranges":["198.51.100.7"]}}],"path":["/a"]}]}]}}}}}"#;
    let acls = self::acls(Format::Caddy, json, &options(Some(Action::Block), &[]));
    assert!(blocks(&acls[0], "192.0.2.1") && !blocks(&acls[0], "192.0.3.1"));
    assert!(!blocks(&acls[1], "198.51.100.7") && blocks(&acls[1], "198.51.100.8"));
    for (text, expected) in [
        ("@a remote_ip {env.OFFICE}\n", vec!["left-out 1"]),
        ("@a {\n\tremote_ip 192.0.2.1\n\tclient_ip 192.0.2.2\n}\n", vec!["left-out 1"]),
        ("@a {\n\tnot {\n\t\tremote_ip 192.0.2.1\n\t}\n}\n", vec!["left-out 2"]),
        ("@a expression `remote_ip('192.0.2.1')`\n", vec!["left-out 1"]),
        ("@a remote_ip 192.0.2.300\n", vec!["bad-range 1"]),
        ("respond 200\n", vec!["left-out 1"]),
    ] {
        let imported = imported(Format::Caddy, text, &options(Some(Action::Allow), &[]));
        assert_eq!((findings(&imported), imported.to_toml()), (vec_of(&expected), String::new()), "{text}");
    }
    assert_eq!(
        findings(&imported(Format::Caddy, "@a remote_ip 192.0.2.1\n", &Options::default())),
        ["left-out 1"]
    );
}

fn vec_of(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const FUSIONAUTH: &str = r#"{ "ipAccessControlLists": [
  { "id": "2d9f1c45-725a-4718-b631-b40b7180dbf5", "name": "Block \"two\" \ud83d\ude00",
    "insertInstant": 1628887035851, "lastUpdateInstant": 1628887035852,
    "data": { "ticket": "SEC-1", "none": null, "emoji": "\ud83d\ude00" },
    "entries": [
      { "action": "Allow", "startIPAddress": "*" },
      { "action": "Block", "startIPAddress": "76.104.0.0", "endIPAddress": "76.104.255.255" },
      { "action": "Block", "startIPAddress": "71.205.0.1", "endIPAddress": "71.205.0.9" } ] },
  { "name": "none", "entries": [ { "action": "Block", "startIPAddress": "*", "endIPAddress": "" } ] } ],
  "total": 2 }"#;

#[test]
fn fusionauths_objects_keep_what_they_are() {
    let imported = imported(Format::Fusionauth, FUSIONAUTH, &Options::default());
    assert!(imported.findings.is_empty(), "{}", imported.findings.render(false));
    let acls = checked(&imported);
    let acl = &acls[0];
    assert_eq!(
        (acl.name().to_string(), acl.id().to_string()),
        ("Block \"two\" \u{1f600}".into(), "2d9f1c45-725a-4718-b631-b40b7180dbf5".into())
    );
    assert_eq!(
        (acl.insert_instant(), acl.last_update_instant()),
        (Some(1_628_887_035_851), Some(1_628_887_035_852))
    );
    assert_eq!(acl.data().unwrap()["emoji"], "\u{1f600}");
    assert!(blocks(acl, "71.205.0.9") && !blocks(acl, "71.205.0.10") && blocks(acl, "76.104.7.7"));
    assert_eq!(&**acls[1].name(), "none");
    let one = r#"{"ipAccessControlList":{"name":"a","entries":[{"action":"Block","startIPAddress":"*"}]}}"#;
    assert_eq!(self::acls(Format::Fusionauth, one, &Options::default()).len(), 1);
    let cases = [
        (r#"{"name":"a","entries":[{"action":"Block","startIPAddress":"192.0.2.1"}]}"#, "conflict 1"),
        (r#"{"name":"a","entries":[{"action":"block","startIPAddress":"*"}]}"#, "wrong-type 1"),
        (r#"{"name":"a","entries":[{"action":"Block"}]}"#, "wrong-type 1"),
        (r#"{"name":"a","entries":{}}"#, "wrong-type 1"),
        (
            "{\"name\":\"a\",\n\"entries\":[{\"action\":\"Block\",\"startIPAddress\":\"1.2.3.4\",\"endIPAddress\":\"1.2.3\"}]}",
            "bad-range 2",
        ),
        (r#"{"name":"a","name":"b","entries":[]}"#, "duplicate 1"),
        ("{\n\"a\": \"x", "syntax 2"),
        ("{}", "left-out 1"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            findings(&self::imported(Format::Fusionauth, text, &Options::default())),
            [expected],
            "{text}"
        );
    }
}

fn auth0(rules: &str) -> String {
    format!("{{\"network_acls\":[{rules}]}}")
}

fn network_acl(priority: u8, action: &str, matching: &str, cidrs: &[String]) -> String {
    let (v6, v4): (Vec<&String>, Vec<&String>) = cidrs.iter().partition(|cidr| cidr.contains(':'));
    format!(
        "{{\"description\":\"d\",\"active\":true,\"priority\":{priority},\"rule\":{{\"action\":{{\"{action}\":true}},\
         \"scope\":\"tenant\",\"{matching}\":{{\"ipv4_cidrs\":{v4:?},\"ipv6_cidrs\":{v6:?}}}}}}}"
    )
}

#[test]
fn auth0_rules_of_one_scope_are_one_list() {
    let cidrs = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let text = auth0(
        &[
            network_acl(3, "block", "match", &cidrs(&["10.0.0.0/8"])),
            network_acl(1, "allow", "match", &cidrs(&["10.1.0.0/16"])),
            network_acl(9, "block", "not_match", &cidrs(&["10.0.0.0/7", "192.0.2.0/24"])),
        ]
        .join(","),
    );
    let acl = &acls(Format::Auth0, &text, &Options::default())[0];
    for (address, expected) in [
        ("10.1.0.1", false),
        ("10.2.0.1", true),
        ("11.0.0.1", false),
        ("192.0.2.1", false),
        ("8.8.8.8", true),
        ("::1", true),
    ] {
        assert_eq!(blocks(acl, address), expected, "{address}");
    }
    let rule = |body: &str| auth0(&format!("{{\"active\":true,\"priority\":1,\"rule\":{body}}}"));
    let cases = [
        (rule(r#"{"action":{"block":true},"match":{"geo_country_codes":["US"]}}"#), vec!["left-out 1"]),
        (rule(r#"{"action":{"log":true},"match":{"ipv4_cidrs":["192.0.2.1"]}}"#), vec!["left-out 1"]),
        (rule(r#"{"action":{"block":true}}"#), vec!["left-out 1"]),
        (rule(r#"{"action":{"block":true},"match":{}}"#), vec!["left-out 1"]),
        (
            auth0(
                &[
                    network_acl(1, "block", "match", &cidrs(&["10.0.0.0/8"])),
                    network_acl(1, "allow", "match", &cidrs(&["10.0.0.0/9"])),
                ]
                .join(","),
            ),
            vec!["left-out 1"],
        ),
        (r#"{"brute-force":{"allowlist":["192.0.2.1"]}}"#.to_owned(), vec!["left-out 1"]),
    ];
    for (text, expected) in cases {
        let imported = imported(Format::Auth0, &text, &Options::default());
        assert_eq!((findings(&imported), imported.to_toml()), (vec_of(&expected), String::new()), "{text}");
    }
    let allowlist = r#"{"suspicious-ip-throttling":{"enabled":true,"allowlist":["192.0.2.1/24"]},"brute-force":{"allowlist":[]}}"#;
    let acl = &acls(Format::Auth0, allowlist, &options(Some(Action::Allow), &[]))[0];
    assert_eq!(&**acl.name(), "suspicious-ip-throttling");
    assert!(!blocks(acl, "192.0.2.200") && blocks(acl, "192.0.3.1"));
}

#[test]
fn names_are_told_apart() {
    let text = "server { location / { deny all; } } server { location / { deny all; } }";
    let names = |name: Option<&str>| {
        let options = Options { name: name.map(str::to_owned), ..Options::default() };
        acls(Format::Nginx, text, &options).iter().map(|acl| acl.name().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["location /", "location / 2"]);
    assert_eq!(names(Some("a")), ["a", "a 2"]);
}

/// An address within a small space of either family, and the length of a block around it.
fn block() -> impl Strategy<Value = (IpAddr, u8)> {
    let v4 = (0..64_u32, 24..=32_u8)
        .prop_map(|(at, length)| (std::net::Ipv4Addr::from_bits(0x0a00_0000 + at).into(), length));
    let v6 = (0..64_u128, 120..=128_u8)
        .prop_map(|(at, length)| (std::net::Ipv6Addr::from_bits((0x2001 << 112) + at).into(), length));
    prop_oneof![v4, v6]
}

fn all_addresses() -> Vec<IpAddr> {
    let v4 = (0..80_u32).map(|at| std::net::Ipv4Addr::from_bits(0x0a00_0000 + at).into());
    let v6 = (0..80_u128).map(|at| std::net::Ipv6Addr::from_bits((0x2001 << 112) + at).into());
    let others = ["0.0.0.0", "255.255.255.255", "::", "::1", "ffff::"].map(|text| text.parse().unwrap());
    v4.chain(v6).chain(others).collect()
}

/// The naive twin of every source: bits of the address, one after the other.
fn within((network, length): (IpAddr, u8), address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let ((width, network), (other, address)) = (bits(network), bits(address));
    width == other && (0..length).all(|bit| (network ^ address) >> (width - 1 - u32::from(bit)) & 1 == 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// `None` is `all`.
    #[test]
    fn nginx_decides_by_the_first_match(rules in prop::collection::vec((prop::option::weighted(0.9, block()), any::<bool>()), 1..10)) {
        let line = |(block, allows): &(Option<(IpAddr, u8)>, bool)| {
            let what = block.map_or("all".to_owned(), |(address, length)| format!("{address}/{length}"));
            format!("{} {what};\n", if *allows { "allow" } else { "deny" })
        };
        let text: String = rules.iter().map(line).collect();
        let acl = &acls(Format::Nginx, &text, &Options::default())[0];
        for address in all_addresses() {
            let first = rules.iter().find(|(block, _)| block.is_none_or(|block| within(block, address)));
            let allowed = first.is_none_or(|(_, allows)| *allows);
            prop_assert_eq!(acl.test(Some(address)).action == Action::Allow, allowed, "{} {}", address, text);
        }
    }

    #[test]
    fn nginx_geo_decides_by_the_longest_prefix(networks in prop::collection::vec((block(), 0..3_u8), 0..10), default in 0..3_u8) {
        let lines: String = networks.iter().map(|((address, length), value)| format!("{address}/{length} {value};\n")).collect();
        let text = format!("geo $x {{ default {default};\n{lines}}}");
        let acl = &acls(Format::Nginx, &text, &options(None, &["1"]))[0];
        for address in all_addresses() {
            // Of equal networks the last counts.
            let longest = networks.iter().filter(|(block, _)| within(*block, address)).max_by_key(|((_, length), _)| *length);
            let value = longest.map_or(default, |(_, value)| *value);
            prop_assert_eq!(acl.test(Some(address)).action == Action::Block, value == 1, "{} {}", address, text);
        }
    }

    #[test]
    fn bare_lists_decide_by_membership(networks in prop::collection::vec(block(), 1..8), listed in any::<bool>()) {
        let written: Vec<String> = networks.iter().map(|(address, length)| format!("{address}/{length}")).collect();
        let action = if listed { Action::Allow } else { Action::Block };
        let sources = [
            (Format::Haproxy, written.join("\n"), action),
            (Format::Caddy, format!("@a remote_ip {}\n", written.join(" ")), action),
            (Format::Caddy, format!("@a not remote_ip {}\n", written.join(" ")), opposite(action)),
            (Format::Traefik, format!("a:\n  ipAllowList:\n    sourceRange: {written:?}\n"), Action::Allow),
        ];
        for (format, text, inside) in sources {
            let acl = &acls(format, &text, &options(Some(action), &[]))[0];
            for address in all_addresses() {
                let member = networks.iter().any(|block| within(*block, address));
                let expected = if member { inside } else { opposite(inside) };
                prop_assert_eq!(acl.test(Some(address)).action, expected, "{} {}", address, text);
            }
        }
    }

    #[test]
    fn auth0_decides_by_priority(rules in prop::collection::vec((any::<bool>(), any::<bool>(), prop::collection::vec(block(), 1..4)), 1..6)) {
        let written = rules.iter().enumerate().map(|(position, (allows, negated, blocks))| {
            let cidrs: Vec<String> = blocks.iter().map(|(address, length)| format!("{address}/{length}")).collect();
            let (action, matching) = (if *allows { "allow" } else { "block" }, if *negated { "not_match" } else { "match" });
            network_acl(u8::try_from(position).unwrap(), action, matching, &cidrs)
        });
        // The order of the export does not matter.
        let text = auth0(&written.rev().collect::<Vec<_>>().join(","));
        let acl = &acls(Format::Auth0, &text, &Options::default())[0];
        for address in all_addresses() {
            let matches = |blocks: &[(IpAddr, u8)]| blocks.iter().any(|block| within(*block, address));
            let first = rules.iter().find(|(_, negated, blocks)| matches(blocks) != *negated);
            let allowed = first.is_none_or(|(allows, ..)| *allows);
            prop_assert_eq!(acl.test(Some(address)).action == Action::Allow, allowed, "{} {}", address, text);
        }
    }

    /// Whatever the text, it is answered, and what is printed can be read.
    #[test]
    fn any_text_is_answered(text in "(allow|deny|geo|\\$x|all|10\\.0\\.0\\.0/8|::1|@a|not|remote_ip|\"|'|\\\\|a: |- |\\{|\\}|\\[|\\]|,|:|;|#|\n|\t| |é){0,24}") {
        for format in [Format::Nginx, Format::Haproxy, Format::Traefik, Format::Caddy, Format::Fusionauth, Format::Auth0] {
            let imported = read(format, &text, "a.conf", &options(Some(Action::Allow), &["1"]));
            prop_assert!(!imported.acls.is_empty() || imported.findings.has_errors());
            imported.findings.render(false);
            checked(&imported);
        }
    }
}
