//! `[[case]]` files: a request and the decision that is expected over it. Text → cases, or what is wrong and where.
//!
//! Unknown keys are errors, as in the policy itself: a misspelt `subject` would otherwise expect nothing.

use crate::explain::{Client, Explanation, Question, QuestionError};
use crate::policy::decide::Effect;
use crate::telemetry::{CheckReport, SubjectKind};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::{Spanned, Value};

/// A request and what is expected of it.
#[derive(Debug)]
pub struct Case {
    /// What it shows, for people.
    pub name: String,
    /// The request.
    pub question: Question,
    /// The decision.
    pub expect: Effect,
    /// The name or id of the ACL that decides.
    pub acl: Option<String>,
    /// The subject that decides.
    pub subject: Option<ExpectedSubject>,
}

/// `kind` or `kind:name`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedSubject {
    kind: SubjectKind,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    case: Vec<Spanned<CaseDocument>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseDocument {
    name: String,
    #[serde(deserialize_with = "client")]
    ip: Client,
    method: Option<String>,
    path: Option<String>,
    #[serde(default, deserialize_with = "headers")]
    headers: Vec<(String, String)>,
    body: Option<String>,
    #[serde(deserialize_with = "effect")]
    expect: Effect,
    acl: Option<String>,
    #[serde(default, deserialize_with = "subject")]
    subject: Option<ExpectedSubject>,
}

impl Case {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// A message with the line and what is expected there.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        let document: Document = toml::from_str(text).map_err(|error| error.to_string())?;
        if document.case.is_empty() {
            return Err("there is no `[[case]]`".to_owned());
        }
        let read = |case: Spanned<CaseDocument>| {
            let before = text.get(..case.span().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let case = case.into_inner();
            let name = case.name.clone();
            Self::try_from(case).map_err(|error| format!("line {line}, case `{name}`: {error}"))
        };
        document.case.into_iter().map(read).collect()
    }

    /// What differs from what is expected, if anything does.
    pub fn mismatch(&self, explanation: &Explanation) -> Option<String> {
        let effect = explanation.effect();
        if effect != self.expect {
            return Some(format!("expected {}, got {}", word(self.expect), word(effect)));
        }
        let cause = explanation.cause();
        let acl_fits = |acl: &String| cause.is_some_and(|check| is_acl(check, acl));
        let subject_fits = |subject: &ExpectedSubject| cause.is_some_and(|check| subject.is(check));
        if let Some(acl) = self.acl.as_ref().filter(|acl| !acl_fits(acl)) {
            let found = cause.and_then(|check| check.acl.as_ref());
            return Some(format!(
                "expected ACL `{acl}`, got {}",
                found.map_or_else(|| "none".to_owned(), |acl| format!("`{}`", acl.1))
            ));
        }
        let subject = self.subject.as_ref().filter(|subject| !subject_fits(subject))?;
        let found = cause.map_or_else(|| "none".to_owned(), |check| ExpectedSubject::of(check).text());
        Some(format!("expected subject `{}`, got `{found}`", subject.text()))
    }
}

impl TryFrom<CaseDocument> for Case {
    type Error = QuestionError;

    fn try_from(case: CaseDocument) -> Result<Self, QuestionError> {
        let CaseDocument { name, ip, method, path, headers, body, expect, acl, subject } = case;
        let mut question = Question::new(ip)
            .with_method(method.as_deref().unwrap_or("GET"))?
            .with_target(path.as_deref().unwrap_or("/"))?
            .with_body(body.unwrap_or_default());
        for (name, value) in &headers {
            question = question.with_header(name, value)?;
        }
        Ok(Self { name, question, expect, acl, subject })
    }
}

impl ExpectedSubject {
    fn parse(text: &str) -> Option<Self> {
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) => (kind, Some(name.to_owned())),
            None => (text, None),
        };
        Some(Self { kind: SubjectKind::from_label(kind)?, name })
    }

    fn of(check: &CheckReport) -> Self {
        Self { kind: check.kind, name: check.name.clone() }
    }

    fn is(&self, check: &CheckReport) -> bool {
        self.kind == check.kind && (self.name.is_none() || self.name == check.name || self.name == check.id)
    }

    fn text(&self) -> String {
        match &self.name {
            Some(name) => format!("{}:{name}", self.kind.label()),
            None => self.kind.label().to_owned(),
        }
    }
}

/// The word for a decision.
pub(super) fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Block => "block",
    }
}

