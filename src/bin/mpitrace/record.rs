//! `mpitrace record`: runs a program and records its MPI calls.
//!
//! Here are its arguments; the work is done by the crate `recorder`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{OsStringValueParser, StringValueParser, TypedValueParser};
use mpitrace::exit;
use recorder::Error;
use recorder::launch::{OnHang, Request, launch};
use recorder::settings::{
    GATHER_PATIENCE, GUARD, HANG_AFTER, LANDING, LAST, ON_HANG, OUTPUT, PAYLOAD, PCONTROL, PRELOAD, QUIET, STACK, Setting, bytes,
    is_true,
};
use traces::payload::Keep;

use crate::{broken_pipes, watch};

/// The library that is loaded into the program.
pub static LIBRARY: &[u8] = include_bytes!(env!("MPITRACE_EMBEDDED_PRELOAD"));

const ABOUT: &str = "Run a program and record its MPI calls";

const EXAMPLES: &str = "\
Examples:
  mpiexec -n 4 mpitrace record ./app --steps 10      arguments after APP are APP's own
  mpiexec -n 4 mpitrace record -o run1.msgpack ./app
  srun -n 64 mpitrace record python script.py
  mpitrace record mpiexec -n 4 ./app                 also works, on one machine
  mpiexec -n 4 mpitrace record --on-hang check ./app ends a run that hangs for a minute, and says why it does

The program need not be compiled anew, and may use any MPI library. \
Whatever becomes of it, the calls up to then are in the trace: while it runs they lie in FILE.parts, which every command reads as well.

Exit status: APP's own; 125 if the options make no sense, 126 if APP cannot be executed, 127 if there is no APP. \
Where no trace can be put, APP runs all the same, and a line says that it is not recorded.";

/// The arguments of `mpitrace record`.
#[derive(Debug, Args)]
#[command(about = ABOUT, after_help = EXAMPLES, override_usage = "mpitrace record [OPTIONS] [--] APP [ARG]...")]
pub struct Arguments {
    #[arg(short = 'o', long = long(OUTPUT), env = OUTPUT.variable, help = OUTPUT.meaning, value_name = "FILE")]
    #[arg(default_value = OUTPUT.default, value_parser = path_or_default())]
    output: PathBuf,

    #[arg(long = long(PAYLOAD), env = PAYLOAD.variable, help = PAYLOAD.meaning, value_name = "WHAT")]
    #[arg(default_value = PAYLOAD.default, value_enum)]
    payload: Payload,

    #[arg(long = long(STACK), env = STACK.variable, help = STACK.meaning, value_name = "FRAMES", default_value = STACK.default)]
    stack: usize,

    #[arg(long = long(LAST), env = LAST.variable, help = LAST.meaning, value_name = "SIZE")]
    #[arg(default_value = LAST.default, value_parser = |text: &str| bytes(text).ok_or("a size is a number with a unit, such as 64MiB"))]
    last: u64,

    #[arg(short = 'q', long = long(QUIET), env = QUIET.variable, help = QUIET.meaning)]
    #[arg(value_parser = StringValueParser::new().map(|text| is_true(&text)), action = clap::ArgAction::SetTrue)]
    quiet: bool,

    #[arg(long = long(PCONTROL), env = PCONTROL.variable, help = PCONTROL.meaning, value_name = "HOW")]
    #[arg(default_value = PCONTROL.default, value_enum)]
    pcontrol: Pcontrol,

    #[arg(long = long(LANDING), env = LANDING.variable, help = LANDING.meaning)]
    #[arg(value_parser = StringValueParser::new().map(|text| is_true(&text)), action = clap::ArgAction::SetTrue)]
    landing: bool,

    #[arg(long = long(GUARD), env = GUARD.variable, help = GUARD.meaning)]
    #[arg(value_parser = StringValueParser::new().map(|text| is_true(&text)), action = clap::ArgAction::SetTrue)]
    guard: bool,

    #[arg(long = long(HANG_AFTER), env = HANG_AFTER.variable, help = HANG_AFTER.meaning, value_name = "SECONDS")]
    #[arg(default_value = HANG_AFTER.default)]
    hang_after: u64,

    #[arg(long = long(ON_HANG), env = ON_HANG.variable, help = ON_HANG.meaning, value_name = "WHAT")]
    #[arg(default_value = ON_HANG.default, value_enum)]
    on_hang: WhenHanging,

