//! Tables of spellings, and a naive twin that applies transformations in every order.

use super::closure::WORK_LIMIT;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn prefix(text: &str) -> PathPrefix {
    PathPrefix::new(text).unwrap()
}

fn prefixes(texts: &[&str]) -> Vec<PathPrefix> {
    texts.iter().map(|text| prefix(text)).collect()
}

/// Whether the target is protected, for a reason: not because the search was given up.
fn protects(text: &str, target: &str) -> bool {
    let readings = PathReadings::of(target);
    assert!(readings.is_exhaustive(), "{target} is not exhaustive");
    readings.any_under(&prefix(text))
}

/// Of pages under a sign-on prefix: what is odd about it, and the target.
const SPELLINGS: &[(&str, &str)] = &[
    ("plain", "/oauth2/authorize"),
    ("query", "/oauth2/authorize?client_id=x"),
    ("the prefix alone", "/oauth2"),
    ("the prefix alone, query", "/oauth2?x"),
    ("upper case", "/OAUTH2/AUTHORIZE"),
    ("mixed case", "/oAuth2/Authorize"),
    ("encoded letter", "/%6fauth2/authorize"),
    ("encoded capital", "/%4Fauth2/authorize"),
    ("encoded digit", "/oauth%32/authorize"),
    ("all encoded", "/%6f%61%75%74%68%32/%61%75%74%68%6f%72%69%7a%65"),
    ("encoded slash behind", "/oauth2%2fauthorize"),
    ("encoded slash in front", "/%2foauth2/authorize"),
    ("encoded slash alone in front", "%2foauth2/authorize"),
    ("twice encoded letter", "/%256fauth2/authorize"),
    ("twice encoded slash", "/oauth2%252fauthorize"),
    ("thrice encoded slash", "/oauth2%25252fauthorize"),
    ("percent sign encoded within an escape", "/%25%36%66auth2/authorize"),
    ("hexadecimal digit encoded", "/%6%66auth2/authorize"),
    ("double slash in front", "//oauth2/authorize"),
    ("triple slash in front", "///oauth2/authorize"),
    ("double slash behind", "/oauth2//authorize"),
    ("dot-segment", "/./oauth2/authorize"),
    ("dot-segment behind", "/oauth2/./authorize"),
    ("encoded dot-segment", "/%2e/oauth2/authorize"),
    ("ascent", "/x/../oauth2/authorize"),
    ("ascent above the root", "/../oauth2/authorize"),
    ("ascents above the root", "/../../../oauth2/authorize"),
    ("encoded ascent", "/x/%2e%2e/oauth2/authorize"),
    ("half encoded ascent", "/x/.%2e/oauth2/authorize"),
    ("the other half", "/x/%2E./oauth2/authorize"),
    ("twice encoded ascent", "/x/%252e%252e/oauth2/authorize"),
    ("ascent over an encoded slash", "/x%2fy/../oauth2/authorize"),
    ("ascents over an encoded slash", "/x%2fy/../../oauth2/authorize"),
    ("ascent with an encoded slash", "/x/..%2foauth2/authorize"),
    ("ascent within encoded slashes", "/x%2f..%2foauth2%2fauthorize"),
    ("ascent over an empty segment", "/x//../oauth2/authorize"),
    ("ascent from the admin UI", "/admin/../oauth2/authorize"),
    ("ascent from the API", "/api/%2e%2e/oauth2/authorize"),
    ("ascents that lead away and back", "/oauth2/../x/../oauth2/authorize"),
    ("a page that another upstream leaves", "/oauth2/../x"),
    ("backslash behind", "/oauth2\\authorize"),
    ("backslash in front", "\\oauth2\\authorize"),
    ("slash and backslash", "/\\oauth2/authorize"),
    ("ascent with a backslash", "/x\\..\\oauth2\\authorize"),
    ("ascent over an encoded backslash", "/x%5cy/../oauth2/authorize"),
    ("encoded backslash", "/oauth2%5cauthorize"),
    ("ascent with encoded backslashes", "/x%5c..%5coauth2/authorize"),
    ("twice encoded backslash", "/x%255c..%255coauth2/authorize"),
    ("parameter", "/oauth2;x=y/authorize"),
    ("empty parameter", "/oauth2;/authorize"),
    ("encoded parameter", "/oauth2%3bx=y/authorize"),
    ("twice encoded parameter", "/oauth2%253bx/authorize"),
    ("parameter for a segment", "/;/oauth2/authorize"),
    ("parameter for a segment, encoded", "/%3b/oauth2/authorize"),
    ("parameter in front", "/;x=y/oauth2/authorize"),
    ("parameter of a dot-segment", "/.;/oauth2/authorize"),
    ("ascent with a parameter", "/x/..;/oauth2/authorize"),
    ("ascent with a named parameter", "/x/..;foo=bar/oauth2/authorize"),
    ("ascent over a parameter", "/foo;/../oauth2/authorize"),
    ("ascent with an encoded parameter", "/x/..%3bfoo=bar/oauth2/authorize"),
    ("encoded ascent with a parameter", "/x/%2e%2e;a/oauth2/authorize"),
    ("parameter with an encoded slash", "/x;a=%2f../oauth2/authorize"),
    ("all behind a semicolon", "/x/../oauth2;/../../y"),
    ("session id", "/oauth2/authorize;jsessionid=0123"),
    ("dot behind", "/oauth2./authorize"),
    ("dots behind", "/oauth2.../authorize"),
    ("dot at the end", "/oauth2."),
    ("blank behind", "/oauth2%20/authorize"),
    ("blank in front", "/%20oauth2/authorize"),
    ("plus behind", "/oauth2+/authorize"),
    ("tab behind", "/oauth2%09/authorize"),
    ("blank and dot behind", "/oauth2%20./authorize"),
    ("ascent with a blank", "/x/..%20/oauth2/authorize"),
    ("ascent with a blank and a dot", "/x/..%20./oauth2/authorize"),
    ("more dots than two and a blank", "/....%20/oauth2/authorize"),
    ("more dots than two", "/.../oauth2/authorize"),
    ("no-break space behind, UTF-8", "/oauth2%c2%a0/authorize"),
    ("no-break space behind, Latin-1", "/oauth2%a0/authorize"),
    ("ideographic space behind", "/oauth2%e3%80%80/authorize"),
    ("byte order mark in front", "/%ef%bb%bfoauth2/authorize"),
    ("NUL behind", "/oauth2%00/authorize"),
    ("NUL and more", "/oauth2%00.png"),
    ("line feed", "/oauth2%0a/authorize"),
    ("line feed within", "/oau%0ath2/authorize"),
    ("carriage return and more", "/oauth2%0dx"),
    ("tab within an ascent", "/x/.%09./oauth2/authorize"),
    ("one kind of control within, another kept", "/.%09./oauth2/.%01./"),
    ("control within", "/oau%01th2/authorize"),
    ("encoded question mark", "/oauth2%3fx/authorize"),
    ("ascent over a question mark", "/x%3f/../oauth2/authorize"),
    ("encoded number sign", "/oauth2%23x"),
    ("number sign", "/oauth2#x"),
    ("ascent over a number sign", "/x#/../oauth2/authorize"),
    ("absolute", "http://host/oauth2/authorize"),
    ("absolute, https", "HTTPS://host:443/oauth2/authorize?x"),
    ("absolute, user", "http://user:pass@host/oauth2/authorize"),
    ("absolute, no host", "http:///oauth2/authorize"),
    ("absolute, another scheme", "x-y+z.1://host/oauth2/authorize"),
    ("scheme and path", "http:/oauth2/authorize"),
    ("scheme and relative path", "http:oauth2/authorize"),
    ("scheme, encoded", "http%3a//host/oauth2/authorize"),
    ("scheme and backslashes", "http:\\\\host\\oauth2\\authorize"),
    ("no scheme but its colon", "://host/oauth2/authorize"),
    ("question mark in the authority", "http://host?/oauth2/authorize"),
    ("network path", "//host/oauth2/authorize"),
    ("network path, more slashes", "////host/oauth2/authorize"),
    ("network path, backslash", "/\\host/oauth2/authorize"),
    ("network path, encoded", "/%2fhost/oauth2/authorize"),
    ("network path, question mark", "//host?/oauth2/authorize"),
    ("relative", "oauth2/authorize"),
    ("relative ascent", "../oauth2/authorize"),
    ("relative, dot", "./oauth2/authorize"),
    ("%u", "/%u006fauth2/authorize"),
    ("%u slash", "/oauth2%u002fauthorize"),
    ("%u ascent", "/x/%u002e%U002E/oauth2/authorize"),
    ("%u fullwidth slash", "/oauth2%uff0fauthorize"),
    ("%u fullwidth letter", "/%uff4fauth2/authorize"),
    ("%u beside %", "/x/%u002e%2e/oauth2/authorize"),
    ("overlong slash", "/oauth2%c0%afauthorize"),
    ("overlong slash, three octets", "/oauth2%e0%80%afauthorize"),
    ("overlong slash, four octets", "/oauth2%f0%80%80%afauthorize"),
    ("overlong slash, careless", "/oauth2%c0%2fauthorize"),
    ("overlong ascent", "/x/%c0%ae%c0%ae/oauth2/authorize"),
    ("overlong ascent, three octets", "/x/%e0%80%ae%e0%80%ae/oauth2/authorize"),
    ("overlong backslash", "/x%c1%9c..%c1%9coauth2/authorize"),
    ("overlong backslash, careless", "/x%c1%1c..%c1%1coauth2/authorize"),
    ("overlong letter", "/%c1%afauth2/authorize"),
    ("overlong, twice encoded", "/oauth2%25c0%25afauthorize"),
    ("invalid octet", "/oau%ffth2/authorize"),
    ("long s", "/pa\u{17f}sword/forgot"),
    ("long s, encoded", "/pa%c5%bfsword/forgot"),
    ("dotless i", "/reg\u{131}strat\u{131}on/form"),
    ("dotted capital i", "/reg%c4%b0stration/form"),
    ("Kelvin sign", "/%e2%84%aaeys/form"),
    ("fullwidth letters", "/ｏａｕｔｈ２/authorize"),
    ("fullwidth slash", "/oauth2／authorize"),
    ("fullwidth ascent", "/x/．．/oauth2/authorize"),
    ("fullwidth backslash", "/x＼..＼oauth2/authorize"),
    ("fullwidth semicolon", "/oauth2；x/authorize"),
    ("fullwidth percent sign", "/％6fauth2/authorize"),
    ("division slash", "/oauth2∕authorize"),
    ("fraction slash", "/oauth2⁄authorize"),
    ("one look-alike kept, another folded", "/a∕b／..／oauth2／authorize"),
    ("ideographic full stops", "/x/。。/oauth2/authorize"),
    ("two dot leader", "/x/‥/oauth2/authorize"),
    ("mathematical letters", "/𝐨𝐚𝐮𝐭𝐡𝟐/authorize"),
    ("circled letters", "/ⓞⓐⓤⓣⓗ②/authorize"),
    ("superscript", "/oauth²/authorize"),
    ("accents", "/öâúth2/authorize"),
    ("soft hyphen", "/oau%c2%adth2/authorize"),
    ("zero width space", "/oau%e2%80%8bth2/authorize"),
    ("narrowed", "/\u{16f}\u{161}\u{175}th2/authorize"),
    ("narrowed slash", "/oauth2\u{12f}authorize"),
    ("all at once", "//x/%2e%2e;a=b/.//OAUTH2%20;%3b/authorize"),
];

