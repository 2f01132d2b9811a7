//! The contract of the two halves of recording: what the launcher tells the preload, through the environment.
//!
//! One table has each setting's flag, variable, meaning and default; the command line, the help text and both halves take them from
//! here. A value that makes no sense counts as absent: nothing in an environment may keep a program from running.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

pub use crate::origin::Origin;
use traces::payload::Keep;

/// One setting, as the table describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The flag of `mpitrace record`, without its dashes; None where the launcher alone decides.
    pub flag: Option<&'static str>,
    /// The environment variable.
    pub variable: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// What holds without it, in words; None if it is derived for every run.
    pub default: Option<&'static str>,
}

/// Where the trace goes.
pub const OUTPUT: Setting = Setting {
    flag: Some("output"),
    variable: "MPITRACE_OUTPUT",
    meaning: "The trace to write; one that exists is kept as FILE.old",
    default: Some("trace.msgpack"),
};

/// Where segments lie while the program runs.
pub const PARTS: Setting = Setting {
    flag: None,
    variable: "MPITRACE_PARTS",
    meaning: "The directory of the segments while the program runs",
    default: None,
};

/// Which run this is.
pub const JOB: Setting = Setting {
    flag: None,
    variable: "MPITRACE_JOB",
    meaning: "The token of this run, the same in all its processes",
    default: None,
};

/// How many ranks are on this machine.
pub const LOCAL_RANKS: Setting = Setting {
    flag: None,
    variable: "MPITRACE_LOCAL_RANKS",
    meaning: "How many ranks the launcher starts on this machine",
    default: None,
};

/// How long ranks on machines without a common file system wait for each other in MPI_Finalize.
pub const GATHER_PATIENCE: Setting = Setting {
    flag: Some("gather-patience"),
    variable: "MPITRACE_GATHER_PATIENCE",
    meaning: "On hosts without a common file system, wait so many seconds in MPI_Finalize for ranks of other hosts, to bring all calls into one trace; 0 makes a trace a host",
    default: Some("60"),
};

/// What is kept of the data that is sent and received.
pub const PAYLOAD: Setting = Setting {
    flag: Some("payload"),
    variable: "MPITRACE_PAYLOAD",
    meaning: "What to keep of the data that is sent and received: of more than 16 KiB, a digest covers samples, unless all is kept",
    default: Some("digest"),
};

/// How much of the stack of a call is kept.
pub const STACK: Setting = Setting {
    flag: Some("stack"),
    variable: "MPITRACE_STACK",
    meaning: "Keep so many frames of the stack of each call; 1 keeps the caller's line only",
    default: Some("16"),
};

/// How much is kept.
pub const LAST: Setting = Setting {
    flag: Some("last"),
    variable: "MPITRACE_LAST",
    meaning: "Keep only the newest calls of each thread: as many as this much disk holds, such as 64MiB; 0 keeps all",
    default: Some("0"),
};

/// Whether to print nothing.
pub const QUIET: Setting =
    Setting { flag: Some("quiet"), variable: "MPITRACE_QUIET", meaning: "Print nothing about the recording", default: Some("0") };

/// Whether MPI_Pcontrol switches the recording.
pub const PCONTROL: Setting = Setting {
    flag: Some("pcontrol"),
    variable: "MPITRACE_PCONTROL",
    meaning: "Whether MPI_Pcontrol switches the recording off (level 0) and on again (level 1)",
    default: Some("follow"),
};

/// After how long without progress a run is looked at.
pub const HANG_AFTER: Setting = Setting {
    flag: Some("hang-after"),
    variable: "MPITRACE_HANG_AFTER",
    meaning: "Say where the ranks are when no call has ended for so many seconds; 0 never does",
    default: Some("60"),
};

/// What is done about a run that hangs.
pub const ON_HANG: Setting = Setting {
    flag: Some("on-hang"),
    variable: "MPITRACE_ON_HANG",
    meaning: "What to do about a run in which every rank waits for so long",
    default: Some("report"),
};

/// Which world this process belongs to, if a recorded program started it.
pub const ORIGIN: Setting = Setting {
    flag: None,
    variable: "MPITRACE_ORIGIN",
    meaning: "Who started this process, if MPI_Comm_spawn did",
    default: None,
};

