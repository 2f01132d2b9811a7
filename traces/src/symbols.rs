//! Call sites as file and line, from the debug information of the recorded program.
//!
//! This reads the machine code where it lay when it was recorded (and what Debian's debug packages put beside it), on the machine
//! where somebody asks. Nothing here fails: what cannot be known is missing from the [`Location`], which says why.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use addr2line::{Loader, demangle_auto};
use object::{Object as _, ReadCache};

use crate::site::{Frame, Object, Site, SiteId, outwards};
use crate::trace::Trace;

/// A call site as a person knows it.
///
/// It prints as `ring.c:41`, and with the whole path in the alternate form, `{:#}`; where no line is known, as
/// `lmp+0x1234 (no debug info)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The source file, with its directory as the compiler knew it.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column, counted from 1.
    pub column: Option<u32>,
    /// The function that the line is in.
    pub function: Option<String>,
    /// The file of machine code; empty if the trace does not say.
    pub object: String,
    /// The address after the call instruction, relative to where the object was loaded.
    pub offset: u64,
    /// Why there is no file and line.
    pub missing: Option<Missing>,
}

/// Why a call site has no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The trace has no such site, or no object for it.
    Unknown,
    /// The file of machine code cannot be opened here.
    Gone,
    /// The file at this path has another build-id than the one that was recorded.
    Changed,
    /// It was compiled without line numbers.
    NoDebugInfo,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Missing::Unknown => "not recorded",
            Missing::Gone => "file not found",
            Missing::Changed => "changed since it was recorded",
            Missing::NoDebugInfo => "no debug info",
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &str| if f.alternate() { path.to_owned() } else { last_part(path).to_owned() };
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}", shown(file)),
            (Some(file), None) => f.write_str(&shown(file)),
            (None, _) => {
                let object = if self.object.is_empty() { "?".to_owned() } else { shown(&self.object) };
                let missing = self.missing.unwrap_or(Missing::NoDebugInfo);
                write!(f, "{object}+{:#x} ({missing})", self.offset)
            }
        }
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Finds the lines of the sites of one trace. It opens each object once, when the first of its sites is asked for.
pub struct Resolver {
    sites: Vec<Site>,
    frames: Vec<Frame>,
    objects: Vec<Object>,
    opened: Vec<OnceCell<Result<Code, Missing>>>,
}

impl Resolver {
    /// A resolver for the sites of this trace.
    #[must_use]
    pub fn new(trace: &Trace) -> Resolver {
        Resolver {
            sites: trace.sites.clone(),
            frames: trace.frames.clone(),
            objects: trace.objects.clone(),
            opened: trace.objects.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    /// Where this site is: of functions that were inlined into each other, the innermost of the user's own.
    #[must_use]
    pub fn resolve(&self, site: SiteId) -> Location {
        Stack::of(self.functions(site)).line().clone()
    }

    /// The line of the user's own from which a call was made.
    #[must_use]
    pub fn line(&self, frame: Frame) -> Location {
        let mut innermost = None;
        for location in outwards(&self.frames, frame).flat_map(|site| self.functions(site)) {
            if location.is_users() {
                return location;
            }
            innermost.get_or_insert(location);
        }
        innermost.unwrap_or_else(|| self.resolve(frame.site))
    }

    /// Where a call was made, and what led there.
    #[must_use]
    pub fn stack(&self, frame: Frame) -> Stack {
        Stack::of(outwards(&self.frames, frame).flat_map(|site| self.functions(site)).collect())
    }

    /// The functions that this site is in, which were inlined into each other: the innermost first, and always one.
    fn functions(&self, site: SiteId) -> Vec<Location> {
        let mut location = Location {
            file: None,
            line: None,
            column: None,
            function: None,
            object: String::new(),
            offset: 0,
            missing: Some(Missing::Unknown),
        };
        let Some(site) = self.sites.get(site.0 as usize) else { return vec![location] };
        location.offset = site.offset;
        let at = site.object as usize;
        let Some(object) = self.objects.get(at) else { return vec![location] };
        location.object = object.path.to_string();
        if let Some(function) = object.script_function() {
            let file = if object.path.is_empty() { "the interpreter, as it ends" } else { &object.path };
            location.file = Some(file.to_owned());
            location.line = u32::try_from(site.offset).ok().filter(|line| *line > 0);
            location.function = Some(function.to_owned()).filter(|function| !function.is_empty());
            location.missing = None;
            return vec![location];
        }
        match self.opened[at].get_or_init(|| Code::open(object)) {
            Ok(code) => code.functions(location),
            Err(missing) => vec![Location { missing: Some(*missing), ..location }],
        }
    }
}

/// Where a call was made, and what led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The places, the innermost first; always one.
    pub frames: Vec<Location>,
    /// Which of them is shown: the innermost in a source of the user's own, or else the innermost.
    pub shown: usize,
}

impl Stack {
    /// The stack of these places.
    #[must_use]
    pub fn of(frames: Vec<Location>) -> Stack {
        let shown = frames.iter().position(Location::is_users).unwrap_or(0);
        Stack { frames, shown }
    }

