//! The lines of Python that a call comes from.
//!
//! Between a Python program and MPI stands an extension module (mpi4py), and what the user wrote is the line that the interpreter is at, and
//! those that led there. They can only be asked for while the interpreter's lock is held, and waiting for the lock could hang a program that did not. So the
//! module's own giving up of the lock, before each call that may take long, goes by here and notes the stack; what is called with
//! the lock held is looked up at once. Neither takes any lock of the interpreter's.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::frames::{self, Frame, Place};
use crate::lane::{THREAD, Thread};
use crate::loader::{self, Object};
use crate::methods::Methods;
use crate::process;
use crate::ranges::Ranges;
use crate::relocations::{each_import, read_slot, write_slot};
use crate::stacks::Found;

/// A line of a script.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The function, `<module>` at the top level.
    pub function: String,
    /// The line, counted from 1.
    pub number: u32,
}

/// The code of the extension modules that call MPI.
static MODULES: Ranges = Ranges::new();
/// The code of the interpreter.
static ITSELF: Ranges = Ranges::new();
/// What the interpreter calls itself, such as the MPI_Finalize that mpi4py has left to its end.
static AT_EXIT: Line = Line { file: String::new(), function: String::new(), number: 0 };

type Pointer = *mut c_void;

/// The functions of CPython that are needed. All are part of its stable or documented interface since 3.9.
struct Interpreter {
    is_initialized: unsafe extern "C" fn() -> c_int,
    holds_lock: unsafe extern "C" fn() -> c_int,
    frame: unsafe extern "C" fn() -> Pointer,
    caller: unsafe extern "C" fn(Pointer) -> Pointer,
    /// How far a frame has come in its code; only since 3.11.
    position: Option<unsafe extern "C" fn(Pointer) -> c_int>,
    line_number: unsafe extern "C" fn(Pointer) -> c_int,
    code: unsafe extern "C" fn(Pointer) -> Pointer,
    attribute: unsafe extern "C" fn(Pointer, *const c_char) -> Pointer,
    text: unsafe extern "C" fn(Pointer) -> *const c_char,
    retain: unsafe extern "C" fn(Pointer),
    release: unsafe extern "C" fn(Pointer),
    clear_error: unsafe extern "C" fn(),
    give_lock: unsafe extern "C" fn() -> Pointer,
    take_lock: unsafe extern "C" fn(Pointer),
}

fn interpreter() -> Option<&'static Interpreter> {
    static INTERPRETER: OnceLock<Option<Interpreter>> = OnceLock::new();
    INTERPRETER.get_or_init(Interpreter::find).as_ref()
}

impl Interpreter {
    fn find() -> Option<Interpreter> {
        let symbol = loader::program_symbol;
        // SAFETY: these names have had these signatures in all versions of CPython 3.
        unsafe {
            use std::mem::transmute;
            Some(Interpreter {
                is_initialized: transmute::<usize, unsafe extern "C" fn() -> c_int>(symbol(c"Py_IsInitialized")?),
                holds_lock: transmute::<usize, unsafe extern "C" fn() -> c_int>(symbol(c"PyGILState_Check")?),
                frame: transmute::<usize, unsafe extern "C" fn() -> Pointer>(symbol(c"PyEval_GetFrame")?),
                caller: transmute::<usize, unsafe extern "C" fn(Pointer) -> Pointer>(symbol(c"PyFrame_GetBack")?),
                position: symbol(c"PyFrame_GetLasti").map(|at| transmute::<usize, unsafe extern "C" fn(Pointer) -> c_int>(at)),
                line_number: transmute::<usize, unsafe extern "C" fn(Pointer) -> c_int>(symbol(c"PyFrame_GetLineNumber")?),
                code: transmute::<usize, unsafe extern "C" fn(Pointer) -> Pointer>(symbol(c"PyFrame_GetCode")?),
                attribute: transmute::<usize, unsafe extern "C" fn(Pointer, *const c_char) -> Pointer>(symbol(
                    c"PyObject_GetAttrString",
                )?),
                text: transmute::<usize, unsafe extern "C" fn(Pointer) -> *const c_char>(symbol(c"PyUnicode_AsUTF8")?),
                retain: transmute::<usize, unsafe extern "C" fn(Pointer)>(symbol(c"Py_IncRef")?),
                release: transmute::<usize, unsafe extern "C" fn(Pointer)>(symbol(c"Py_DecRef")?),
                clear_error: transmute::<usize, unsafe extern "C" fn()>(symbol(c"PyErr_Clear")?),
                give_lock: transmute::<usize, unsafe extern "C" fn() -> Pointer>(symbol(c"PyEval_SaveThread")?),
                take_lock: transmute::<usize, unsafe extern "C" fn(Pointer)>(symbol(c"PyEval_RestoreThread")?),
            })
        }
    }

