//! MPI_Comm_spawn: the processes that it starts are recorded, too, in the same trace.
//!
//! They are started by the launcher, which knows nothing of the recording and hands on no environment. So the library is told to start
//! `/usr/bin/env NAME=VALUE… PROGRAM ARGUMENT…` in place of `PROGRAM ARGUMENT…`: `env` becomes the program, as `mpitrace record` does. This is left
//! alone where it could end in anything but the same program: a program that is not found here, or that the launcher is told where to find, and
//! libraries that have room for a short command line only.

use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use libc::c_char;
use recorder::settings::{LD_PRELOAD, Origin};
use traces::constant::INFO_NULL;
use traces::{Function, Kind, mpi};

use crate::abi::abi;
use crate::process::Process;
use crate::{handles, process, real};

const ENV: &CStr = c"/usr/bin/env";

/// What the library is given; it points into itself.
#[derive(Debug)]
pub struct Spawn {
    commands: Vec<*const c_char>,
    /// By command: its arguments, and a null at the end.
    arguments: Vec<Vec<*const c_char>>,
    rows: Vec<*const *const c_char>,
    _texts: Vec<CString>,
}

/// A program to be started.
struct Program {
    command: *const c_char,
    /// Its arguments, up to a null; null itself for none.
    arguments: *const *const c_char,
    info: u64,
}

/// Has the processes recorded that a call starts: changes its arguments. Gives what they point to now; None if nothing was changed.
///
/// # Safety
/// The arguments are those of MPI_Comm_spawn or MPI_Comm_spawn_multiple.
pub unsafe fn record_too(process: &Process, function: Function, a: &mut [usize]) -> Option<Spawn> {
    let at = |name: &str| function.parameter(name);
    let comm = abi().handle(Kind::Comm, a[at("comm")?]);
    let is_root = handles::with(|h| h.communicators.get(comm).map(|known| known.rank)) == Some(abi().rank(a[at("root")?] as i32));
    if !is_root || !takes_long_commands(&process.record.library) {
        return None;
    }
    // SAFETY: as the caller's, and this is the root.
    let programs = unsafe { programs(function, a) }?;
    // SAFETY: as above.
    if !programs.iter().all(|program| unsafe { is_certain(program) }) {
        return None;
    }
    let variables = variables(process, comm)?;
    let spawn = Spawn::new(&programs, variables);
    if function == mpi::COMM_SPAWN {
        a[at("command")?] = ENV.as_ptr() as usize;
        a[at("argv")?] = spawn.arguments[0].as_ptr() as usize;
    } else {
        a[at("array_of_commands")?] = spawn.commands.as_ptr() as usize;
        a[at("array_of_argv")?] = spawn.rows.as_ptr() as usize;
    }
    Some(spawn)
}

/// # Safety
/// The arguments are those of a spawning function, at its root.
unsafe fn programs(function: Function, a: &[usize]) -> Option<Vec<Program>> {
    let word = |name: &str| function.parameter(name).map(|at| a[at]);
    if function == mpi::COMM_SPAWN {
        let (command, arguments) = (word("command")? as *const c_char, word("argv")? as *const *const c_char);
        return Some(vec![Program { command, arguments, info: abi().handle(Kind::Info, word("info")?) }]);
    }
    let count = usize::try_from(word("count")? as i32).ok()?;
    let (commands, rows) = (word("array_of_commands")? as *const *const c_char, word("array_of_argv")?);
    let infos = word("array_of_info")?;
    if commands.is_null() || infos == 0 {
        return None;
    }
    // SAFETY: each array has `count` elements; that of the arguments is null if there are none at all.
    let program = |i: usize| unsafe {
        let arguments = if rows == 0 { std::ptr::null() } else { *(rows as *const *const *const c_char).add(i) };
        Program { command: *commands.add(i), arguments, info: abi().handle_at(Kind::Info, infos, i) }
    };
    Some((0..count).map(program).collect())
}

/// Whether a library passes command lines of any length to its launcher. MPICH did it in one line of 1024 bytes before 4.1, and others are made from
/// it.
fn takes_long_commands(library: &str) -> bool {
    library.starts_with("Open MPI") || process::mpich_version(library).is_some_and(|version| version >= (4, 1))
}

