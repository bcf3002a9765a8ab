//! List files: each read once, however many ACLs name it, and parsed into the ACL's builder.

use crate::policy::acl::{Action, IpAclBuilder};
use crate::policy::document::reader::At;
use crate::policy::files::Files;
use crate::policy::finding::{Code, Excerpt, Report};
use crate::policy::list::read_list;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The list files of a policy, by name.
pub(super) struct ListFiles<'f> {
    files: &'f dyn Files,
    index: HashMap<String, Option<u16>>,
    names: Vec<Arc<str>>,
    contents: Vec<Vec<u8>>,
}

impl fmt::Debug for ListFiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListFiles").field("names", &self.names).finish_non_exhaustive()
    }
}

impl<'f> ListFiles<'f> {
    pub(super) fn new(files: &'f dyn Files) -> Self {
        Self { files, index: HashMap::new(), names: Vec::new(), contents: Vec::new() }
    }

    /// The files' names, in the order in which [`Place`](crate::policy::acl::Place) counts them from 1.
    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Where a line of a list file is shown; file 0 is not a list file.
    pub(super) fn excerpt(&self, file: u16, line: u32) -> Option<Excerpt> {
        let at = usize::from(file).checked_sub(1)?;
        Some(excerpt(self.names.get(at)?, self.contents.get(at)?, line))
    }

    /// Reads a list file into an ACL; what is wrong with it is reported.
    pub(super) fn read(
        &mut self,
        report: &mut Report<'_>,
        name: At<&str>,
        action: Action,
        builder: &mut IpAclBuilder,
    ) {
        let known = self.index.contains_key(name.value);
        let Some(file) = self.open(report, name) else { return };
        let at = usize::from(file).saturating_sub(1);
        let (Some(path), Some(content)) = (self.names.get(at), self.contents.get(at)) else { return };
        let bad = read_list(content, file, action, builder);
        if known {
            return;
        }
        if content.split(|byte| *byte == b'\n').all(is_blank) {
            let message = format!("the list `{}` has no entry", name.value);
            report.add(Code::EmptyList, name.span, message).label("this list is empty");
        }
        for line in &bad.shown {
            let mut place = excerpt(path, content, line.line);
            place.column = line.column;
            report
                .add_at(Code::BadListLine, place, line.error.to_string())
                .label("no address, CIDR block or range");
        }
        if bad.more > 0 {
            let message = format!("{} more lines of the list `{}` are no ranges", bad.more, name.value);
            report.add(Code::BadListLine, name.span, message).label("this list");
        }
    }

    fn open(&mut self, report: &mut Report<'_>, name: At<&str>) -> Option<u16> {
        if let Some(file) = self.index.get(name.value) {
            return *file;
        }
        let file = self.load(report, name);
        self.index.insert(name.value.to_owned(), file);
        file
    }

    fn load(&mut self, report: &mut Report<'_>, name: At<&str>) -> Option<u16> {
        let Ok(file) = u16::try_from(self.names.len() + 1) else {
            report.add(Code::TooMuch, name.span, format!("more than {} list files", u16::MAX));
            return None;
        };
        match self.files.read(name.value) {
            Ok(content) => {
                self.names.push(name.value.into());
                self.contents.push(content);
                Some(file)
            }
            Err(error) => {
                let message = format!("the list `{}` cannot be read: {error}", name.value);
                report
                    .add(Code::BadFile, name.span, message)
                    .label("expected a list file, relative to this file");
                None
            }
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    line.is_empty() || line.starts_with(b"#")
}

/// Cost: linear in the file, so only for what is shown.
fn excerpt(name: &Arc<str>, content: &[u8], line: u32) -> Excerpt {
    let at = (line as usize).saturating_sub(1);
    let text = content.split(|byte| *byte == b'\n').nth(at).unwrap_or_default();
    Excerpt::of_list(Arc::clone(name), line, &String::from_utf8_lossy(text))
}
