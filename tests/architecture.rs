//! The house rules, read off the source: who may import whom, a module comment in every file, no crowded file,
//! no `unsafe`.
//!
//! The source is looked at as tokens: comments, strings and characters are blanked out first, so that nothing
//! written in them counts. Test code (items under `#[cfg(test)]`, files and directories named `tests`) is exempt from all
//! but the ban on `unsafe`. Not seen: paths that macros put together, and re-exports that launder an import.

use std::path::{Path, PathBuf};
use std::{fs, iter};

/// Each module and what of ours it may use; a path narrows it to one item.
///
/// `server` and `store` use `request` because a connection and a refused head are types of requests. `answer`,
/// `enforce` and `gateway` read settings from the snapshot; `gateway` asks the policy and is what `server` calls.
/// `explain` is the one account of a decision that `cli` and `admin` share. `http1` is how messages stand on the wire, which
/// the side of clients and that of the upstream share, and `request` makes names lower case as it does; `gateway` hands a
/// response's lines from the one to the other.
#[rustfmt::skip]
const MAY_USE: &[(&str, &[&str])] = &[
    ("policy",    &[]),
    ("config",    &["policy"]),
    ("telemetry", &["policy", "config"]),
    ("store",     &["policy", "config", "telemetry", "request"]),
    ("http1",     &[]),
    ("request",   &["policy", "config", "http1::make_lower"]),
    ("explain",   &["policy", "config", "request", "telemetry"]),
    ("enforce",   &["policy", "config", "request", "store", "telemetry"]),
    ("upstream",  &["config", "request", "enforce::Permit", "telemetry", "http1"]),
    ("answer",    &["policy", "config", "store", "request", "enforce", "upstream"]),
    ("gateway",   &["policy", "config", "request", "store", "enforce", "upstream", "answer", "telemetry", "server::Handler", "http1::FieldLines", "http1::Lined"]),
    ("server",    &["config", "telemetry", "request", "http1"]),
    ("admin",     &["policy", "config", "store", "telemetry", "explain", "request", "answer", "server"]),
    ("decision_service", &["config", "request", "store", "answer", "gateway", "server"]),
    ("import",    &["policy"]),
    ("app",       &["policy", "config", "telemetry", "store", "request", "enforce", "upstream", "answer", "gateway", "server", "admin", "decision_service"]),
    ("cli",       &["policy", "config", "telemetry", "store", "request", "explain", "enforce", "upstream", "answer", "gateway", "server", "admin", "decision_service", "import", "app"]),
    ("manual",    &[]),
];

/// The most lines of a file, tests aside.
const MOST_LINES: usize = 500;

