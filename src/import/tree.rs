//! YAML, JSON and TOML as one tree, each node with its place.
//!
//! JSON is read twice: by its own parser, for what it says, and as the YAML that it also is, for the places.
//! What a list must not depend on is refused: aliases, and a key twice.

use crate::policy::finding::{Code, Report, Span};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

/// Deeper than any configuration.
const DEPTH: usize = 64;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A text; also a number or a boolean.
    Text(String),
    /// Nothing, said by a word.
    Null,
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and its place.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) span: Span,
    pub(super) name: String,
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Null | Content::List(_) | Content::Map(_) => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::List(items) => Some(items),
            Content::Null | Content::Text(_) | Content::Map(_) => None,
        }
    }

    /// Its keys with their values; none if it is no map.
    pub(super) fn fields(&self) -> &[(Key, Self)] {
        match &self.content {
            Content::Map(fields) => fields,
            Content::Null | Content::Text(_) | Content::List(_) => &[],
        }
    }

    /// The value of a key; a null is none.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let found = self.fields().iter().find(|(known, _)| known.name == key).map(|(_, value)| value);
        found.filter(|value| !matches!(value.content, Content::Null))
    }

    /// The text of a key.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }
}

/// A JSON text, or a finding.
pub(super) fn json(text: &str, report: &mut Report<'_>) -> Option<Node> {
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(error) => {
            let line = report.source().line_span(u32::try_from(error.line()).unwrap_or(u32::MAX));
            let at = (line.start + error.column().saturating_sub(1)).min(text.len());
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            report.add(Code::Syntax, Span { start: at, end: at }, "this is no JSON").label(error.to_string());
            return None;
        }
    };
    let mut root = yaml(&without_surrogates(text), report)?.pop()?;
    settle(&mut root, &value);
    Some(root)
}

/// YAML has no surrogate pairs: their backslashes become something else, of the same length.
fn without_surrogates(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once('\\') {
        found += front;
        let surrogate = behind.get(..2).is_some_and(|escape| escape.eq_ignore_ascii_case("ud"))
            && behind.get(2..3).is_some_and(|digit| "89abAB".contains(digit) || "cdefCDEF".contains(digit));
        found.push(if surrogate { '_' } else { '\\' });
        // What is escaped is no backslash that escapes.
        let escaped = behind.chars().next().map_or(0, char::len_utf8);
        let (escaped, behind) = behind.split_at_checked(escaped).unwrap_or((behind, ""));
        found += escaped;
        rest = behind;
    }
    found + rest
}

/// Puts what a JSON text says where it says so.
fn settle(node: &mut Node, value: &Value) {
    match (&mut node.content, value) {
        (Content::Text(text), Value::String(said)) => text.clone_from(said),
        (Content::List(items), Value::Array(values)) => {
            items.iter_mut().zip(values).for_each(|(item, value)| settle(item, value));
        }
        (Content::Map(fields), Value::Object(said)) => {
            for ((key, field), (name, value)) in fields.iter_mut().zip(said) {
                key.name.clone_from(name);
                settle(field, value);
            }
        }
        // Numbers, booleans and nulls are the same in both.
        _ => {}
    }
}

/// The documents of a YAML text, or a finding.
pub(super) fn yaml(text: &str, report: &mut Report<'_>) -> Option<Vec<Node>> {
    let places = Places::of(text);
    let mut reader = Reader { events: Parser::new_from_str(text), places, last: Span::default() };
    let mut documents = Vec::new();
    let read = loop {
        match reader.next() {
            Ok(Some((Event::DocumentStart(_), _))) => match reader.node(DEPTH) {
                Ok(node) => documents.push(node),
                Err(problem) => break Err(problem),
            },
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(problem) => break Err(problem),
        }
    };
    if let Err(Problem { code, span, what }) = read {
        report.add(code, span, what).label("nothing is imported");
        return None;
    }
    Some(documents)
}

/// A TOML text, or a finding.
pub(super) fn toml(text: &str, report: &mut Report<'_>) -> Option<Node> {
    match DeTable::parse(text) {
        Ok(table) => Some(Node { span: Span::default(), content: Content::Map(of_table(table.get_ref())) }),
        Err(error) => {
            let span = error.span().map_or_else(Span::default, Span::from);
            report.add(Code::Syntax, span, error.message()).label("nothing is imported");
            None
        }
    }
}