/// The library to preload, in place of the one that the command carries.
pub const PRELOAD: Setting = Setting {
    flag: Some("preload"),
    variable: "MPITRACE_PRELOAD",
    meaning: "Preload this library, and not the one that this command carries",
    default: None,
};

/// Whether receives under way get memory of their own.
pub const LANDING: Setting = Setting {
    flag: Some("landing"),
    variable: "MPITRACE_LANDING",
    meaning: "Let nonblocking receives land beside the program's buffers, to see whether it writes to them before they are complete; costs three copies of what is received",
    default: Some("0"),
};

/// Whether the pages of buffers under way are closed to the program.
pub const GUARD: Setting = Setting {
    flag: Some("guard"),
    variable: "MPITRACE_GUARD",
    meaning: "Close the pages of buffers under way, to see each line that writes to one, or reads one that receives, before it is complete; with --landing. On x86-64; costs some tenths of a millisecond an operation, and 10 us for each access to what shares a page with a buffer, until such a page is given up",
    default: Some("0"),
};

/// Whether the program follows the course of a recorded run, and what is done when it leaves it.
pub const ON_DIVERGENCE: Setting = Setting {
    flag: Some("on-divergence"),
    variable: "MPITRACE_ON_DIVERGENCE",
    meaning: "What to do when the program leaves the recorded course",
    default: Some("stop"),
};

/// Every setting.
pub const TABLE: [Setting; 17] = [
    OUTPUT,
    PARTS,
    JOB,
    LOCAL_RANKS,
    PAYLOAD,
    STACK,
    LAST,
    QUIET,
    PCONTROL,
    HANG_AFTER,
    ON_HANG,
    GATHER_PATIENCE,
    LANDING,
    GUARD,
    ORIGIN,
    ON_DIVERGENCE,
    PRELOAD,
];

/// What is done when a program that is replayed leaves the recorded course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDivergence {
    /// It is said, and the run is ended.
    #[default]
    Stop,
    /// It is said, and the rest of the course is followed where the program comes back to it.
    Warn,
    /// It is said, and the rank goes on without a course.
    Free,
}

impl OnDivergence {
    /// Its name in the environment.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OnDivergence::Stop => "stop",
            OnDivergence::Warn => "warn",
            OnDivergence::Free => "free",
        }
    }

    fn named(name: &str) -> Option<OnDivergence> {
        [OnDivergence::Stop, OnDivergence::Warn, OnDivergence::Free].into_iter().find(|mode| mode.name() == name)
    }
}

/// The file beside the segments that has the course of a rank.
#[must_use]
pub fn course_of(rank: u32) -> String {
    format!("rank-{rank}.course")
}

/// A number of bytes, as people write it: `64MiB`, `1.5GB`, `4096`.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Some((number * unit as f64) as u64)
}

/// The value of a variable in an environment as the kernel keeps it.
fn variable_in(environment: &[u8], name: &str) -> Option<OsString> {
    let value = environment.split(|&b| b == 0).find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    value.map(|value| OsString::from_vec(value.to_vec()))
}

/// What [`GATHER_PATIENCE`] is where nothing else is said.
pub const DEFAULT_GATHER_PATIENCE_S: u64 = 60;

/// The frames of [`STACK`] where nothing else is said, and the most that there can be.
pub const DEFAULT_STACK: usize = 16;
/// See [`DEFAULT_STACK`].
pub const STACK_MAX: usize = 64;

/// What the preload has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The trace to be: an absolute path.
    pub output: PathBuf,
    /// The directory of the segments: an absolute path, which exists when the program starts.
    pub parts: PathBuf,
    /// The token of this run, the same in all processes that `mpiexec` started together.
    pub job: String,
    /// How many ranks are on this machine, if the launcher says so.
    pub local_ranks: Option<u32>,
    /// So many seconds ranks wait in MPI_Finalize for those on other machines.
    pub gather_patience_s: u64,
    /// What is kept of the data that is sent and received.
    pub payload: Keep,
    /// So many frames of each stack are kept, from 1 to [`STACK_MAX`].
    pub stack: usize,
    /// The newest calls of a thread are kept, in so many bytes; 0 is all.
    pub last: u64,
    /// Print nothing.
    pub quiet: bool,
    /// MPI_Pcontrol switches nothing.
    pub ignores_pcontrol: bool,
    /// What is received by requests lands beside the program's buffers first.
    pub landing: bool,
    /// The pages of buffers under way are closed to the program; they land, too.
    pub guard: bool,
    /// Who started this process, if a recorded program did.
    pub origin: Option<Origin>,
    /// What is done when the program leaves the course that lies beside the segments; None if there is none to follow.
    pub on_divergence: Option<OnDivergence>,
}