#[test]
fn the_source_keeps_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = source_files(&root);
    assert!(files.len() > 20, "found {} files alone", files.len());
    let violations: Vec<_> = files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            violations(file.strip_prefix(&root).unwrap(), &text)
        })
        .collect();
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn planted_violations_are_caught() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, &[&str])] = &[
        ("policy/a.rs",        "use crate::config::Config;",                      &["policy must not use `config::Config`"]),
        ("policy/a.rs",        "use crate::{policy::x, store::{self, Snapshot}};", &["policy must not use `store::self`", "policy must not use `store::Snapshot`"]),
        ("policy/a.rs",        "pub use crate :: config as c;",                   &["policy must not use `config`"]),
        ("policy/a.rs",        "fn f() { crate::config::load(); }",               &["policy must not use `config::load`"]),
        ("policy/a.rs",        "fn f(x: &'a crate::r#config::T) {}",              &["policy must not use `config::T`"]),
        ("policy/mod.rs",      "use super::config::Config;",                      &["policy must not use `config::Config`"]),
        ("policy/a/b.rs",      "use super::super::super::config::Config;",        &["policy must not use `config::Config`"]),
        ("policy/a.rs",        "mod m { use super::super::super::config; }",      &["policy must not use `config`"]),
        ("answer.rs",          "use super::gateway;",                             &["answer must not use `gateway`"]),
        ("policy/a.rs",        "use crate as c;",                                 &["policy must not use `crate`"]),
        ("policy/a.rs",        "use crate::*;",                                   &["policy must not use `*`"]),
        ("policy/a.rs",        "use crate::{self as c};",                         &["policy must not use `self`"]),
        ("policy/a.rs",        "use aclgate::config;",                            &["policy must not use `config`"]),
        ("upstream/a.rs",      "use crate::enforce::{Permit, Refusal};",          &["upstream must not use `enforce::Refusal`"]),
        ("cellar.rs",          "",                                                &["cellar is not in the table"]),
        ("policy/a.rs",        "fn f() { unsafe { g() } }",                       &["has `unsafe`"]),
        ("lib.rs",             "fn f() { unsafe { g() } }",                       &["has `unsafe`"]),
        ("policy/a/tests.rs",  "fn f() { unsafe { g() } }",                       &["has `unsafe`"]),
        // fine
        ("policy/a.rs",        "use crate::policy::b; use super::c; use super::super::policy::d;", &[]),
        ("server/a.rs",        "use crate::{config::{A, B}, request::C};",        &[]),
        ("upstream/a.rs",      "use crate::enforce::Permit;",                     &[]),
        ("policy/a.rs",        "// use crate::config\n/* crate::config /* unsafe */ crate::config */", &[]),
        ("policy/a.rs",        r####"const A: &str = "\" crate::config"; const B: &str = r#"" unsafe "#; const C: char = '"'; use crate::policy::x;"####, &[]),
        ("policy/a.rs",        "pub(crate) fn f<'a>(x: &'a str) { unsafe_looking('\\'') }", &[]),
        ("policy/a.rs",        "#[cfg(test)]\nmod tests { use crate::config::C; fn f() { if x {} } }", &[]),
        ("policy/a.rs",        "#[cfg(test)] use crate::config::C;",              &[]),
        ("policy/a.rs",        "#[cfg(test)] mod tests; use crate::config::C;",   &["policy must not use `config::C`"]),
        ("policy/a/tests.rs",  "use crate::config::C;",                           &[]),
        ("lib.rs",             "pub use crate::config::C;",                       &[]),
        ("main.rs",            "use aclgate::cli;",                               &[]),
    ];
    for (file, code, expected) in cases {
        let found = violations(Path::new(file), &format!("//! Comment.\n{code}\n"));
        let expected: Vec<_> = expected.iter().map(|violation| format!("{file}: {violation}")).collect();
        assert_eq!(found, expected, "{code}");
    }
}

#[test]
fn planted_layout_violations_are_caught() {
    let file = Path::new("policy/a.rs");
    let lines = |count: usize| "//! Comment.\n".to_owned() + &"\n".repeat(count - 1);
    let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"\n".repeat(1000) + "}\n";
    assert_eq!(violations(file, "// Comment.\n"), ["policy/a.rs: has no module comment"]);
    assert_eq!(violations(file, ""), ["policy/a.rs: has no module comment"]);
    assert_eq!(violations(file, &lines(501)), ["policy/a.rs: has 501 lines, tests aside; at most 500"]);
    assert_eq!(violations(file, &lines(500)), [""; 0]);
    assert_eq!(violations(file, &(lines(490) + &tests)), [""; 0]);
    assert_eq!(violations(Path::new("policy/a/tests.rs"), &lines(2000)), [""; 0]);
}

/// Every `.rs` file below a directory, in order.
fn source_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries
        .flat_map(|path| match path.extension().is_some_and(|extension| extension == "rs") {
            true => vec![path],
            false => source_files(&path),
        })
        .collect();
    files.sort();
    files
}

