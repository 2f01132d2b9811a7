//! The sources of a recorded program as they lie on this machine, for reports and the viewer to quote.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sim::report::{Quote, Sources};
use traces::symbols::{Location, Resolver, Stack};
use traces::{Frame, Trace};

/// Sources in files. Each site is looked up, and each file read, once.
pub struct SourceFiles {
    resolver: Resolver,
    root: PathBuf,
    /// Whether the sources were moved to the root since the program was compiled.
    moved: bool,
    stacks: RefCell<HashMap<Frame, Stack>>,
    texts: RefCell<HashMap<String, Option<Vec<String>>>>,
}

impl SourceFiles {
    /// The sources of the program that was recorded. Paths are shown relative to `root`, or else to the working directory.
    ///
    /// A source that is not where it was compiled is looked for below `root`: `/build/app/src/ring.c` as `app/src/ring.c`,
    /// `src/ring.c` and `ring.c`.
    #[must_use]
    pub fn new(trace: &Trace, root: Option<&Path>) -> SourceFiles {
        let working = std::env::current_dir().unwrap_or_default();
        SourceFiles {
            resolver: Resolver::new(trace),
            root: root.map_or(working, |root| fs::canonicalize(root).unwrap_or_else(|_| root.to_owned())),
            moved: root.is_some(),
            stacks: RefCell::default(),
            texts: RefCell::default(),
        }
    }

    /// The path of a source as it is shown.
    fn shown(&self, file: &str) -> String {
        let path = Path::new(file);
        if let Ok(relative) = path.strip_prefix(&self.root) {
            return relative.to_string_lossy().into_owned();
        }
        if self.moved && !path.exists() {
            let mut rest = path.components();
            while rest.next().is_some() {
                let tail = rest.as_path();
                if !tail.as_os_str().is_empty() && self.root.join(tail).is_file() {
                    return tail.to_string_lossy().into_owned();
                }
            }
        }
        file.to_owned()
    }

    fn read(&self, file: &str) -> Option<Vec<String>> {
        let bytes = fs::read(self.root.join(file)).ok()?;
        Some(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }
}

impl Sources for SourceFiles {
    fn stack(&self, frame: Frame) -> Stack {
        let resolve = || {
            let mut stack = self.resolver.stack(frame);
            for location in &mut stack.frames {
                location.file = location.file.as_deref().map(|file| self.shown(file));
            }
            stack
        };
        self.stacks.borrow_mut().entry(frame).or_insert_with(resolve).clone()
    }

    fn quote(&self, location: &Location) -> Quote {
        let (Some(file), Some(line)) = (&location.file, location.line) else { return Quote::Absent };
        let mut texts = self.texts.borrow_mut();
        let lines = texts.entry(file.clone()).or_insert_with(|| self.read(file));
        let at = (line as usize).checked_sub(1);
        let Some(text) = lines.as_ref().zip(at).and_then(|(lines, at)| lines.get(at)) else { return Quote::Absent };
        // Another line than the one that was compiled is worse than none.
        let times = modified(&self.root.join(file)).zip(modified(Path::new(&location.object)));
        if times.is_some_and(|(source, program)| source > program) { Quote::Newer } else { Quote::Line(text.clone()) }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_source_is_found_where_it_was_moved_to() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("src")).unwrap();
        fs::write(root.path().join("src/ring.c"), "first\nsecond\n").unwrap();
        let moved = SourceFiles::new(&Trace::default(), Some(root.path()));
        assert_eq!(moved.shown("/nowhere/app/src/ring.c"), "src/ring.c");
        assert_eq!(moved.shown("/nowhere/app/src/halo.c"), "/nowhere/app/src/halo.c");
        let inside = fs::canonicalize(root.path()).unwrap().join("src/ring.c");
        assert_eq!(moved.shown(inside.to_str().unwrap()), "src/ring.c");

        let program = root.path().join("ring");
        let at = |line: u32| Location {
            file: Some("src/ring.c".to_owned()),
            line: Some(line),
            column: None,
            function: None,
            object: program.to_str().unwrap().to_owned(),
            offset: 0,
            missing: None,
        };
        fs::write(&program, "").unwrap();
        let compiled = |when| fs::File::open(&program).unwrap().set_modified(when).unwrap();
        compiled(SystemTime::now() + Duration::from_secs(1000));
        assert_eq!(moved.quote(&at(2)), Quote::Line("second".to_owned()));
        assert_eq!((moved.quote(&at(0)), moved.quote(&at(3))), (Quote::Absent, Quote::Absent));
        assert_eq!(moved.quote(&Location { file: Some("none.c".to_owned()), ..at(1) }), Quote::Absent);
        compiled(SystemTime::UNIX_EPOCH);
        assert_eq!(moved.quote(&at(2)), Quote::Newer);

        let unmoved = SourceFiles::new(&Trace::default(), None);
        assert_eq!(unmoved.shown("/nowhere/app/src/ring.c"), "/nowhere/app/src/ring.c");
    }
}