/// What the variable of [`PCONTROL`] says where MPI_Pcontrol is to be ignored.
pub const IGNORE: &str = "ignore";

impl Settings {
    /// The settings of a recording to `output`, an absolute path, with everything else as it is by default.
    #[must_use]
    pub fn new(output: PathBuf, job: String) -> Settings {
        Settings {
            parts: with_suffix(&output, ".parts"),
            output,
            job,
            local_ranks: None,
            gather_patience_s: DEFAULT_GATHER_PATIENCE_S,
            payload: Keep::default(),
            stack: DEFAULT_STACK,
            last: 0,
            quiet: false,
            ignores_pcontrol: false,
            landing: false,
            guard: false,
            origin: None,
            on_divergence: None,
        }
    }

    /// What this process was told; None if `mpitrace record` did not start it, and there is nothing to record.
    #[must_use]
    pub fn from_environment() -> Option<Settings> {
        Settings::from_variables(|name| env::var_os(name)).or_else(|| {
            // The program may have cleared its environment since.
            let first = fs::read("/proc/self/environ").unwrap_or_default();
            Settings::from_variables(|name| variable_in(&first, name))
        })
    }

    /// The same, from whatever holds the variables.
    pub fn from_variables(get: impl Fn(&str) -> Option<OsString>) -> Option<Settings> {
        let path = |setting: Setting| get(setting.variable).map(PathBuf::from).filter(|p| p.is_absolute());
        let text = |setting: Setting| get(setting.variable)?.into_string().ok();
        Some(Settings {
            output: path(OUTPUT)?,
            parts: path(PARTS)?,
            job: text(JOB)?,
            local_ranks: text(LOCAL_RANKS).and_then(|t| t.parse().ok()),
            gather_patience_s: text(GATHER_PATIENCE).and_then(|t| t.parse().ok()).unwrap_or(DEFAULT_GATHER_PATIENCE_S),
            payload: text(PAYLOAD).and_then(|t| Keep::named(&t)).unwrap_or_default(),
            stack: text(STACK).and_then(|t| t.parse().ok()).unwrap_or(DEFAULT_STACK).clamp(1, STACK_MAX),
            last: text(LAST).and_then(|t| bytes(&t)).unwrap_or(0),
            quiet: text(QUIET).is_some_and(|t| is_true(&t)),
            ignores_pcontrol: text(PCONTROL).is_some_and(|t| t.eq_ignore_ascii_case(IGNORE)),
            landing: text(LANDING).is_some_and(|t| is_true(&t)),
            guard: text(GUARD).is_some_and(|t| is_true(&t)),
            origin: text(ORIGIN).and_then(|t| Origin::from_text(&t)),
            on_divergence: text(ON_DIVERGENCE).and_then(|t| OnDivergence::named(&t)),
        })
    }

    /// The variables that say the same.
    #[must_use]
    pub fn to_environment(&self) -> Vec<(&'static str, OsString)> {
        let mut list = vec![
            (OUTPUT.variable, self.output.clone().into()),
            (PARTS.variable, self.parts.clone().into()),
            (JOB.variable, self.job.clone().into()),
            (PAYLOAD.variable, self.payload.name().into()),
            (GATHER_PATIENCE.variable, self.gather_patience_s.to_string().into()),
            (STACK.variable, self.stack.to_string().into()),
            (LAST.variable, self.last.to_string().into()),
            (QUIET.variable, if self.quiet { "1" } else { "0" }.into()),
            (LANDING.variable, if self.landing { "1" } else { "0" }.into()),
            (GUARD.variable, if self.guard { "1" } else { "0" }.into()),
            (PCONTROL.variable, if self.ignores_pcontrol { IGNORE } else { "follow" }.into()),
        ];
        list.extend(self.on_divergence.map(|mode| (ON_DIVERGENCE.variable, mode.name().into())));
        list.extend(self.origin.as_ref().map(|origin| (ORIGIN.variable, origin.to_text().into())));
        list.extend(self.local_ranks.map(|ranks| (LOCAL_RANKS.variable, ranks.to_string().into())));
        list
    }
}

