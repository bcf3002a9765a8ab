//! A page of Markdown: its fenced blocks, its links, its headings.

use super::root;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A fenced block, without the indentation of its fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What stands behind the fence.
    pub info: String,
    pub text: String,
    /// The line of the fence.
    pub line: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub path: PathBuf,
    pub blocks: Vec<Block>,
    /// Everything else, code spans blanked out.
    prose: String,
}

/// Every page of the manual, and those at the top.
pub(super) fn pages() -> Vec<Page> {
    let mut paths: Vec<_> = ["README.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root().join(name)).into();
    collect(&root().join("docs/src"), &mut paths);
    paths.iter().map(|path| Page::read(&path.canonicalize().unwrap())).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}

impl Page {
    pub(super) fn read(path: &Path) -> Self {
        Self::parse(path, &std::fs::read_to_string(path).unwrap())
    }

    pub(super) fn parse(path: &Path, text: &str) -> Self {
        let mut page = Self { path: path.to_owned(), blocks: Vec::new(), prose: String::new() };
        let mut open: Option<(usize, Block)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let fence = line.trim_start().strip_prefix("```");
            open = match (open, fence) {
                (None, Some(info)) => {
                    let block = Block { info: info.trim().to_owned(), text: String::new(), line: number + 1 };
                    Some((indent, block))
                }
                (Some((_, block)), Some(_)) => {
                    page.blocks.push(block);
                    None
                }
                (Some((indent, mut block)), None) => {
                    block.text.push_str(line.get(indent..).unwrap_or_default());
                    block.text.push('\n');
                    Some((indent, block))
                }
                (None, None) => {
                    let spans = line.split('`').enumerate();
                    spans.filter(|(at, _)| at % 2 == 0).for_each(|(_, span)| page.prose.push_str(span));
                    page.prose.push('\n');
                    None
                }
            };
        }
        assert!(open.is_none(), "{}: a block without an end", path.display());
        page
    }

    pub(super) fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    pub(super) fn links(&self) -> Vec<String> {
        let behind = self.prose.split("](").skip(1);
        behind.filter_map(|text| text.split_once(')')).map(|(link, _)| link.to_owned()).collect()
    }

    /// As mdBook and GitHub make them.
    pub(super) fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose.lines().filter(|line| line.starts_with('#'));
        let anchor = |heading: &str| {
            let text = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = text.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
        };
        headings.map(anchor).collect()
    }
}