    #[arg(long = long(GATHER_PATIENCE), env = GATHER_PATIENCE.variable, help = GATHER_PATIENCE.meaning, value_name = "SECONDS")]
    #[arg(default_value = GATHER_PATIENCE.default)]
    gather_patience: u64,

    #[arg(long = long(PRELOAD), env = PRELOAD.variable, help = PRELOAD.meaning, value_name = "FILE")]
    preload: Option<PathBuf>,

    /// The program, and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "APP")]
    app: Vec<OsString>,
}

/// Whether MPI_Pcontrol switches the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Pcontrol {
    /// As the program says
    Follow,
    /// Record everything
    Ignore,
}

/// What to do about a run that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum WhenHanging {
    /// Say where the ranks are
    Report,
    /// Say it, and end the run, so that there is a trace
    Stop,
    /// Say it, end the run, and check the trace
    Check,
}

impl From<WhenHanging> for OnHang {
    fn from(what: WhenHanging) -> OnHang {
        match what {
            WhenHanging::Report => OnHang::Report,
            WhenHanging::Stop => OnHang::Stop,
            WhenHanging::Check => OnHang::Check,
        }
    }
}

/// What to keep of the data that is sent and received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Payload {
    /// Nothing
    None,
    /// Digests, by which it is seen that a buffer was changed while it was in use
    Digest,
    /// The bytes that each rank receives, too, with which it can be run again alone
    Full,
}

impl From<Payload> for Keep {
    fn from(what: Payload) -> Keep {
        match what {
            Payload::None => Keep::None,
            Payload::Digest => Keep::Digest,
            Payload::Full => Keep::Full,
        }
    }
}

/// A variable that is set to nothing counts as not set.
fn path_or_default() -> impl TypedValueParser<Value = PathBuf> {
    let default = OUTPUT.default.unwrap_or_default();
    OsStringValueParser::new().map(move |text| if text.is_empty() { default.into() } else { text.into() })
}

/// The flag of a setting.
pub fn long(setting: Setting) -> &'static str {
    setting.flag.expect("only settings with a flag are arguments")
}

/// Becomes the program. Returns if it could not.
pub fn run(arguments: Arguments) -> ExitCode {
    if arguments.last > 0 && arguments.payload == Payload::Full {
        eprintln!(
            "mpitrace: --payload full keeps everything that was ever received, and --last the newest calls only: choose one"
        );
        return ExitCode::from(exit::RECORD_FAILED);
    }
    if arguments.guard && !cfg!(target_arch = "x86_64") {
        eprintln!(
            "mpitrace: --guard needs an x86-64 processor, which can step over a single access; --landing works on this one"
        );
        return ExitCode::from(exit::RECORD_FAILED);
    }
    let mut words = arguments.app.into_iter();
    let request = Request {
        program: words.next().unwrap_or_default(),
        arguments: words.collect(),
        output: arguments.output,
        payload: arguments.payload.into(),
        stack: arguments.stack,
        last: arguments.last,
        quiet: arguments.quiet,
        ignores_broken_pipes: broken_pipes::were_ignored(),
        ignores_pcontrol: arguments.pcontrol == Pcontrol::Ignore,
        landing: arguments.landing,
        guard: arguments.guard,
        hang_after_s: arguments.hang_after,
        on_hang: arguments.on_hang.into(),
        gather_patience_s: arguments.gather_patience,
        preload: arguments.preload,
        embedded: LIBRARY,
        replay: None,
    };
    become_program(&request)
}

/// Becomes the program that is to be recorded. Returns if it could not, with what says why.
pub fn become_program(request: &Request) -> ExitCode {
    let error = launch(request, watch::first_step);
    eprintln!("mpitrace: {error}");
    ExitCode::from(status(&error))
}

/// What `env` and the shells return where a command cannot be run, and a third for what is this command's own.
fn status(error: &Error) -> u8 {
    match error {
        Error::NotFound { .. } | Error::NoInterpreter { .. } => exit::NOT_FOUND,
        Error::NotExecutable { .. } | Error::Exec { .. } => exit::NOT_EXECUTABLE,
        _ => exit::RECORD_FAILED,
    }
}