    /// The line that is shown.
    #[must_use]
    pub fn line(&self) -> &Location {
        &self.frames[self.shown]
    }

    /// By way of which functions of libraries that line calls MPI, the innermost first.
    #[must_use]
    pub fn libraries(&self) -> &[Location] {
        &self.frames[..self.shown]
    }

    /// Who called the function with that line, the innermost first.
    #[must_use]
    pub fn callers(&self) -> &[Location] {
        &self.frames[self.shown + 1..]
    }
}

impl Location {
    /// Whether it is a line of the program itself, and not of a library or a compiler.
    #[must_use]
    pub fn is_users(&self) -> bool {
        let is_own = |file: &str| !DEPENDENCIES.iter().any(|part| file.contains(part));
        let is_installed = SYSTEM.iter().any(|directory| self.object.starts_with(directory));
        self.line.is_some() && self.file.as_deref().is_some_and(is_own) && !is_installed
    }

    /// The function, its file and line in a few words: `solve (solver.c:12)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.function {
            // The top level of a script is in no function.
            Some(function) if function == "<module>" => self.to_string(),
            Some(function) if self.file.is_some() => format!("{function} ({self})"),
            Some(function) => format!("{function} ({})", last_part(&self.object)),
            None => self.to_string(),
        }
    }
}

/// What the paths of sources have that belong to a library or a compiler.
const DEPENDENCIES: [&str; 8] = [
    "/.cargo/registry/",
    "/.cargo/git/",
    "/rustc/",
    "/usr/include/",
    "/site-packages/",
    "/dist-packages/",
    "/lib/python3",
    "<frozen ",
];

/// Where the libraries of the system are.
const SYSTEM: [&str; 4] = ["/usr/lib", "/lib/", "/lib64/", "/usr/local/lib"];

/// An object that was opened.
struct Code {
    /// Its symbols, and its lines if they were not split off.
    own: Loader,
    /// Its lines from a separate file.
    split_off: Option<Loader>,
}

impl Code {
    fn open(object: &Object) -> Result<Code, Missing> {
        let path = Path::new(&*object.path);
        let cache = ReadCache::new(File::open(path).map_err(|_| Missing::Gone)?);
        let file = object::File::parse(&cache).map_err(|_| Missing::Changed)?;
        let build_id = hexadecimal(file.build_id().ok().flatten().unwrap_or_default());
        if !object.build_id.is_empty() && *build_id != *object.build_id {
            return Err(Missing::Changed);
        }
        let split_off = match file.section_by_name(".debug_line") {
            Some(_) => None,
            None => debug_file(&build_id).and_then(|path| Loader::new(path).ok()),
        };
        let own = Loader::new(path).map_err(|_| Missing::NoDebugInfo)?;
        Ok(Code { own, split_off })
    }

    /// The functions that were inlined into each other where a call returns to this place, the innermost first.
    fn functions(&self, place: Location) -> Vec<Location> {
        // The return address may belong to the next line, or the next function: the byte before it is in the call.
        let address = place.offset.saturating_sub(1);
        let lines = self.split_off.as_ref().unwrap_or(&self.own);
        let mut found = frames(lines, address, &place);
        if found.is_empty() {
            found.push(Location { missing: Some(Missing::NoDebugInfo), ..place });
        }
        if let Some(outermost) = found.last_mut().filter(|location| location.function.is_none()) {
            let symbol = self.own.find_symbol(address);
            outermost.function = symbol.map(|name| of_module(&demangle_auto(Cow::from(name), None)));
        }
        found
    }
}

/// The lines of the functions at an address, in the object of this place.
fn frames(lines: &Loader, address: u64, place: &Location) -> Vec<Location> {
    let mut found = Vec::new();
    let Ok(mut frames) = lines.find_frames(address) else { return found };
    while let Ok(Some(frame)) = frames.next() {
        let Some(line) = frame.location else { continue };
        let (Some(file), Some(number)) = (line.file, line.line) else { continue };
        found.push(Location {
            file: Some(tidy(file)),
            line: Some(number),
            column: line.column.filter(|&column| column > 0),
            function: frame.function.and_then(|f| f.demangle().ok().map(|name| of_module(&name))),
            missing: None,
            ..place.clone()
        });
    }
    found
}

/// A function as it is called in its language: gfortran names those of modules `__module_MOD_function`.
fn of_module(name: &str) -> String {
    match name.strip_prefix("__").and_then(|rest| rest.split_once("_MOD_")) {
        Some((module, function)) => format!("{module}::{function}"),
        None => name.to_owned(),
    }
}

