//! `aclgate import`: another product's lists → `[[ip_acl]]` tables on standard output.
//!
//! What could not be carried over goes to standard error with its place, and then the exit code is 1: a list of which a
//! part is missing is not printed at all.

use super::CliError;
use crate::import::{self, Format, Options};
use crate::policy::acl::Action;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  aclgate import --from nginx /etc/nginx/nginx.conf > acls.toml
  nginx -T 2>/dev/null | aclgate import --from nginx -
  aclgate import --from nginx --block-value 1 geo.conf
  aclgate import --from haproxy --listed block --name known-bad blocked.lst
  aclgate import --from caddy --listed allow Caddyfile
  curl -H \"Authorization: $KEY\" https://id.example/api/ip-acl/search | aclgate import --from fusionauth -";

/// Convert another product's address lists into IP ACLs.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Reads the address lists of another product and prints IP ACLs that decide over every address as \
        these do. A list that cannot be said as an IP ACL, or of which a part cannot, is left out and reported \
        with its place; the exit code is then 1.",
    after_long_help = HELP
)]
pub struct Args {
    /// The product that the lists are from.
    #[arg(long, value_enum)]
    from: Format,
    /// The file; `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the ACL; of several, each after the first gets a number behind it.
    #[arg(long)]
    name: Option<String>,
    /// What becomes of the addresses in a bare list (HAProxy, Caddy, Auth0's allowlists).
    #[arg(long, value_enum)]
    listed: Option<Listed>,
    /// A value of nginx `geo` variables that blocks; every other allows.
    #[arg(long, value_name = "VALUE")]
    block_value: Vec<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Listed {
    /// They may pass, all others may not
    Allow,
    /// They may not pass, all others may
    Block,
}

/// Prints what a file has of lists.
///
/// # Errors
/// The file cannot be read, or the tables not be written.
pub fn run(arguments: &Args, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let Args { from, file, name, listed, block_value } = arguments;
    let (text, shown) = read(file)?;
    let listed = listed.map(|listed| match listed {
        Listed::Allow => Action::Allow,
        Listed::Block => Action::Block,
    });
    let options = Options { name: name.clone(), listed, block_values: block_value.clone() };
    let imported = import::read(*from, &text, &shown, &options);
    write!(out, "{}", imported.to_toml())?;
    out.flush()?;
    write!(anstream::stderr(), "{}", imported.findings.render(true))?;
    Ok(if imported.findings.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The text, and what it is called.
fn read(file: &Path) -> Result<(String, String), CliError> {
    let shown = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = read.map_err(|source| CliError::Read { path: file.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| CliError::Input {
        path: shown.clone(),
        message: format!("not UTF-8: byte {} is no text", error.utf8_error().valid_up_to()),
    })?;
    Ok((text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), shown))
}