/// Whether a text switches something on; what says neither yes nor no does not.
#[must_use]
pub fn is_true(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// `path` with `suffix` at its end: beside `trace.msgpack` lie `trace.msgpack.parts` and `trace.msgpack.old`.
#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The variable by which the dynamic linker is told to load a library into a program.
pub const LD_PRELOAD: &str = "LD_PRELOAD";

/// Whether LD_PRELOAD can hold this path: it is a list, and has no way to quote.
#[must_use]
pub fn can_preload(library: &Path) -> bool {
    library.is_absolute() && !library.as_os_str().as_encoded_bytes().iter().any(|b| matches!(b, b':' | b' ' | b'\t' | b'\n'))
}

/// LD_PRELOAD with `library` behind what it has: sanitizers insist on being first.
#[must_use]
pub fn with_preload(existing: Option<&OsStr>, library: &Path) -> OsString {
    let mut list = existing.unwrap_or_default().to_owned();
    let ours = library.as_os_str().as_encoded_bytes();
    if list.as_encoded_bytes().split(|b| matches!(b, b':' | b' ')).any(|entry| entry == ours) {
        return list;
    }
    if !list.is_empty() {
        list.push(":");
    }
    list.push(library);
    list
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn example() -> Settings {
        Settings {
            payload: Keep::Full,
            stack: 9,
            local_ranks: Some(2),
            gather_patience_s: 5,
            quiet: true,
            ignores_pcontrol: true,
            landing: true,
            guard: true,
            on_divergence: Some(OnDivergence::Warn),
            ..Settings::new("/run/a b/trace.msgpack".into(), "token-1".into())
        }
    }

    #[test]
    fn what_is_told_is_what_is_heard() {
        let variables: HashMap<_, _> = example().to_environment().into_iter().collect();
        assert_eq!(Settings::from_variables(|name| variables.get(name).cloned()), Some(example()));
        assert_eq!(example().parts, Path::new("/run/a b/trace.msgpack.parts"));
    }

    #[test]
    fn every_variable_is_in_the_table() {
        for (variable, _) in example().to_environment() {
            assert!(TABLE.iter().any(|s| s.variable == variable), "{variable}");
        }
        assert_eq!(STACK.default, Some(DEFAULT_STACK.to_string().as_str()));
        assert_eq!(PAYLOAD.default, Some(Keep::default().name()));
        assert_eq!(GATHER_PATIENCE.default, Some(DEFAULT_GATHER_PATIENCE_S.to_string().as_str()));
    }

    #[test]
    fn nonsense_counts_as_absent_and_a_missing_place_as_no_recording() {
        let mut variables: HashMap<_, _> = example().to_environment().into_iter().collect();
        variables.insert(PAYLOAD.variable, "lots".into());
        variables.insert(QUIET.variable, "perhaps".into());
        variables.insert(PCONTROL.variable, "sometimes".into());
        let read = |v: &HashMap<&str, OsString>| Settings::from_variables(|name| v.get(name).cloned());
        let heard = read(&variables).expect("the rest is there");
        assert_eq!((heard.payload, heard.quiet, heard.ignores_pcontrol), (Keep::Digest, false, false));
        variables.insert(OUTPUT.variable, "relative".into());
        assert_eq!(read(&variables), None);
    }

    #[test]
    fn the_library_goes_behind_others_and_in_once() {
        let library = Path::new("/lib/ours.so");
        assert_eq!(with_preload(None, library), "/lib/ours.so");
        let list = with_preload(Some(OsStr::new("/lib/asan.so")), library);
        assert_eq!(list, "/lib/asan.so:/lib/ours.so");
        assert_eq!(with_preload(Some(&list), library), list);
    }

    #[test]
    fn a_path_that_the_linker_would_split_is_refused() {
        assert!(can_preload(Path::new("/lib/ours.so")));
        for path in ["ours.so", "/my lib/ours.so", "/a:b/ours.so"] {
            assert!(!can_preload(Path::new(path)), "{path}");
        }
    }
}
