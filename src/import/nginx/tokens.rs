//! An nginx configuration as statements: words up to `;`, or up to a block.
//!
//! Quotes and backslashes as nginx reads them. A `…_by_lua_block` holds a program, which is skipped by its braces.

use crate::policy::finding::{Code, Report, Span};

/// A word, its quotes taken off, and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Span,
}

/// A directive.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// Never empty.
    pub(super) words: Vec<Word>,
    pub(super) block: Option<Vec<Self>>,
}

impl Statement {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", |word| &word.text)
    }

    pub(super) fn span(&self) -> Span {
        self.words.first().map_or_else(Span::default, |word| word.span)
    }

    /// The words behind the first.
    pub(super) fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }
}

/// Deeper than nginx's own contexts go.
const DEPTH: usize = 64;

/// The statements of a text, or a finding.
pub(super) fn statements(text: &str, report: &mut Report<'_>) -> Option<Vec<Statement>> {
    let mut reader = Reader { text, at: 0 };
    match reader.block(0) {
        Ok(statements) => Some(statements),
        Err((at, what)) => {
            report.add(Code::Syntax, Span { start: at, end: at }, what).label("nothing is imported");
            None
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

type Wrong = (usize, &'static str);

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn block(&mut self, depth: usize) -> Result<Vec<Statement>, Wrong> {
        let (mut statements, mut words) = (Vec::new(), Vec::new());
        loop {
            self.skip_blanks();
            let start = self.at;
            match self.rest().chars().next() {
                None if depth == 0 && words.is_empty() => return Ok(statements),
                None => return Err((start, "the text ends within a block or a directive")),
                Some('}') if depth > 0 && words.is_empty() => {
                    self.at += 1;
                    return Ok(statements);
                }
                Some('}') => return Err((start, "a `}` that closes nothing")),
                Some(';' | '{') if words.is_empty() => return Err((start, "a directive without a name")),
                Some(';') => {
                    self.at += 1;
                    statements.push(Statement { words: std::mem::take(&mut words), block: None });
                }
                Some('{') => {
                    self.at += 1;
                    let block = match words.first() {
                        Some(Word { text, .. }) if text.ends_with("_by_lua_block") => self.skip_program()?,
                        _ if depth == DEPTH => return Err((start, "blocks nested too deeply")),
                        _ => self.block(depth + 1)?,
                    };
                    statements.push(Statement { words: std::mem::take(&mut words), block: Some(block) });
                }
                Some(_) => words.push(self.word()?),
            }
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            let comment = rest.get(blank..).filter(|rest| rest.starts_with('#'));
            let comment = comment.map(|rest| rest.find('\n').unwrap_or(rest.len()));
            self.at += blank + comment.unwrap_or(0);
            if comment.is_none() {
                return;
            }
        }
    }

    fn word(&mut self) -> Result<Word, Wrong> {
        let start = self.at;
        let quote = self.rest().chars().next().filter(|first| matches!(first, '"' | '\''));
        let (mut text, mut hidden, mut before) = (String::new(), false, ' ');
        let mut end = None;
        for (at, character) in self.rest().char_indices().skip(usize::from(quote.is_some())) {
            let ends = match quote {
                Some(quote) => character == quote,
                // `${name}` is a variable.
                None => {
                    character.is_whitespace()
                        || matches!(character, ';')
                        || (character == '{' && before != '$')
                }
            };
            if ends && !hidden {
                end = Some(at);
                break;
            }
            if hidden && !matches!(character, '"' | '\'' | '\\' | ' ' | ';' | '{' | '}') {
                text.push('\\');
            }
            hidden = character == '\\' && !hidden;
            if !hidden {
                text.push(character);
            }
            before = character;
        }
        let end = end.ok_or((start, "the text ends within a word"))?;
        self.at = start + end;
        let span = Span { start: start + usize::from(quote.is_some()), end: self.at };
        self.at += usize::from(quote.is_some());
        Ok(Word { text, span })
    }

    fn skip_program(&mut self) -> Result<Vec<Statement>, Wrong> {
        let start = self.at;
        let mut depth = 1_usize;
        for (at, character) in self.rest().char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = start + at + 1;
                return Ok(Vec::new());
            }
        }
        Err((start, "the text ends within a program"))
    }
}