/// What a file, named from `src/`, does against the rules.
fn violations(file: &Path, text: &str) -> Vec<String> {
    let code = blank(text);
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push("has no module comment".to_owned());
    }
    if tokens(&code).contains(&"unsafe") {
        found.push("has `unsafe`".to_owned());
    }
    if file.with_extension("").iter().all(|part| part != "tests") {
        let code = without_tests(&code);
        let lines = code.lines().count();
        if lines > MOST_LINES {
            found.push(format!("has {lines} lines, tests aside; at most {MOST_LINES}"));
        }
        found.extend(import_violations(file, &tokens(&code)));
    }
    found.into_iter().map(|violation| format!("{}: {violation}", file.display())).collect()
}

fn import_violations(file: &Path, tokens: &[&str]) -> Vec<String> {
    let mut place: Vec<_> = file.with_extension("").iter().map(|part| part.display().to_string()).collect();
    place.pop_if(|last| last == "mod");
    let Some(room) = place.first().cloned().filter(|room| room != "lib" && room != "main") else {
        return Vec::new();
    };
    let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{room} is not in the table")];
    };
    let allowed = |path: &str| {
        let under =
            |of: &str| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        under(&room) || may_use.iter().any(|of| under(of))
    };
    let imports = imports(tokens, place.len());
    imports
        .into_iter()
        .filter(|path| !allowed(path))
        .map(|path| format!("{room} must not use `{path}`"))
        .collect()
}

/// Every path that leads through the root of the crate, from there on, at most two names of it; `depth` is that of
/// the file's module.
fn imports(tokens: &[&str], depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut modules = inline_modules(tokens).into_iter();
    let mut rest = tokens;
    let mut inside_path = false;
    while let [first, behind @ ..] = rest {
        let depth = depth + modules.next().unwrap_or(0);
        let supers = rest.chunks(2).take_while(|pair| matches!(pair, ["super", "::"])).count();
        let behind_root = match rest {
            _ if inside_path => None,
            ["crate" | "aclgate", "::", path @ ..] => Some(path),
            ["crate", "as", ..] => {
                found.push("crate".to_owned());
                None
            }
            _ if supers >= depth => rest.get(supers * 2..),
            _ => None,
        };
        if let Some(path) = behind_root {
            found.extend(use_tree(path).0.iter().map(|path| path.join("::")));
        }
        inside_path = *first == "::";
        rest = behind;
    }
    found
}

/// For each token, in how many inline modules it stands.
fn inline_modules(tokens: &[&str]) -> Vec<usize> {
    let mut blocks = Vec::new();
    let mut before = ["", ""];
    tokens
        .iter()
        .map(|token| {
            match *token {
                "{" => blocks.push(before.first() == Some(&"mod")),
                "}" => drop(blocks.pop()),
                _ => {}
            }
            let [_, last] = before;
            before = [last, *token];
            blocks.iter().filter(|is_module| **is_module).count()
        })
        .collect()
}

/// The paths of a use tree, cut to two names, and the tokens behind it.
fn use_tree<'a, 'b>(tokens: &'b [&'a str]) -> (Vec<Vec<&'a str>>, &'b [&'a str]) {
    match tokens {
        ["{", rest @ ..] => {
            let (mut paths, mut rest) = (Vec::new(), rest);
            while let [next, behind @ ..] = rest {
                match *next {
                    "}" => return (paths, behind),
                    "," => rest = behind,
                    _ => {
                        let (branch, behind) = use_tree(rest);
                        paths.extend(branch);
                        // A name is followed by `,` or `}`, or by `as` and another name.
                        rest = match behind {
                            ["as", _, behind @ ..] => behind,
                            _ => behind,
                        };
                    }
                }
            }
            (paths, rest)
        }
        [name, "::", rest @ ..] => {
            let (branches, rest) = use_tree(rest);
            let lead = |branch: Vec<&'a str>| iter::once(*name).chain(branch).take(2).collect();
            (branches.into_iter().map(lead).collect(), rest)
        }
        [name, rest @ ..] => (vec![vec![*name]], rest),
        [] => (Vec::new(), tokens),
    }
}

/// Names and `::`, and every other character as a token of its own.
fn tokens(code: &str) -> Vec<&str> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("::") => 2,
            _ if is_name(first) => rest.find(|character| !is_name(character)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        match behind.strip_prefix('#').filter(|_| token == "r") {
            Some(raw) => rest = raw,
            None => {
                tokens.push(token);
                rest = behind.trim_start();
            }
        }
    }
    tokens
}