#[test]
fn spellings_of_a_protected_page() {
    for (name, target) in SPELLINGS {
        let first = ["/oauth2/", "/password/", "/registration/", "/keys/"];
        assert!(first.iter().any(|text| protects(text, target)), "{name}: {target}");
    }
}

#[test]
fn ordinary_paths_stay_open() {
    let protected =
        prefixes(&["/oauth2/", "/account/", "/email/", "/password/", "/registration/", "/authorize"]);
    for target in [
        "/",
        "",
        "*",
        "/*",
        "/api/user",
        "/admin/",
        "/admin/oauth2/",
        "/oauth2x/",
        "/oauth2x",
        "/oauth",
        "/myoauth2/",
        "/oauth/2/",
        "/o/auth2/",
        "/oauth2-provider/x",
        "/oauth2_x",
        "/authorizeX",
        "/authorized/",
        "/authorize-x",
        "/accounts/",
        "/.well-known/openid-configuration",
        "/api/foo%20bar",
        "/api/foo%2Fbar",
        "/api/user/%6fauth2/",
        "/api//user",
        "/api/./user",
        "/api/user/../group",
        "/api/user;v=1/x",
        "/api/a:b@c,d!e$f&g'h(i)*=~_-",
        "/api/50%",
        "/api/%zz",
        "/api/%uzzzz",
        "/css/style.css?x=/oauth2/",
        "/css/style.css?x=/../oauth2/",
        "/css/style.css#/oauth2/",
        "/static/oauth2/logo.png",
        "/static/oauth2%2flogo.png",
        "/static/../static/oauth2/logo.png",
        "/static;v=2/oauth2/logo.png",
        "/static//oauth2/logo.png",
        "/static\\oauth2\\logo.png",
        "/bücher/oauth2/",
        "/b%C3%BCcher/%E6%97%A5%E6%9C%AC/oauth2/",
        "http://host/api/user",
        "http://oauth2.example/api/user",
        "http://host/api?redirect_uri=https://x/oauth2/",
        "//oauth2.example/api",
        "/?/oauth2/",
        "?/oauth2/",
        "/x?http://host/oauth2/",
    ] {
        let readings = PathReadings::of(target);
        assert!(readings.is_exhaustive(), "{target}");
        let shown: Vec<_> = readings.iter().collect();
        assert!(!readings.any_under_one_of(&protected), "{target}: {shown:?}");
    }
}