    /// The word for the stack that this thread is at, at most `depth` frames of it.
    ///
    /// # Safety
    /// The thread holds the interpreter's lock.
    unsafe fn stack(&self, depth: usize) -> Option<usize> {
        let mut frames = Vec::with_capacity(depth.min(DEPTH_MAX));
        // SAFETY: the lock is held; the first frame is borrowed and stays while we look at it, its callers and all code are ours until they
        // are released.
        unsafe {
            let mut frame = (self.frame)();
            while !frame.is_null() && frames.len() < frames.capacity() {
                let position = self.position.unwrap_or(self.line_number);
                frames.push(At { frame, code: (self.code)(frame), position: position(frame) });
                frame = (self.caller)(frame);
            }
            if frames.len() == frames.capacity() && !frame.is_null() {
                (self.release)(frame);
            }
            let word = self.known_stack(&frames);
            for (nth, at) in frames.iter().enumerate() {
                (self.release)(at.code);
                if nth > 0 {
                    (self.release)(at.frame);
                }
            }
            word
        }
    }

    /// The word for a stack, the innermost frame first.
    ///
    /// # Safety
    /// The thread holds the interpreter's lock, and the frames are alive.
    unsafe fn known_stack(&self, stack: &[At]) -> Option<usize> {
        let mut known = known();
        let key: Vec<(usize, c_int)> = stack.iter().map(|at| (at.code as usize, at.position)).collect();
        if let Some(&word) = known.stacks.get(&*key) {
            return Some(word);
        }
        let mut innermost: Option<&'static Frame> = None;
        for at in stack.iter().rev() {
            // SAFETY: as the caller's.
            let line = unsafe { self.known_line(&mut known, at)? };
            let place = Place::Script(line);
            innermost = Some(frames::frame(place, innermost, None).or_else(|| frames::frame(place, None, None))?);
        }
        let word = frames::word(innermost?);
        if known.stacks.len() >= STACKS_MAX {
            known.stacks.clear();
        }
        known.stacks.insert(key.into(), word);
        Some(word)
    }

    /// The line that a frame is at.
    ///
    /// # Safety
    /// The thread holds the interpreter's lock, and the frame is alive.
    unsafe fn known_line(&self, known: &mut Known, at: &At) -> Option<&'static Line> {
        if let Some(line) = known.lines.get(&(at.code as usize, at.position)) {
            return Some(line);
        }
        if known.lines.len() >= LINES_MAX {
            return None;
        }
        // SAFETY: as the caller's. The reference that is taken here is never given back, so that this address of a code object never
        // comes to mean another one.
        let (file, function, number) = unsafe {
            (self.retain)(at.code);
            let function = self.attribute(at.code, c"co_qualname").or_else(|| self.attribute(at.code, c"co_name"));
            (self.attribute(at.code, c"co_filename")?, function.unwrap_or_default(), (self.line_number)(at.frame))
        };
        let file = std::path::absolute(&file).map_or(file, |path| path.to_string_lossy().into_owned());
        let line = Line { file, function, number: u32::try_from(number).unwrap_or(0) };
        // Several places in the code may lie on one line.
        let line = known.distinct.get(&line).copied().unwrap_or_else(|| Box::leak(Box::new(line)));
        known.distinct.insert(line);
        known.lines.insert((at.code as usize, at.position), line);
        Some(line)
    }

    /// A string attribute of an object.
    ///
    /// # Safety
    /// The thread holds the interpreter's lock, and the object is alive.
    unsafe fn attribute(&self, object: Pointer, name: &CStr) -> Option<String> {
        // SAFETY: as the caller's; the value is released when it has been read.
        unsafe {
            let value = (self.attribute)(object, name.as_ptr());
            let text = if value.is_null() { std::ptr::null() } else { (self.text)(value) };
            let found = (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned());
            if found.is_none() {
                (self.clear_error)();
            }
            if !value.is_null() {
                (self.release)(value);
            }
            found
        }
    }
}

/// A frame of the interpreter.
struct At {
    frame: Pointer,
    code: Pointer,
    /// How far it has come in its code, or the line where the interpreter does not tell that.
    position: c_int,
}

/// The most frames that are looked at.
pub const DEPTH_MAX: usize = 64;
/// The most lines that are told apart, and the most stacks that are remembered at a time.
const LINES_MAX: usize = 1 << 16;
const STACKS_MAX: usize = 1 << 14;