/// The code without items under `#[cfg(test)]`; lines in front of and behind them stay.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = code;
    while let Some((before, item)) = rest.split_once(MARK) {
        kept += before;
        rest = behind_item(item);
    }
    kept + rest
}

/// What stands behind the first item: behind its `;`, or behind its outermost block.
fn behind_item(code: &str) -> &str {
    let mut depth = 0_usize;
    for (at, character) in code.char_indices() {
        match character {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(character, ';' | '}') {
            return code.get(at + 1..).unwrap_or_default();
        }
    }
    ""
}

/// The code with every comment, string and character blanked out; lines stay lines.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_name = false;
    while let Some(first) = rest.chars().next() {
        let length = if in_name { None } else { literal_length(rest) };
        let blanked = length.is_some();
        let (token, behind) = rest.split_at(length.unwrap_or_else(|| first.len_utf8()));
        code.extend(
            token.chars().map(|character| if blanked && character != '\n' { ' ' } else { character }),
        );
        // The `r` of `for"x"` opens no raw string, but a quote behind a name does open one.
        let next = behind.chars().next();
        in_name =
            !blanked && (first.is_alphanumeric() || first == '_') && !matches!(next, Some('"' | '\'' | '/'));
        rest = behind;
    }
    code
}

/// The length of the comment, string or character at the start, in bytes.
fn literal_length(code: &str) -> Option<usize> {
    if code.starts_with("//") {
        return Some(code.find('\n').unwrap_or(code.len()));
    }
    if code.starts_with("/*") {
        return Some(block_comment_length(code));
    }
    let body = code.trim_start_matches(['b', 'c']);
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let opened = raw.get(hashes..).and_then(|raw| raw.strip_prefix('"'))?;
        let closing = format!("\"{}", "#".repeat(hashes));
        let end = opened.find(&closing).map_or(opened.len(), |end| end + closing.len());
        return Some(code.len() - opened.len() + end);
    }
    let opened = match body.strip_prefix('"') {
        Some(opened) => quoted_length(opened, '"').map(|end| code.len() - opened.len() + end),
        None => body.strip_prefix('\'').and_then(|opened| {
            // A lifetime has no closing quote behind its first character.
            let is_character = opened.starts_with('\\') || opened.chars().nth(1) == Some('\'');
            let end = quoted_length(opened, '\'').filter(|_| is_character)?;
            Some(code.len() - opened.len() + end)
        }),
    };
    opened.filter(|_| code.len() - body.len() <= 1)
}

/// The length up to the closing quote, this included; a backslash hides what follows it.
fn quoted_length(opened: &str, quote: char) -> Option<usize> {
    let mut hidden = false;
    for (at, character) in opened.char_indices() {
        if !hidden && character == quote {
            return Some(at + 1);
        }
        hidden = !hidden && character == '\\';
    }
    None
}

/// Block comments nest.
fn block_comment_length(code: &str) -> usize {
    let mut depth = 0_usize;
    let mut rest = code;
    loop {
        rest = if let Some(behind) = rest.strip_prefix("/*") {
            depth += 1;
            behind
        } else if let Some(behind) = rest.strip_prefix("*/") {
            depth -= 1;
            behind
        } else {
            let mut characters = rest.chars();
            characters.next();
            characters.as_str()
        };
        if depth == 0 || rest.is_empty() {
            return code.len() - rest.len();
        }
    }
}