/// Keycloak resolves `..` and merges slashes, a proxy in front matched the raw path.
#[test]
fn cve_2025_10939_non_normal_paths() {
    for target in [
        "/realms/../admin/master/console/",
        "/realms//..//admin/",
        "/realms/%2e%2e/admin/",
        "//admin/",
        "/./admin",
    ] {
        assert!(protects("/admin/", target), "{target}");
    }
}

/// Keycloak ignores matrix parameters, proxies do not; CVE-2026-74909 is the same with `%3B`.
#[test]
fn cve_2026_0976_matrix_parameters() {
    for target in
        ["/realms;abc/master/account", "/realms%3Babc/master/account", "/realms;/master", "/;x/realms/master"]
    {
        assert!(protects("/realms/", target), "{target}");
    }
}

/// Envoy did not take escaped slashes for slashes, upstreams did.
#[test]
fn cve_2021_29492_escaped_slashes() {
    for target in ["/something%2F..%2Fadmin", "/something%5C..%5Cadmin", "/%2Fadmin", "/admin%2Fx"] {
        assert!(protects("/admin/", target), "{target}");
    }
}

#[test]
fn servlet_ascent_with_a_parameter() {
    assert!(protects("/admin/", "/user/..;foo=bar/admin"));
    assert!(!protects("/admin/", "/user/..;foo=bar/user"));
}

