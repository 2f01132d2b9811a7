//! The program that is to be recorded: where it is, and whether a library can be loaded into it.
//!
//! Found out before anything is touched: a command that does not exist leaves no trace of itself.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::Error;

/// How a program is started, as far as it matters for loading a library into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By the dynamic linker, or by an interpreter that is.
    Dynamic,
    /// Without a dynamic linker: nothing can be loaded into it.
    Static,
    /// Machine code of another architecture than ours.
    Foreign,
}

/// The file that `name` stands for, as a shell would find it.
///
/// # Errors
/// If there is none, or it cannot be executed.
pub fn resolve(name: &OsStr, search_path: Option<&OsStr>) -> Result<PathBuf, Error> {
    if name.as_encoded_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return match fs::metadata(&path) {
            Ok(_) if is_executable(&path) => Ok(path),
            Ok(found) if found.is_dir() => Err(Error::NotExecutable { program: path, reason: "it is a directory" }),
            Ok(_) => Err(Error::NotExecutable { program: path, reason: "permission denied" }),
            Err(_) => Err(Error::NotFound { program: path }),
        };
    }
    let candidates = || std::env::split_paths(search_path.unwrap_or(OsStr::new("/bin:/usr/bin"))).map(|d| d.join(name));
    if let Some(found) = candidates().find(|p| is_executable(p)) {
        return Ok(found);
    }
    match candidates().find(|p| p.is_file()) {
        Some(program) => Err(Error::NotExecutable { program, reason: "permission denied" }),
        None => Err(Error::NotFound { program: name.into() }),
    }
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// How the program at `path` is started. What cannot be read is taken for dynamic: the kernel will say what is wrong with it.
#[must_use]
pub fn kind(path: &Path) -> Kind {
    File::open(path).ok().and_then(|file| elf_kind(&file)).unwrap_or(Kind::Dynamic)
}

const EHDR_BYTES: usize = 64;
const PHDR_BYTES: usize = 56;
const CLASS_64: u8 = 2;
const PT_INTERP: u32 = 3;

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// None if the file is no ELF file, or too short to be one.
fn elf_kind(file: &File) -> Option<Kind> {
    let mut header = [0; EHDR_BYTES];
    file.read_exact_at(&mut header, 0).ok()?;
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    if header[4] != CLASS_64 || half(&header, 18) != MACHINE {
        return Some(Kind::Foreign);
    }
    let table = u64::from_le_bytes(header[32..40].try_into().expect("eight bytes"));
    let (entry_bytes, entries) = (u64::from(half(&header, 54)), u64::from(half(&header, 56)));
    for number in 0..entries {
        let mut entry = [0; PHDR_BYTES];
        file.read_exact_at(&mut entry, table.checked_add(number * entry_bytes)?).ok()?;
        if u32::from_le_bytes(entry[..4].try_into().expect("four bytes")) == PT_INTERP {
            return Some(Kind::Dynamic);
        }
    }
    Some(Kind::Static)
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Whether the program is one that starts ranks rather than one of them.
#[must_use]
pub fn is_launcher(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words = ["srun", "prun", "prterun", "orterun", "flux", "aprun", "jsrun", "ibrun"];
    name.starts_with("mpiexec") || name.starts_with("mpirun") || words.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_is_found_as_a_shell_finds_it() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let (first, second) = (home.path().join("first"), home.path().join("second"));
        for directory in [&first, &second] {
            fs::create_dir(directory).expect("a new directory");
            fs::write(directory.join("tool"), "").expect("a new file");
        }
        let path = std::env::join_paths([&first, &second]).expect("no colon in the path");
        let found = || resolve(OsStr::new("tool"), Some(&path));
        assert!(matches!(found(), Err(Error::NotExecutable { .. })));
        fs::set_permissions(second.join("tool"), fs::Permissions::from_mode(0o755)).expect("our own file");
        assert_eq!(found().expect("it is executable now"), second.join("tool"));
        assert!(matches!(resolve(OsStr::new("nothing"), Some(&path)), Err(Error::NotFound { .. })));
        assert!(matches!(resolve(first.as_os_str(), None), Err(Error::NotExecutable { .. })));
        assert!(matches!(resolve(first.join("nothing").as_os_str(), None), Err(Error::NotFound { .. })));
    }

    #[test]
    fn what_has_no_interpreter_is_static() {
        let own = std::env::current_exe().expect("this test is a file");
        assert_eq!(kind(&own), Kind::Dynamic);
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut header = [0_u8; EHDR_BYTES];
        header[..5].copy_from_slice(b"\x7fELF\x02");
        header[18..20].copy_from_slice(&MACHINE.to_le_bytes());
        std::io::Write::write_all(&mut file, &header).expect("room for 64 bytes");
        assert_eq!(kind(file.path()), Kind::Static);
        file.as_file().write_all_at(&[0xff], 18).expect("room for a byte");
        assert_eq!(kind(file.path()), Kind::Foreign);
        file.as_file().write_all_at(b"#!/bin/sh\n", 0).expect("room for a line");
        assert_eq!(kind(file.path()), Kind::Dynamic);
    }

    #[test]
    fn launchers_are_known_by_name() {
        for name in ["mpiexec", "/opt/x/bin/mpiexec.hydra", "mpirun.openmpi", "srun", "prterun"] {
            assert!(is_launcher(OsStr::new(name)), "{name}");
        }
        for name in ["./app", "python3", "srun.py", "/opt/mpiexec/app"] {
            assert!(!is_launcher(OsStr::new(name)), "{name}");
        }
    }
}
