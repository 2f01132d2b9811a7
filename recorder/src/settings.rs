//! The contract of the two halves of recording: what the launcher tells the preload, through the environment.
//!
//! One table has each setting's flag, variable, meaning and default; the command line, the help text and both halves take them from
//! here. A value that makes no sense counts as absent: nothing in an environment may keep a program from running.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

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

/// The library to preload, in place of the one that the command carries.
pub const PRELOAD: Setting = Setting {
    flag: Some("preload"),
    variable: "MPITRACE_PRELOAD",
    meaning: "Preload this library, and not the one that this command carries",
    default: None,
};

/// Every setting.
pub const TABLE: [Setting; 10] = [OUTPUT, PARTS, JOB, PAYLOAD, STACK, QUIET, PCONTROL, HANG_AFTER, ON_HANG, PRELOAD];

/// The value of a variable in an environment as the kernel keeps it.
fn variable_in(environment: &[u8], name: &str) -> Option<OsString> {
    let value = environment.split(|&b| b == 0).find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    value.map(|value| OsString::from_vec(value.to_vec()))
}

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
    /// What is kept of the data that is sent and received.
    pub payload: Keep,
    /// So many frames of each stack are kept, from 1 to [`STACK_MAX`].
    pub stack: usize,
    /// Print nothing.
    pub quiet: bool,
    /// MPI_Pcontrol switches nothing.
    pub ignores_pcontrol: bool,
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
            payload: Keep::default(),
            stack: DEFAULT_STACK,
            quiet: false,
            ignores_pcontrol: false,
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
            payload: text(PAYLOAD).and_then(|t| Keep::named(&t)).unwrap_or_default(),
            stack: text(STACK).and_then(|t| t.parse().ok()).unwrap_or(DEFAULT_STACK).clamp(1, STACK_MAX),
            quiet: text(QUIET).is_some_and(|t| is_true(&t)),
            ignores_pcontrol: text(PCONTROL).is_some_and(|t| t.eq_ignore_ascii_case(IGNORE)),
        })
    }

    /// The variables that say the same.
    #[must_use]
    pub fn to_environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            (OUTPUT.variable, self.output.clone().into()),
            (PARTS.variable, self.parts.clone().into()),
            (JOB.variable, self.job.clone().into()),
            (PAYLOAD.variable, self.payload.name().into()),
            (STACK.variable, self.stack.to_string().into()),
            (QUIET.variable, if self.quiet { "1" } else { "0" }.into()),
            (PCONTROL.variable, if self.ignores_pcontrol { IGNORE } else { "follow" }.into()),
        ]
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
            quiet: true,
            ignores_pcontrol: true,
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
        assert_eq!(PAYLOAD.default, Some(Keep::default().name()));
        assert_eq!(STACK.default, Some(DEFAULT_STACK.to_string().as_str()));
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
