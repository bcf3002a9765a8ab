//! List files, parsed into the ACL's builder. Plain ones, which may be long, are read in pieces for each ACL that names
//! them, and as a whole only where something of them is to be shown; the others are kept while ACLs are read.

use crate::policy::acl::IpAclBuilder;
use crate::policy::document::ListValue;
use crate::policy::document::reader::At;
use crate::policy::files::{FileError, Files};
use crate::policy::finding::{Code, Excerpt, Report};
use crate::policy::list::{BadLines, ListError, ListFormat, PlainReader, Sink, Unknown, hint, read_list};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// The list files of a policy, by name.
pub(super) struct ListFiles<'f> {
    files: &'f dyn Files,
    index: HashMap<String, Option<u16>>,
    names: Vec<Arc<str>>,
    /// As far as somebody wanted them.
    contents: Vec<OnceCell<Vec<u8>>>,
    /// What was found in them was reported for these formats.
    reported: HashSet<(u16, ListFormat)>,
}

impl fmt::Debug for ListFiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListFiles").field("names", &self.names).finish_non_exhaustive()
    }
}

impl<'f> ListFiles<'f> {
    pub(super) fn new(files: &'f dyn Files) -> Self {
        let (index, reported) = (HashMap::new(), HashSet::new());
        Self { files, index, names: Vec::new(), contents: Vec::new(), reported }
    }

    /// The files' names, in the order in which [`Place`](crate::policy::acl::Place) counts them from 1.
    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Where a line of a list file is shown; file 0 is not a list file.
    pub(super) fn excerpt(&self, file: u16, line: u32) -> Option<Excerpt> {
        let (name, content) = self.content(file)?;
        Some(excerpt(name, content, line))
    }

    /// A file as a whole; empty if it cannot be read any more.
    fn content(&self, file: u16) -> Option<(&Arc<str>, &[u8])> {
        let at = usize::from(file).checked_sub(1)?;
        let (name, content) = (self.names.get(at)?, self.contents.get(at)?);
        Some((name, content.get_or_init(|| self.files.read(name).unwrap_or_default())))
    }

    /// Reads a list file into an ACL; what is wrong with it is reported, once.
    pub(super) fn read(&mut self, report: &mut Report<'_>, list: &ListValue<'_>, builder: &mut IpAclBuilder) {
        let Some(file) = self.number(report, list.path) else { return };
        let before = builder.len();
        let bad = match self.parse(file, list, builder) {
            Ok(bad) => bad,
            Err(error) => {
                self.index.insert(list.path.value.to_owned(), None);
                let message = format!("the list `{}` cannot be read: {error}", list.path.value);
                report
                    .add(Code::BadFile, list.path.span, message)
                    .label("expected a list file, relative to this file");
                return;
            }
        };
        let is_new = self.reported.insert((file, list.format.clone()));
        if is_new && bad.is_empty() && builder.len() == before {
            let message = format!("the list `{}` has no entry", list.path.value);
            report.add(Code::EmptyList, list.path.span, message).label("this list is empty");
        }
        if is_new
            && !bad.is_empty()
            && let Some(shown) = self.content(file)
        {
            report_bad_lines(report, shown, list, &bad);
        }
        report_unknown(report, ("service", &list.services), &bad.services);
        report_unknown(report, ("region", &list.regions), &bad.regions);
    }

    fn parse(
        &self,
        file: u16,
        list: &ListValue<'_>,
        builder: &mut IpAclBuilder,
    ) -> Result<BadLines, FileError> {
        let sink = Sink { action: list.action, file, builder };
        if list.format == ListFormat::Plain {
            let mut reader = PlainReader::new(sink);
            self.files.read_in_pieces(list.path.value, &mut |length, piece| reader.read(length, piece))?;
            return Ok(reader.end());
        }
        let content = self.contents.get(usize::from(file).saturating_sub(1));
        if let Some(content) = content.filter(|content| content.get().is_none()) {
            // Nobody else could have set it meanwhile.
            let _ = content.set(self.files.read(list.path.value)?);
        }
        let content = content.and_then(OnceCell::get).map(Vec::as_slice).unwrap_or_default();
        Ok(read_list(content, &list.format, sink))
    }

    /// Reads a database, which counts among the files; `None` only where it could not be told from others.
    pub(super) fn read_database(
        &mut self,
        report: &mut Report<'_>,
        name: At<&str>,
    ) -> Option<(u16, Result<Vec<u8>, FileError>)> {
        let file = self.next(report, name)?;
        self.names.push(name.value.into());
        self.contents.push(OnceCell::from(Vec::new()));
        Some((file, self.files.read(name.value)))
    }

    /// The number of a file; `None` if it could not be read before, or if there are too many.
    fn number(&mut self, report: &mut Report<'_>, name: At<&str>) -> Option<u16> {
        if let Some(file) = self.index.get(name.value) {
            return *file;
        }
        let file = self.next(report, name);
        if file.is_some() {
            self.names.push(name.value.into());
            self.contents.push(OnceCell::new());
        }
        self.index.insert(name.value.to_owned(), file);
        file
    }

    /// The index of the next file.
    fn next(&self, report: &mut Report<'_>, name: At<&str>) -> Option<u16> {
        let file = u16::try_from(self.names.len() + 1).ok();
        if file.is_none() {
            report.add(Code::TooMuch, name.span, format!("more than {} list files", u16::MAX));
        }
        file
    }
}

fn report_bad_lines(
    report: &mut Report<'_>,
    (path, content): (&Arc<str>, &[u8]),
    list: &ListValue<'_>,
    bad: &BadLines,
) {
    for (at, line) in bad.shown.iter().enumerate() {
        let excerpt = Excerpt::of_bytes(Arc::clone(path), line.line, content, line.span.clone());
        let finding = report.add_at(Code::BadListLine, excerpt, line.error.to_string());
        if let ListError::Range(_) = line.error {
            finding.label("no address, CIDR block or range");
        }
        finding.hint = hint(content, &list.format, line).filter(|_| at == 0).map(str::to_owned);
    }
    if bad.more > 0 {
        let message = format!("{} more lines of the list `{}` are no ranges", bad.more, list.path.value);
        report.add(Code::BadListLine, list.path.span, message).label("this list");
    }
}

/// A selected name that is not in the list selects nothing, most often by a slip.
fn report_unknown(report: &mut Report<'_>, (kind, names): (&str, &[At<&str>]), unknown: &Unknown) {
    for name in unknown.asked.iter().filter_map(|at| names.get(*at)) {
        let suggestion = report.suggest(name.value, unknown.there.iter().map(String::as_str));
        let message = format!("the list has no {kind} `{}`", name.value.escape_debug());
        let finding = report.add(Code::UnknownWord, name.span, message);
        finding.label(format!("expected a {kind} as the list writes it")).hint = suggestion;
    }
}

/// Cost: linear in the file, so only for what is shown.
fn excerpt(name: &Arc<str>, content: &[u8], line: u32) -> Excerpt {
    let breaks = (line as usize).saturating_sub(1);
    let start = match breaks.checked_sub(1) {
        Some(breaks) => memchr::memchr_iter(b'\n', content).nth(breaks).map_or(content.len(), |at| at + 1),
        None => 0,
    };
    let text =
        content.get(start..).and_then(|rest| rest.split(|byte| *byte == b'\n').next()).unwrap_or_default();
    let value = text.split(|byte| matches!(byte, b'#' | b';')).next().unwrap_or_default();
    let blank = value.len() - value.trim_ascii_start().len();
    Excerpt::of_bytes(Arc::clone(name), line, content, start + blank..start + value.trim_ascii_end().len())
}