/// Caddy compared the escaped form with regard to case.
#[test]
fn cve_2026_27587_case_beside_escapes() {
    for target in ["/ADMIN%2FPANEL", "/%61DMIN/panel", "/%41dmin%2fpanel"] {
        assert!(protects("/admin/panel", target), "{target}");
    }
}

#[test]
fn exempt_only_where_all_readings_are() {
    let exempt = prefixes(&["/admin/", "/api/"]);
    for target in [
        "/api/user",
        "/api",
        "/ADMIN/x",
        "/api/a%20b",
        "/api/a/../b",
        "/api//x",
        "/api;v=1/x?y",
        "/admin/a%2fb",
    ] {
        let all = PathReadings::of(target).all_under_one_of(&exempt);
        // Raw `/api;v=1` is not below `/api` for an upstream that knows no parameters.
        assert_eq!(all, !target.contains(';'), "{target}");
    }
    for target in
        ["/api/../oauth2", "/api%2f..%2foauth2", "/x/../api/", "//api/x", "api/x", "/oauth2/", "/api\\..\\x"]
    {
        assert!(!PathReadings::of(target).all_under_one_of(&exempt), "{target}");
    }
    assert!(!PathReadings::of("/api/").all_under_one_of(&[]));
}

#[test]
fn plain_paths_have_one_reading() {
    for target in ["/", "/api/user", "/.well-known/x", "/a.b/c-d_e~f", "/a:b@c,d", "/x?y=%2f..;//\\"] {
        let readings = PathReadings::of(target);
        assert!(readings.is_plain(), "{target}");
        assert_eq!(readings.plain(), target.split('?').next());
        assert_eq!(readings.iter().count(), 1);
    }
    for target in [
        "", "*", "x", "//", "/a//", "/.", "/a/..", "/a./", "/%61", "/;", "/\\", "/#", "/ä", "/a /", "/+",
        "http://x",
    ] {
        let readings = PathReadings::of(target);
        assert!(!readings.is_plain() && readings.plain().is_none(), "{target}");
        assert_eq!(readings.iter().next().as_deref(), target.split('?').next(), "the raw path comes first");
    }
}

