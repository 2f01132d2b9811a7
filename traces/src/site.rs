//! Places in a program: the addresses that called MPI and those that led there, and the files that they lie in.
//!
//! The recorder notes a build-id and an offset, which costs nothing; what file and line that is, is found when somebody asks
//! (`symbols`).

/// The number of a [`Site`] in its [`Trace`](crate::Trace).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u32);

/// The number of a [`Frame`] in its [`Trace`](crate::Trace).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub u32);

/// A place in a function that was being executed, and the one that had called that function. Stacks that begin alike share their frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Frame {
    /// The place.
    pub site: SiteId,
    /// Who called this function; None if it is the outermost that was recorded.
    pub caller: Option<FrameId>,
}

/// The most callers of a place that are looked at: more than are ever recorded.
const STACK_MAX: usize = 1 << 10;

/// The places of a stack, from the innermost outwards. `frames` is [`Trace::frames`](crate::Trace::frames).
pub fn outwards(frames: &[Frame], innermost: Frame) -> impl Iterator<Item = SiteId> + '_ {
    // A trace that was made by hand might go round in circles.
    let caller = |frame: &Frame| frames.get(frame.caller?.0 as usize).copied();
    std::iter::successors(Some(innermost), caller).take(STACK_MAX).map(|frame| frame.site)
}

/// The place that a call was made from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// The file of machine code, as a number in [`Trace::objects`](crate::Trace::objects).
    pub object: u32,
    /// The address after the call instruction, relative to where the file was loaded.
    pub offset: u64,
    /// What the program called here, if that was not MPI itself: the method of a binding that made the call, such as `Comm.bcast`.
    pub method: Option<Box<str>>,
}

/// A file of machine code: the program, or a shared library. Or a function of a script, of which the offsets are line numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Its path when it was recorded.
    pub path: Box<str>,
    /// Its build-id in hexadecimal, empty if it has none. Of a script: [`Object::script`] says.
    pub build_id: Box<str>,
}

/// What stands where a script has no build-id, and before the name of the function.
const SCRIPT: &str = "script ";

impl Object {
    /// A function of a script.
    #[must_use]
    pub fn script(file: &str, function: &str) -> Object {
        Object { path: file.into(), build_id: format!("{SCRIPT}{function}").into() }
    }

    /// The function, if this is one of a script.
    #[must_use]
    pub fn script_function(&self) -> Option<&str> {
        self.build_id.strip_prefix(SCRIPT)
    }
}
