//! nginx: `allow` and `deny` of every block that has some, and `geo` blocks.
//!
//! Of `allow` and `deny` the first that matches decides, and an address that none matches may pass. A block without any
//! inherits those around it, so only blocks that have some are lists. What else a block says of who may pass is
//! refused with it: `satisfy any`, `include`, `limit_except`.

mod geo;
mod tokens;

use super::effect::{self, Rule};
use super::{Acl, Source, address};
use crate::policy::acl::Action;
use crate::policy::finding::{Code, Report};
use crate::policy::range::AddressRange;
use tokens::Statement;

/// Blocks in which `allow` and `deny` stand.
const CONTEXTS: [&str; 5] = ["http", "server", "location", "if", "stream"];
/// Files that everybody includes and that say nothing of addresses.
const HARMLESS: [&str; 2] = ["mime.types", "_params"];

/// The lists of a configuration, or of a part of one.
pub(super) fn read(source: &Source<'_>, report: &mut Report<'_>) -> Vec<Acl> {
    let Some(statements) = tokens::statements(source.text, report) else { return Vec::new() };
    let mut walk = Walk { source, acls: Vec::new(), report };
    walk.block(&statements, source.stem, false);
    walk.acls
}

struct Walk<'w, 's, 'r> {
    source: &'w Source<'s>,
    acls: Vec<Acl>,
    report: &'w mut Report<'r>,
}

impl Walk<'_, '_, '_> {
    /// A block; `any` is whether `satisfy any` holds in it.
    fn block(&mut self, statements: &[Statement], name: &str, any: bool) {
        let satisfy = statements.iter().rfind(|statement| statement.name() == "satisfy");
        let any = satisfy.map_or(any, |it| it.arguments().first().is_some_and(|word| word.text == "any"));
        if let Some(rules) = self.rules(statements, any) {
            self.acls.extend(acl(&rules, name));
        }
        for statement in statements {
            let Some(block) = &statement.block else { continue };
            match statement.name() {
                "geo" => self.acls.extend(geo::read(statement, block, self.source, self.report)),
                "limit_except" if block.iter().any(is_rule) => {
                    self.refuse(statement, "`limit_except` lists hold for some methods alone");
                }
                context if CONTEXTS.contains(&context) => {
                    self.block(block, &name_of(statement, block), any);
                }
                _ => {}
            }
        }
    }

    /// The rules of a block itself, in order; `None` if one cannot be said.
    fn rules(&mut self, statements: &[Statement], any: bool) -> Option<Vec<Parsed>> {
        let has_rules = statements.iter().any(is_rule);
        let mut whole = true;
        if let Some(first) = statements.iter().find(|statement| is_rule(statement)).filter(|_| any) {
            self.refuse(first, "with `satisfy any`, whoever logs in may pass from anywhere");
            whole = false;
        }
        let mut rules = Vec::new();
        for statement in statements {
            if statement.name() == "include" && !is_harmless(statement) {
                self.refuse(statement, "an included file may have rules of its own");
                whole &= !has_rules;
            }
            if is_rule(statement) {
                match self.rule(statement) {
                    Some(rule) => rules.push(rule),
                    None => whole = false,
                }
            }
        }
        whole.then_some(rules)
    }

    fn rule(&mut self, statement: &Statement) -> Option<Parsed> {
        let action = if statement.name() == "allow" { Action::Allow } else { Action::Block };
        let [word] = statement.arguments() else {
            self.refuse(statement, "a rule has exactly one address");
            return None;
        };
        match word.text.as_str() {
            "all" => Some(Parsed::All(action)),
            "unix:" => {
                self.refuse(statement, "`unix:` is no address");
                None
            }
            text => Some(Parsed::Range(address::range(text, word.span, self.report)?, action)),
        }
    }

    fn refuse(&mut self, statement: &Statement, what: &str) {
        let finding = self.report.add(Code::LeftOut, statement.span(), what);
        finding.label("left out");
        if statement.name() == "include" {
            finding
                .hint("import that file, too; `nginx -T` prints a configuration with all that it includes");
        }
    }
}

/// A rule as it is written.
enum Parsed {
    All(Action),
    Range(AddressRange, Action),
}

/// What stands behind `all` is never reached.
fn acl(rules: &[Parsed], name: &str) -> Option<Acl> {
    let mut default = Action::Allow;
    let mut reached: Vec<Rule> = Vec::new();
    for rule in rules {
        match rule {
            Parsed::Range(range, action) => reached.push((*range, *action)),
            Parsed::All(action) => {
                default = *action;
                break;
            }
        }
    }
    if rules.is_empty() {
        return None;
    }
    let (entries, worked_out) = effect::of_ordered(&reached, default);
    let mut acl = Acl::new(name, default, entries).from(format!("nginx, {name}"));
    acl.worked_out = worked_out;
    Some(acl)
}

fn is_rule(statement: &Statement) -> bool {
    matches!(statement.name(), "allow" | "deny") && statement.block.is_none()
}

fn is_harmless(statement: &Statement) -> bool {
    statement.arguments().iter().all(|file| HARMLESS.iter().any(|end| file.text.ends_with(end)))
}

/// A server is called by its first name, every other block by its own words.
fn name_of(statement: &Statement, block: &[Statement]) -> String {
    let server_name =
        block.iter().find(|inner| inner.name() == "server_name").filter(|_| statement.name() == "server");
    match server_name.and_then(|inner| inner.arguments().first()) {
        Some(name) => format!("server {}", name.text),
        None => statement.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
    }
}