fn is_acl(check: &CheckReport, acl: &str) -> bool {
    check.acl.as_ref().is_some_and(|(id, name)| **name == *acl || id.to_string() == acl.to_ascii_lowercase())
}

fn client<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Client, D::Error> {
    Client::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn effect<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Effect, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "allow" => Ok(Effect::Allow),
        "block" => Ok(Effect::Block),
        other => Err(D::Error::custom(format!("found `{other}`, expected `allow` or `block`"))),
    }
}

fn subject<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ExpectedSubject>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let kinds = SubjectKind::ALL.map(SubjectKind::label).join("`, `");
    let unknown = || {
        D::Error::custom(format!("found `{text}`, expected one of `{kinds}`, or one of them with `:name`"))
    };
    ExpectedSubject::parse(&text).map(Some).ok_or_else(unknown)
}

/// A table of strings or of lists of strings, or a list of `Name: value` lines.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let wrong = |what: &str| D::Error::custom(format!("{what}: expected a string or a list of strings"));
    let text = |name: &str, value: Value| match value {
        Value::String(value) => Ok((name.to_owned(), value)),
        _ => Err(wrong(name)),
    };
    let mut lines = Vec::new();
    match Value::deserialize(deserializer)? {
        Value::Table(table) => {
            for (name, value) in table {
                match value {
                    Value::Array(values) => {
                        for value in values {
                            lines.push(text(&name, value)?);
                        }
                    }
                    value => lines.push(text(&name, value)?),
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                let line = value.as_str().and_then(|line| line.split_once(':'));
                let (name, value) =
                    line.ok_or_else(|| D::Error::custom("expected lines like `Name: value`"))?;
                lines.push((name.to_owned(), value.to_owned()));
            }
        }
        _ => return Err(D::Error::custom("expected a table, or a list of lines like `Name: value`")),
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
[[case]]
name = "all keys"
ip = "::ffff:192.0.2.1"
method = "POST"
path = "/oauth2/token"
headers = { Host = "a", "X-A" = ["b", "c"] }
body = "d=e"
expect = "block"
acl = "office"
subject = "resourceServer:https://acme.example/"

[[case]]
name = "few"
ip = "unknown"
headers = ["X-A: b:c", "x-a:d"]
expect = "allow"
subject = "tenant"
"#;

    #[test]
    fn a_file_is_read() {
        let cases = Case::read(WHOLE).unwrap();
        let [whole, few] = &cases[..] else { panic!("{cases:?}") };
        assert_eq!(whole.question.method, "POST");
        assert_eq!(whole.question.headers.get_all("x-a").iter().count(), 2);
        assert_eq!(whole.subject.as_ref().unwrap().name.as_deref(), Some("https://acme.example/"));
        assert_eq!((few.question.client, few.expect), (Client::Undetermined, Effect::Allow));
        let values: Vec<_> = few.question.headers.get_all("x-a").iter().collect();
        assert_eq!(values, ["b:c", "d"]);
    }

    #[test]
    fn the_cases_of_the_repository_are_read() {
        let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases")).unwrap();
        let mut read = 0;
        for file in
            folders.map(|folder| folder.unwrap().path().join("cases.toml")).filter(|file| file.exists())
        {
            let text = std::fs::read_to_string(&file).unwrap();
            read += Case::read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).len();
        }
        assert!(read > 0);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let start = "[[case]]\nname = \"a\"\nip = \"192.0.2.1\"\n";
        let cases = [
            ("", "no `[[case]]`"),
            ("[[cases]]\n", "line 1"),
            ("[[case]]\nname = \"a\"\nexpect = \"allow\"\n", "missing field `ip`"),
            ("[[case]]\nname = \"a\"\nip = \"1.2.3\"\nexpect = \"allow\"\n", "line 3"),
            (&format!("{start}expect = \"deny\"\n"), "expected `allow` or `block`"),
            (&format!("{start}expect = \"allow\"\nsubjct = \"a\"\n"), "unknown field `subjct`"),
            (&format!("{start}expect = \"allow\"\nsubject = \"user\"\n"), "`apiKey`"),
            (&format!("{start}expect = \"allow\"\nheaders = {{ a = 1 }}\n"), "expected a string"),
            (&format!("{start}expect = \"allow\"\nheaders = [\"a\"]\n"), "Name: value"),
            (&format!("\n{start}expect = \"allow\"\npath = \"/a b\"\n"), "line 2, case `a`"),
        ];
        for (text, expected) in cases {
            let error = Case::read(text).unwrap_err();
            assert!(error.contains(expected), "{text}\n{error}");
        }
    }
}