#[test]
fn tenants_of_all_readings() {
    let pattern: TenantPattern = "/realms/{tenant}/".parse().unwrap();
    let tenants =
        |target| PathReadings::of(target).tenants(&pattern).map(Cow::into_owned).collect::<Vec<_>>();
    assert_eq!(tenants("/realms/Acme/protocol"), ["Acme"]);
    assert_eq!(tenants("/realms/Acme?x"), ["Acme"]);
    assert_eq!(tenants("/api/realms/acme"), [""; 0]);
    assert_eq!(tenants("/REALMS/a%63me/x"), ["a%63me", "acme"]);
    assert_eq!(tenants("/realms/acme;x/y"), ["acme;x", "acme"]);
    assert_eq!(tenants("/realms//acme/y"), ["acme"]);
    assert_eq!(tenants("/x/%2e%2e/realms/acme/y"), ["acme"]);
    assert!(tenants("/realms/one/../two/y").iter().eq(["one", "two"].iter()));
    let latin = tenants("/realms/caf%E9/");
    assert!(latin.iter().any(|value| value == "café"), "{latin:?}");
    assert!(tenants("/realms/caf%C3%A9/").iter().any(|value| value == "café"));
    assert_eq!(tenants(&format!("/realms/acme/{}", hostile()))[..2], ["", "acme"]);
}

/// 8 KiB that no upstream could read in fewer ways.
fn hostile() -> String {
    "%25%32%66;..\\".repeat(8192 / 13)
}

#[test]
fn the_worst_is_bounded_and_fails_closed() {
    let long = [
        format!("/{}", hostile()),
        "/..".repeat(2700),
        "/%2e%2e".repeat(1100),
        format!("/{}", "%25".repeat(2700)),
        format!("/%{}2f", "25".repeat(4000)),
        "/a;b".repeat(2000),
        "/%c0%ae%u002e\u{ff0e}．\\;%3b%09 .".repeat(250),
        "/\u{12f}\u{3b0}．%25u002e%00?".repeat(300),
        format!("/{}", "x%2fy//./;".repeat(800)),
    ];
    for target in &long {
        let readings = PathReadings::of(target);
        let closure = readings.closure.as_ref().unwrap();
        assert!(closure.work() <= WORK_LIMIT + target.len() + 24, "{}", closure.work());
    }
    let readings = PathReadings::of(&long[0]);
    assert!(!readings.is_exhaustive());
    assert!(readings.any_under(&prefix("/never/")));
    assert!(readings.any_under_one_of(&prefixes(&["/never/"])));
    assert!(!readings.any_under_one_of(&[]));
    assert!(!readings.all_under_one_of(&prefixes(&["/"])));
}