/// What was seen, by code object and how far it has come. Each line lives for ever.
#[derive(Default)]
struct Known {
    lines: FxHashMap<(usize, c_int), &'static Line>,
    distinct: FxHashSet<&'static Line>,
    stacks: FxHashMap<Box<[(usize, c_int)]>, usize>,
}

fn known() -> MutexGuard<'static, Known> {
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the modules among these objects that call MPI come by here when they give up the interpreter's lock.
pub fn look_at(objects: &[Object]) {
    let Some(interpreter) = interpreter() else { return };
    let hooks = [
        (interpreter.give_lock as usize, give_lock as *const () as usize),
        (interpreter.take_lock as usize, take_lock as *const () as usize),
    ];
    objects.iter().filter(|object| object.contains(interpreter.frame as usize)).for_each(|object| ITSELF.add(object));
    let calls_for_modules =
        |object: &&Object| object.path().file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"libffi"));
    objects.iter().filter(calls_for_modules).for_each(|object| MODULES.add(object));
    for object in objects {
        let (mut calls_mpi, mut slots) = (false, Vec::new());
        each_import(object, |import| {
            // What calls functions that scripts name (ctypes, cffi) may call those of MPI.
            calls_mpi |= import.name.to_bytes().starts_with(b"MPI_") || import.name == c"ffi_call";
            match import.name.to_bytes() {
                b"PyEval_SaveThread" => slots.push((import.slot, hooks[0])),
                b"PyEval_RestoreThread" => slots.push((import.slot, hooks[1])),
                _ => {}
            }
        });
        if calls_mpi && !slots.is_empty() {
            MODULES.add(object);
            // A slot that holds something else is another tool's.
            slots
                .into_iter()
                .filter(|(slot, (real, _))| read_slot(*slot) == *real)
                .for_each(|(slot, (_, hook))| write_slot(slot, hook));
        }
    }
}

/// In the place of PyEval_SaveThread.
unsafe extern "C-unwind" fn give_lock() -> Pointer {
    let Some(interpreter) = interpreter() else { return std::ptr::null_mut() };
    // SAFETY: whoever gives up the lock holds it.
    let stack = if process::is_on() { unsafe { interpreter.stack(process::depth()) } } else { None };
    THREAD.with(|thread| thread.python_stack.set(stack.unwrap_or(0)));
    // SAFETY: as above.
    unsafe { (interpreter.give_lock)() }
}

/// In the place of PyEval_RestoreThread.
unsafe extern "C-unwind" fn take_lock(state: Pointer) {
    THREAD.with(|thread| thread.python_stack.set(0));
    if let Some(interpreter) = interpreter() {
        // SAFETY: the caller's argument, passed on.
        unsafe { (interpreter.take_lock)(state) };
    }
}

/// Whether an address is of an extension module that calls MPI.
#[inline]
pub fn is_module(address: usize) -> bool {
    MODULES.contain(address)
}

/// Whether an address is of the interpreter itself.
#[inline]
pub fn is_interpreter(address: usize) -> bool {
    ITSELF.contain(address)
}

/// The word for the stack that a call comes from: that of Python, if it comes from a module that is called by Python.
#[inline]
pub fn stack(thread: &Thread, methods: &mut Methods, found: Found) -> usize {
    if is_module(found.stack) {
        current(thread).map_or(found.stack, |stack| methods.of(stack, found.method))
    } else if is_interpreter(found.stack) {
        at_exit().unwrap_or(found.stack)
    } else {
        found.stack
    }
}

/// The stack that Python is at, if it can be known.
fn current(thread: &Thread) -> Option<usize> {
    let noted = thread.python_stack.get();
    if noted != 0 {
        return Some(noted);
    }
    let interpreter = interpreter()?;
    // SAFETY: both functions can be called at any time, also before the interpreter has begun and after it has ended.
    let (is_initialized, holds_lock) = unsafe { ((interpreter.is_initialized)() != 0, (interpreter.holds_lock)() == 1) };
    if is_initialized && !holds_lock {
        return None;
    }
    // SAFETY: the module has not given up the lock.
    let is_running = is_initialized && unsafe { !(interpreter.frame)().is_null() };
    // SAFETY: as above.
    if is_running { unsafe { interpreter.stack(process::depth()) } } else { at_exit() }
}

/// The word for what the interpreter does when it runs nothing.
fn at_exit() -> Option<usize> {
    frames::frame(Place::Script(&AT_EXIT), None, None).map(frames::word)
}
