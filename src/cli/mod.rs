//! The command line: one file a sub-command, each from its arguments to a report and an exit code.
//!
//! Exit codes (SPEC §8): 0 fine, 1 the input is at fault or a file is missing, 2 wrong usage. Reports go to
//! standard output, messages to standard error; colours only where that is a terminal and `NO_COLOR` is not set.
//! Deliberately absent: anything that decides over a request; that is [`explain`](crate::explain)'s work.

pub mod cases;
pub mod check;
pub mod demo;
pub mod doctor;
mod error;
pub mod explain;
pub mod hash_key;
pub mod health;
pub mod impact;
pub mod import;
mod load;
pub mod management;
mod open_files;
pub mod run;
mod stand_in;
pub mod stats;
mod style;
pub mod test;

pub use error::CliError;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What all sub-commands fall back to.
pub const DEFAULT_CONFIG: &str = "gateway.toml";

/// A reverse proxy that enforces IP access control lists in front of an identity server.
#[derive(Debug, Parser)]
#[command(
    name = "aclgate",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    long_about = "A reverse proxy that enforces IP access control lists in front of an identity server.\n\n\
        One TOML file says who may reach which API key, tenant, application, resource server or path, and from \
        where. The file is watched: a change is in force within a second, a bad one changes nothing.",
    after_long_help = "Examples:\n  \
        aclgate demo                                   a tour, no set-up needed\n  \
        aclgate check gateway.toml                     errors and warnings, for CI\n  \
        aclgate explain -c gateway.toml --ip 192.0.2.1 --path /oauth2/authorize\n  \
        aclgate test -c gateway.toml cases.toml        a policy review as a table\n  \
        aclgate impact -c new.toml decisions.jsonl     who would newly be blocked\n  \
        aclgate doctor -c gateway.toml                 what is dangerous about a running gateway\n  \
        aclgate run -c gateway.toml\n\n\
        Exit codes: 0 fine, 1 the input is at fault or a file is missing, 2 wrong usage."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the gateway.
    #[command(
        long_about = "Starts the gateway and serves until SIGTERM or SIGINT; SIGHUP reads the file again.",
        after_long_help = "Example:\n  aclgate run -c /etc/aclgate/gateway.toml"
    )]
    Run {
        /// The file to run.
        #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
    },
    /// Report every error and warning of a file.
    #[command(
        long_about = "Reads a file as `run` does and reports every error and warning, each with its place. \
            Exits with 1 if there is an error; warnings alone are fine.",
        after_long_help = "Example:\n  aclgate check gateway.toml"
    )]
    Check {
        /// The file to check.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    Explain(Box<explain::Args>),
    /// Run a table of requests with expected decisions.
    #[command(
        long_about = "Decides over every `[[case]]` of a file and compares with what is expected. Exits with 1 if \
            one differs.",
        after_long_help = test::HELP
    )]
    Test {
        /// The policy.
        #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
        /// The cases.
        #[arg(value_name = "CASES")]
        cases: PathBuf,
    },
    Import(import::Args),
    Impact(impact::Args),
    Doctor(doctor::Args),
    Stats(Box<stats::Args>),
    /// Print the SHA-256 of an API key, for `sha256 = "…"`.
    #[command(
        long_about = "Reads an API key from standard input (without echo where that is a terminal) and prints its \
            SHA-256 in hex. One newline at the end is not part of the key. The key is never printed, and never an \
            argument: arguments show in process lists and shell histories.",
        after_long_help = "Example:\n  printf %s \"$KEY\" | aclgate hash-key"
    )]
    HashKey,
    /// Ask a running gateway whether it is ready.
    #[command(
        long_about = "Asks the management listener of a running gateway and exits with 0 if the answer is good, with 1 \
            if not or if there is none within two seconds. For health checks of containers.",
        after_long_help = "Examples:\n  \
            aclgate health --url http://127.0.0.1:9091/healthz\n  \
            aclgate health --url https://gateway.example:9091/readyz --ca admin-ca.crt"
    )]
    Health {
        /// Whom to ask: /readyz, or /healthz while it drains too.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9091/readyz")]
        url: http::Uri,
        /// The CA of an https management API, as PEM; the system's roots if absent.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// Show the gateway at work, with a stand-in identity server and an example policy.
    #[command(
        long_about = "Starts a small stand-in identity server and the gateway in front of it, on free ports of the \
            loopback interface, shows a handful of allowed and blocked requests with the reason for each, and then \
            keeps serving until Ctrl-C."
    )]
    Demo {
        /// End after the tour; exits with 1 if an answer is not the expected one.
        #[arg(long)]
        once: bool,
    },
    /// Print a completion script for a shell.
    #[command(after_long_help = "Example:\n  aclgate completions bash > /etc/bash_completion.d/aclgate")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    #[command(after_long_help = "Example:\n  aclgate man | man -l -")]
    Man,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Ends with 2 on wrong usage, with 0 on `--help`.
    let cli = Cli::parse();
    let mut out = anstream::stdout();
    finish(
        dispatch(cli.command, &mut out).and_then(|code| out.flush().map(|()| code).map_err(CliError::from)),
    )
}

fn dispatch(command: Command, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    match command {
        Command::Run { config } => run::run(&config),
        Command::Check { file } => check::run(&file, out),
        Command::Explain(arguments) => explain::run(&arguments, out),
        Command::Test { config, cases } => test::run(&config, &cases, out),
        Command::Import(arguments) => import::run(&arguments, out),
        Command::Impact(arguments) => impact::run(&arguments, out),
        Command::Doctor(arguments) => doctor::run(&arguments, out),
        Command::Stats(arguments) => stats::run(&arguments, out),
        Command::HashKey => hash_key::run(out),
        Command::Health { url, ca } => health::run(&url, ca.as_deref()),
        Command::Demo { once } => demo::run(once, out),
        Command::Completions { shell } => completions(shell, out),
        Command::Man => Ok(clap_mangen::Man::new(Cli::command()).render(out).map(|()| ExitCode::SUCCESS)?),
    }
}

fn completions(shell: Shell, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    // Written into memory first: the generator does not survive a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "aclgate", &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Reports a failure on standard error. A reader that went away (`aclgate man | head`) is none.
fn finish(result: Result<ExitCode, CliError>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            error.report(&mut anstream::stderr());
            error.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_sub_command_is_in_the_scripts_and_the_manual() {
        let mut script = Vec::new();
        completions(Shell::Bash, &mut script).unwrap();
        let mut manual = Vec::new();
        dispatch(Command::Man, &mut manual).unwrap();
        let (script, manual) = (String::from_utf8(script).unwrap(), String::from_utf8(manual).unwrap());
        for command in Cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{}", command.get_name());
            assert!(manual.contains(&command.get_name().replace('-', "\\-")), "{}", command.get_name());
        }
    }

    #[test]
    fn wrong_usage_is_told_apart() {
        for line in
            ["aclgate nonsense", "aclgate check", "aclgate explain --path /", "aclgate completions cobol"]
        {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        assert_eq!(Cli::try_parse_from(["aclgate", "--help"]).unwrap_err().exit_code(), 0);
    }
}