/// Odd, but nothing that a client might not send in good faith.
#[test]
fn ordinary_oddities_are_exhaustive() {
    let long_name = "%E6%97%A5%E6%9C%AC%E8%AA%9E".repeat(20);
    let long_path = format!("/files/{}", "some%20name/".repeat(160));
    let slashes = format!("/files/{}", "some%2Fname%2C%3A/".repeat(60));
    for target in [
        "/realms/acme/protocol/openid-connect/auth/../token;jsessionid=1%2F2%20y//z",
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/a;b=c/d;e=f/g;h=i?x",
        "/a%2Fb%2Fc%2520d/e%3Bf",
        "/%E2%80%A6/b%C3%BCcher%20und%20mehr./",
        "http://host:8080//a/./b/../c%20d",
        &format!("/x/{long_name}"),
        &long_path,
        &slashes,
    ] {
        let readings = PathReadings::of(target);
        assert!(readings.is_exhaustive(), "{target}: {}", readings.iter().count());
    }
}

#[test]
fn readings_of_readings_are_nothing_new() {
    for target in ["/a/%2e%2e;x/b%2fc", "//h/a\\..%5cb", "/a%252fb/.", "http:/a%3fb"] {
        let readings = PathReadings::of(target);
        let closure = readings.closure.as_ref().unwrap();
        let known: BTreeSet<Vec<u8>> = closure.iter().map(<[u8]>::to_vec).collect();
        let again = Closure::of(closure.iter());
        assert_eq!(again.iter().map(<[u8]>::to_vec).collect::<BTreeSet<_>>(), known, "{target}");
        assert_eq!(known.len(), closure.iter().count(), "each reading once");
    }
}

/// The naive twin: habits of upstreams, written for clarity, on text whose characters are octets.
mod twin {
    use std::collections::BTreeSet;

    type Habit = fn(&str) -> String;

    pub(super) const HABITS: [Habit; 19] = [
        |path| decode(path, ""),
        |path| decode(path, "/"),
        |path| decode(path, "/\\"),
        |path| decode(path, "/%"),
        |path| decode(path, ";/?:@&=+$,#%"),
        |path| decode(path, "/\\;?#% \0\t\n\u{c0}\u{ae}\u{af}"),
        |path| unescape_units(path),
        |path| path.replace("\u{c0}\u{af}", "/").replace("\u{c0}\u{ae}", "."),
        |path| path.replace('\\', "/"),
        |path| segments(path, |segment| segment.split(';').next().unwrap_or("").to_owned()),
        |path| segments(path, |segment| segment.trim().to_owned()),
        |path| {
            segments(path, |segment| {
                let dots = segment.chars().all(|c| c == '.');
                if dots { segment.to_owned() } else { segment.trim_end_matches(['.', ' ']).to_owned() }
            })
        },
        |path| {
            let mut path = path.to_owned();
            while path.contains("//") {
                path = path.replace("//", "/");
            }
            path
        },
        |path| resolve(path),
        |path| path.replace(['\t', '\n', '\r'], ""),
        |path| path.split('\0').next().unwrap_or("").to_owned(),
        |path| path.split('?').next().unwrap_or("").to_owned(),
        |path| path.split('#').next().unwrap_or("").to_owned(),
        |path| if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
    ];

    fn decode(path: &str, kept: &str) -> String {
        let mut decoded = String::new();
        let mut rest = path;
        while let Some(first) = rest.chars().next() {
            let digits = rest.get(1..3).filter(|d| first == '%' && d.chars().all(|c| c.is_ascii_hexdigit()));
            match digits
                .map(|d| char::from(u8::from_str_radix(d, 16).unwrap()))
                .filter(|c| !kept.contains(*c))
            {
                Some(character) => {
                    decoded.push(character);
                    rest = rest.get(3..).unwrap();
                }
                None => {
                    decoded.push(first);
                    rest = rest.get(first.len_utf8()..).unwrap();
                }
            }
        }
        decoded
    }

    fn unescape_units(path: &str) -> String {
        decode(&path.replace("%u00", "%").replace("%U00", "%"), "")
    }

    fn segments(path: &str, edit: impl Fn(&str) -> String) -> String {
        path.split('/').map(edit).collect::<Vec<_>>().join("/")
    }

    fn resolve(path: &str) -> String {
        let Some(below) = path.strip_prefix('/') else { return path.to_owned() };
        let mut stack: Vec<&str> = Vec::new();
        for segment in below.split('/') {
            match segment {
                "." => {}
                ".." => drop(stack.pop()),
                _ => stack.push(segment),
            }
        }
        format!("/{}", stack.join("/"))
    }