/// Whether the launcher would start what is found here.
///
/// # Safety
/// The program is as it was given to MPI.
unsafe fn is_certain(program: &Program) -> bool {
    if program.command.is_null() {
        return false;
    }
    // SAFETY: a command is a C string.
    let name = unsafe { CStr::from_ptr(program.command) }.to_bytes();
    // `env` takes what has an equals sign for a variable, and what begins with a dash for an option.
    if name.is_empty() || name.contains(&b'=') || name[0] == b'-' || !is_executable(ENV.to_bytes()) {
        return false;
    }
    let is_found = name.contains(&b'/') && is_executable(name)
        || !name.contains(&b'/')
            && std::env::var_os("PATH").is_some_and(|path| {
                std::env::split_paths(&path)
                    .any(|place| is_executable(&place.join(OsString::from_vec(name.to_vec())).into_os_string().into_vec()))
            });
    is_found && !is_placed(program.info)
}

fn is_executable(path: &[u8]) -> bool {
    let Ok(text) = CString::new(path) else { return false };
    // SAFETY: a C string.
    let may_run = unsafe { libc::access(text.as_ptr(), libc::X_OK) } == 0;
    may_run && Path::new(&OsString::from_vec(path.to_vec())).is_file()
}

/// Whether an info object says where the program is, or where it runs.
fn is_placed(info: u64) -> bool {
    if abi().predefined(Kind::Info, info) == Some(INFO_NULL) {
        return false;
    }
    [c"wdir", c"path"].iter().any(|key| {
        let (mut length, mut is_there) = (0i32, 0i32);
        let results = [(&raw mut length) as usize, (&raw mut is_there) as usize];
        // SAFETY: the program gives this info object to MPI; the results are two ints.
        let code = unsafe { real::pmpi(mpi::INFO_GET_VALUELEN, [info as usize, key.as_ptr() as usize, results[0], results[1]]) };
        code != Some(0) || is_there != 0
    })
}

/// What the processes have to find in their environment.
fn variables(process: &Process, comm: u64) -> Option<Vec<CString>> {
    let (comm, world, parents) = handles::with(|h| {
        let (comm_made, world) = h.communicators.next_spawned(comm);
        Some((comm_made, world, h.communicators.known_members(comm)?.1.local))
    })?;
    let mut settings = process.settings.clone();
    settings.origin = Some(Origin { world, comm, parents });
    // That is the parents' number.
    settings.local_ranks = None;
    let mut list = settings.to_environment();
    list.push((LD_PRELOAD, std::env::var_os(LD_PRELOAD)?));
    // Launchers pass on what they can read as text.
    let is_plain = |value: &OsString| value.as_encoded_bytes().iter().all(|byte| matches!(byte, b' '..=b'~'));
    if !list.iter().all(|(_, value)| is_plain(value)) {
        return None;
    }
    let text = |(name, value): (&str, OsString)| CString::new([name.as_bytes(), b"=", &value.into_vec()].concat()).ok();
    list.into_iter().map(text).collect()
}

impl Spawn {
    fn new(programs: &[Program], variables: Vec<CString>) -> Spawn {
        let row = |program: &Program| {
            let mut row: Vec<*const c_char> = variables.iter().map(|text| text.as_ptr()).collect();
            row.push(program.command);
            // SAFETY: the arguments end with a null, if there are any.
            let argument = |i: usize| unsafe { *program.arguments.add(i) };
            let own = (0..).map(argument).take_while(|argument| !argument.is_null());
            row.extend(own.take(if program.arguments.is_null() { 0 } else { usize::MAX }));
            row.push(std::ptr::null());
            row
        };
        let arguments: Vec<Vec<*const c_char>> = programs.iter().map(row).collect();
        let rows = arguments.iter().map(|row| row.as_ptr()).collect();
        Spawn { commands: vec![ENV.as_ptr(); programs.len()], arguments, rows, _texts: variables }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_libraries_that_take_them_get_long_commands() {
        for library in ["Open MPI v4.1.4, package: Debian", "MPICH Version:\t4.1", "MPICH Version: 5.0.2"] {
            assert!(takes_long_commands(library), "{library}");
        }
        for library in
            ["MPICH Version:\t4.0.2", "MPICH Version: 3.4", "MVAPICH2 Version: 2.3", "Intel(R) MPI Library 2021.18", ""]
        {
            assert!(!takes_long_commands(library), "{library}");
        }
    }
}
