//! The line of Python that a call comes from.
//!
//! Between a Python program and MPI stands an extension module (mpi4py), and what the user wrote is the line that the interpreter is at.
//! It can only be asked for while the interpreter's lock is held, and waiting for the lock could hang a program that did not. So the
//! module's own giving up of the lock, before each call that may take long, goes by here and notes the line; what is called with
//! the lock held is looked up at once. Neither takes any lock of the interpreter's.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::lane::{THREAD, Thread};
use crate::loader::{self, Object};
use crate::ranges::Ranges;
use crate::relocations::{each_import, read_slot, write_slot};

/// A line of a script.
#[derive(Debug, PartialEq, Eq)]
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

    /// The line that this thread is at.
    ///
    /// # Safety
    /// The thread holds the interpreter's lock.
    unsafe fn line(&self) -> Option<usize> {
        // SAFETY: the lock is held; the frame is borrowed and stays while we look at it, the code is ours until it is released.
        unsafe {
            let frame = (self.frame)();
            if frame.is_null() {
                return None;
            }
            let (code, number) = ((self.code)(frame), (self.line_number)(frame));
            let line = self.known_line(code, number);
            (self.release)(code);
            line
        }
    }

    /// The line of this number in a code object, by its address.
    ///
    /// # Safety
    /// The thread holds the interpreter's lock, and the object is alive.
    unsafe fn known_line(&self, code: Pointer, number: c_int) -> Option<usize> {
        let mut lines = lines();
        if let Some(line) = lines.get(&(code as usize, number)) {
            return Some(std::ptr::from_ref(*line) as usize);
        }
        // SAFETY: as the caller's. The reference that is taken here is never given back, so that this address of a code object never
        // comes to mean another one.
        let (file, function) = unsafe {
            (self.retain)(code);
            (self.attribute(code, c"co_filename")?, self.attribute(code, c"co_name").unwrap_or_default())
        };
        let file = std::path::absolute(&file).map_or(file, |path| path.to_string_lossy().into_owned());
        let line: &'static Line = Box::leak(Box::new(Line { file, function, number: u32::try_from(number).unwrap_or(0) }));
        lines.insert((code as usize, number), line);
        Some(std::ptr::from_ref(line) as usize)
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

/// The lines that were seen, by code object and number. Each lives for ever, and its address stands for it.
fn lines() -> MutexGuard<'static, HashMap<(usize, c_int), &'static Line>> {
    static LINES: OnceLock<Mutex<HashMap<(usize, c_int), &'static Line>>> = OnceLock::new();
    LINES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The line that an address stands for, if it does.
pub fn line_at(address: usize) -> Option<&'static Line> {
    let at_exit = Some(&AT_EXIT).filter(|line| std::ptr::from_ref(*line) as usize == address);
    at_exit.or_else(|| lines().values().copied().find(|line| std::ptr::from_ref(*line) as usize == address))
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
    let line = unsafe { interpreter.line() };
    THREAD.with(|thread| thread.python_line.set(line.unwrap_or(0)));
    // SAFETY: as above.
    unsafe { (interpreter.give_lock)() }
}

/// In the place of PyEval_RestoreThread.
unsafe extern "C-unwind" fn take_lock(state: Pointer) {
    THREAD.with(|thread| thread.python_line.set(0));
    if let Some(interpreter) = interpreter() {
        // SAFETY: the caller's argument, passed on.
        unsafe { (interpreter.take_lock)(state) };
    }
}

/// What stands for the place that a call comes from: the line of Python, if it comes from a module that is called by Python.
#[inline]
pub fn place(thread: &Thread, caller: usize) -> usize {
    if MODULES.contain(caller) {
        line(thread).unwrap_or(caller)
    } else if ITSELF.contain(caller) {
        std::ptr::from_ref(&AT_EXIT) as usize
    } else {
        caller
    }
}

fn line(thread: &Thread) -> Option<usize> {
    let noted = thread.python_line.get();
    if noted != 0 {
        return Some(noted);
    }
    let interpreter = interpreter()?;
    // SAFETY: both functions can be called at any time, also before the interpreter has begun and after it has ended.
    if unsafe { (interpreter.is_initialized)() == 0 || (interpreter.holds_lock)() != 1 } {
        return None;
    }
    // SAFETY: the module has not given up the lock.
    unsafe { interpreter.line() }
}