/// The path without `.` and doubled slashes.
fn tidy(path: &str) -> String {
    Path::new(path).components().collect::<PathBuf>().to_string_lossy().into_owned()
}

/// Where the debug packages of Debian and Fedora put the lines of an object.
fn debug_file(build_id: &str) -> Option<PathBuf> {
    let (first, rest) = build_id.split_at_checked(2)?;
    let path = PathBuf::from(format!("/usr/lib/debug/.build-id/{first}/{rest}.debug"));
    path.exists().then_some(path)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::builder::TraceBuilder;

    /// Prints, for three calls of `call`, the return address relative to where the program was loaded.
    const PROGRAM: &str = r#"#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
static int first(struct dl_phdr_info *info, size_t size, void *base) {
    *(ElfW(Addr) *)base = info->dlpi_addr;
    return 1;
}
__attribute__((noinline)) void call(void) {
    ElfW(Addr) base;
    dl_iterate_phdr(first, &base);
    printf("%lx\n", (long)__builtin_return_address(0) - (long)base);
}
#include "wrapper.h"
static inline __attribute__((always_inline)) void inlined(void) {
    call();
}
int main(void) {
    call();
    inlined();
    wrapper();
    return 0;
}
"#;
    const WRAPPER: &str = "static inline __attribute__((always_inline)) void wrapper(void) { call(); }\n";

    /// Compiles the program in `directory` and gives a resolver for its three sites.
    fn compiled(directory: &Path, options: &[&str]) -> (Resolver, [SiteId; 3]) {
        let library = directory.join(".cargo/registry/wrapper");
        fs::create_dir_all(&library).unwrap();
        fs::write(library.join("wrapper.h"), WRAPPER).unwrap();
        let (source, program) = (directory.join("ring.c"), directory.join("ring"));
        fs::write(&source, PROGRAM).unwrap();
        let mut cc = Command::new("cc");
        cc.args(options).arg("-Wl,--build-id").arg("-I").arg(library).arg("-o").arg(&program).arg(&source);
        assert!(cc.status().expect("a C compiler is part of every test machine").success());
        let output = Command::new(&program).output().unwrap();
        let offsets = String::from_utf8(output.stdout).unwrap();
        let bytes = fs::read(&program).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let build_id = hexadecimal(file.build_id().unwrap().unwrap()).into();
        let path = program.to_str().unwrap().into();

        let mut builder = TraceBuilder::new();
        let object = builder.object(Object { path, build_id });
        let mut sites = offsets.lines().map(|offset| {
            let offset = u64::from_str_radix(offset, 16).unwrap();
            builder.site(Site { object, offset, method: None })
        });
        let sites = [(); 3].map(|()| sites.next().unwrap());
        (Resolver::new(&builder.finish()), sites)
    }

    #[test]
    fn a_site_is_the_line_of_the_call_wherever_the_program_is_loaded() {
        for place in ["-pie", "-no-pie"] {
            let directory = tempfile::tempdir().unwrap();
            let position = if place == "-pie" { "-fPIE" } else { "-fno-pie" };
            let (resolver, [direct, inlined, wrapped]) = compiled(directory.path(), &["-g", "-O2", position, place]);
            let at = resolver.resolve(direct);
            assert_eq!((at.to_string(), at.function.as_deref()), ("ring.c:18".to_owned(), Some("main")), "{place}");
            assert_eq!(format!("{at:#}"), format!("{}:18", directory.path().join("ring.c").display()));
            let at = resolver.resolve(inlined);
            assert_eq!((at.to_string(), at.function.as_deref()), ("ring.c:15".to_owned(), Some("inlined")));
            assert_eq!(resolver.resolve(wrapped).to_string(), "ring.c:20", "the user's line, not the library's");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let (resolver, [direct, ..]) = compiled(directory.path(), &["-O2"]);
        let at = resolver.resolve(direct);
        assert_eq!(at.to_string(), format!("ring+{:#x} (no debug info)", at.offset));
        assert_eq!(at.function.as_deref(), Some("main"), "from the symbol table");
        assert_eq!(resolver.resolve(SiteId(99)).missing, Some(Missing::Unknown));

        let (before, [direct, ..]) = compiled(directory.path(), &["-g", "-O2"]);
        compiled(directory.path(), &["-g", "-O0"]);
        assert_eq!(before.resolve(direct).missing, Some(Missing::Changed));

        let (before, [direct, ..]) = compiled(directory.path(), &["-g", "-O2"]);
        fs::remove_file(directory.path().join("ring")).unwrap();
        assert_eq!(before.resolve(direct).missing, Some(Missing::Gone));
    }
}