    pub(super) fn is_protected(path: &str) -> bool {
        let path = path.to_ascii_lowercase();
        path == "/oauth2" || path.starts_with("/oauth2/")
    }

    /// All that `depth` habits make of a path, in every order.
    pub(super) fn all_orders(path: &str, depth: usize) -> BTreeSet<String> {
        let mut all = BTreeSet::from([path.to_owned()]);
        let mut latest = all.clone();
        for _ in 0..depth {
            let next = latest
                .iter()
                .flat_map(|path| HABITS.iter().map(|habit| habit(path)))
                .collect::<BTreeSet<_>>();
            latest = next.into_iter().filter(|path| all.insert(path.clone())).collect();
        }
        all
    }
}

fn nasty() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "/", "/", "/", "/oauth2", "oauth2/", "o%61uth2", "x", "..", ".", "%2e", ".%2e", ";", ";a=b", "%3b",
        "%2f", "%252f", "%5c", "\\", "%25", "%c0%af", "%c0%ae", "//", "%3f", "%23", "#", "%20", "%09", "%00",
        "%u002f", "%u002e", ":", "%2",
    ]);
    (prop::collection::vec(token, 1..8), any::<bool>())
        .prop_map(|(tokens, slash)| format!("{}{}", if slash { "/" } else { "" }, tokens.concat()))
}

/// A shape that is often protected, so that the properties below are not vacuous.
fn nearly_protected() -> impl Strategy<Value = String> {
    (nasty(), nasty()).prop_map(|(before, behind)| format!("/{before}/oauth2{behind}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn protects_whatever_any_order_protects(target in prop_oneof![nasty(), nearly_protected()]) {
        let path = target.split('?').next().unwrap();
        if let Some(reading) = twin::all_orders(path, 3).into_iter().find(|reading| twin::is_protected(reading)) {
            prop_assert!(PathReadings::of(&target).any_under(&prefix("/oauth2/")), "{target} reads {reading}");
        }
    }

    #[test]
    fn protects_whatever_a_long_pipeline_protects(
        target in prop_oneof![nasty(), nearly_protected()],
        habits in prop::collection::vec(prop::sample::select(twin::HABITS.to_vec()), 200),
    ) {
        let readings = PathReadings::of(&target);
        for pipeline in habits.chunks(8) {
            let mut path = target.clone();
            for habit in pipeline {
                path = habit(&path);
                if twin::is_protected(&path) {
                    prop_assert!(readings.any_under(&prefix("/oauth2/")), "{target} reads {path}");
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_within_bounds(target in prop_oneof!["\\PC*", nasty(), nearly_protected()]) {
        let readings = PathReadings::of(&target);
        prop_assert!(readings.iter().count() >= 1);
        prop_assert!(readings.closure.as_ref().is_none_or(|c| c.work() <= WORK_LIMIT + target.len() + 24));
        let pattern: TenantPattern = "/realms/{tenant}/".parse().unwrap();
        let values: Vec<_> = readings.tenants(&pattern).collect();
        prop_assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len());
    }

    /// A feature that the scan misses would leave a reading out.
    #[test]
    fn what_no_feature_calls_for_makes_nothing_new(path in prop_oneof!["/[a-z/.+ :;%2fe\\\\é\t]{0,6}", "[a-z/.:]{0,4}", nasty()]) {
        let features = scan::scan(path.as_bytes());
        // These speak of how the path begins, and change any other as well.
        let beginnings = scan::Features::RELATIVE.and(scan::Features::AUTHORITY).and(scan::Features::SCHEME);
        let mut made = BTreeSet::from([path.clone().into_bytes()]);
        for called in [true, false] {
            for transformation in &transformation::TRANSFORMATIONS {
                let is_called = features.intersects(transformation.when);
                let mut out = Vec::new();
                (transformation.apply)(path.as_bytes(), &mut out);
                if called && is_called {
                    made.insert(out);
                } else if !called && !is_called && !beginnings.intersects(transformation.when) {
                    prop_assert!(made.contains(&out), "{:?}", String::from_utf8_lossy(&out));
                }
            }
        }
    }
}