fn of_table(table: &DeTable<'_>) -> Vec<(Key, Node)> {
    let field = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        let name = Key { span: key.span().into(), name: key.get_ref().to_string() };
        (name, of_value(value))
    };
    table.iter().map(field).collect()
}

fn of_value(value: &toml::Spanned<DeValue<'_>>) -> Node {
    let content = match value.get_ref() {
        DeValue::String(text) => Content::Text(text.to_string()),
        DeValue::Integer(number) => Content::Text(number.as_str().to_owned()),
        DeValue::Float(number) => Content::Text(number.as_str().to_owned()),
        DeValue::Boolean(boolean) => Content::Text(boolean.to_string()),
        DeValue::Datetime(time) => Content::Text(time.to_string()),
        DeValue::Array(items) => Content::List(items.iter().map(of_value).collect()),
        DeValue::Table(table) => Content::Map(of_table(table)),
    };
    Node { span: value.span().into(), content }
}

/// What is wrong with a YAML text.
struct Problem {
    code: Code,
    span: Span,
    what: String,
}

/// Bytes of characters: the parser counts these.
struct Places {
    /// Empty where every character is a byte.
    bytes: Vec<usize>,
    length: usize,
}

impl Places {
    fn of(text: &str) -> Self {
        let bytes =
            if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Self { bytes, length: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        let at = if self.bytes.is_empty() { Some(character) } else { self.bytes.get(character).copied() };
        at.unwrap_or(self.length).min(self.length)
    }
}

struct Reader<'t> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    places: Places,
    last: Span,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Problem> {
        match self.events.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                let (start, end) = (span.start.index(), span.end.index());
                self.last = Span { start: self.places.byte(start), end: self.places.byte(end) };
                Ok(Some((event, self.last)))
            }
            Some(Err(error)) => {
                let at = self.places.byte(error.marker().index());
                let what = format!("this is no YAML: {}", error.info());
                Err(Problem { code: Code::Syntax, span: Span { start: at, end: at }, what })
            }
        }
    }

    /// The next event of a value; a text that ends is one without a value.
    fn expect(&mut self) -> Result<(Event<'t>, Span), Problem> {
        let problem =
            Problem { code: Code::Syntax, span: self.last, what: "the text ends too early".to_owned() };
        self.next()?.ok_or(problem)
    }

    fn node(&mut self, depth: usize) -> Result<Node, Problem> {
        let (event, span) = self.expect()?;
        self.node_of(event, span, depth)
    }

    fn node_of(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Problem> {
        let problem = |what: &str| Problem { code: Code::Syntax, span, what: what.to_owned() };
        let depth = depth.checked_sub(1).ok_or_else(|| problem("this is nested too deeply"))?;
        let content = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~" | "null") => {
                Content::Null
            }
            Event::Scalar(text, ..) => Content::Text(text.into_owned()),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            Event::Alias(_) => return Err(problem("aliases are not followed")),
            _ => return Err(problem("a value is missing")),
        };
        Ok(Node { span: Span { start: span.start, end: self.last.end.max(span.end) }, content })
    }

    fn list(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut items = Vec::new();
        loop {
            match self.expect()? {
                (Event::SequenceEnd, _) => return Ok(Content::List(items)),
                (event, span) => items.push(self.node_of(event, span, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut fields: Vec<(Key, Node)> = Vec::new();
        loop {
            let (name, span) = match self.expect()? {
                (Event::MappingEnd, _) => return Ok(Content::Map(fields)),
                (Event::Scalar(name, ..), span) => (name.into_owned(), span),
                (_, span) => {
                    let what = "a key that is no text".to_owned();
                    return Err(Problem { code: Code::Syntax, span, what });
                }
            };
            if fields.iter().any(|(known, _)| known.name == name) {
                let what = format!("the key `{}` twice", name.escape_debug());
                return Err(Problem { code: Code::Duplicate, span, what });
            }
            fields.push((Key { span, name }, self.node(depth)?));
        }
    }
}
