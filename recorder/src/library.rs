//! The library that is loaded into the program: the command carries it in itself, and puts it where the dynamic linker can take it.
//!
//! A directory has to be the user's own, allow execution, and have a path that LD_PRELOAD can hold. The file's name has a digest of
//! its contents, so that another version of the command never touches a library in use.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::geteuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::settings::can_preload;

/// The name of the library, as packages install it.
pub const FILE_NAME: &str = "libmpitrace_preload.so";

/// The library to preload: the one that the user names, else the one that is installed beside this command in `../lib/mpitrace`, else
/// `embedded`, from a file that is made if need be.
///
/// A library right beside the command is not taken: in a build directory that is one of another build.
///
/// # Errors
/// If there is none, or no place for it.
pub fn locate(named: Option<&Path>, embedded: &[u8]) -> Result<PathBuf, Error> {
    if let Some(named) = named {
        let library = std::path::absolute(named).map_err(Error::io("find", named))?;
        return if library.is_file() && can_preload(&library) { Ok(library) } else { Err(Error::UnusableLibrary { library }) };
    }
    if let Some(library) = installed().filter(|l| can_preload(l)) {
        return Ok(library);
    }
    if embedded.is_empty() {
        return Err(Error::NoLibrary);
    }
    let places = places();
    let extracted = places.iter().find_map(|directory| extract(directory, embedded).ok().flatten());
    extracted.ok_or(Error::NoPlaceForLibrary { tried: places })
}

fn installed() -> Option<PathBuf> {
    let command = env::current_exe().ok()?;
    let library = command.parent()?.parent()?.join("lib/mpitrace").join(FILE_NAME);
    library.is_file().then_some(library)
}

/// Where the library may go, best first: a home that lasts, then what every machine has.
fn places() -> Vec<PathBuf> {
    let directory = |variable: &str| env::var_os(variable).map(PathBuf::from).filter(|d| d.is_absolute());
    let cache = directory("XDG_CACHE_HOME").or_else(|| Some(directory("HOME")?.join(".cache")));
    let shared = [directory("TMPDIR"), Some("/dev/shm".into()), Some("/tmp".into())];
    // Where others can write too, a directory of that name may be somebody else's, so it has the user's number.
    let own = |d: PathBuf| d.join(format!("mpitrace-{}", geteuid().as_raw()));
    let cache = cache.map(|d| d.join("mpitrace"));
    cache.into_iter().chain(shared.into_iter().flatten().map(own)).collect()
}

/// Puts the library into `directory`, if that is a place for it.
fn extract(directory: &Path, embedded: &[u8]) -> io::Result<Option<PathBuf>> {
    let name = FILE_NAME.replace(".so", &format!("-{:016x}.so", xxh3_64(embedded)));
    let library = directory.join(name);
    if !can_preload(&library) {
        return Ok(None);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let found = fs::symlink_metadata(directory)?;
    let is_ours = found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o022 == 0;
    if !is_ours || statvfs(directory)?.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return Ok(None);
    }
    // Read and compared, not just looked for: a full disk may have cut it.
    if fs::read(&library).is_ok_and(|bytes| bytes == embedded) {
        return Ok(Some(library));
    }
    let unfinished = directory.join(format!("unfinished-{}-{}", crate::process::host_name(), std::process::id()));
    let result = write_all(&unfinished, embedded).and_then(|()| fs::rename(&unfinished, &library));
    if result.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    result.map(|()| Some(library))
}

fn write_all(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o555).open(path)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_library_is_put_down_once_and_mended_if_it_is_cut() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let place = home.path().join("cache/mpitrace");
        let library = extract(&place, b"machine code").expect("room").expect("a good place");
        assert_eq!(fs::read(&library).expect("it is there"), b"machine code");
        let inode = fs::metadata(&library).expect("it is there").ino();
        assert_eq!(extract(&place, b"machine code").expect("room"), Some(library.clone()));
        assert_eq!(fs::metadata(&library).expect("it is there").ino(), inode, "not written again");
        fs::remove_file(&library).expect("our own file");
        fs::write(&library, b"mach").expect("our own directory");
        assert_eq!(extract(&place, b"machine code").expect("room"), Some(library.clone()));
        assert_eq!(fs::read(&library).expect("it is there"), b"machine code");
        assert_ne!(extract(&place, b"another version").expect("room"), Some(library));
        assert_eq!(fs::read_dir(&place).expect("it is there").count(), 2, "nothing unfinished stays");
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let home = tempfile::tempdir().expect("a temporary directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).expect("our own directory");
        assert_eq!(extract(home.path(), b"machine code").expect("it can be read"), None);
        assert_eq!(extract(&home.path().join("a b"), b"machine code").expect("it is not touched"), None);
    }

    #[test]
    fn the_one_that_the_user_names_comes_first() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let library = home.path().join("mine.so");
        assert!(matches!(locate(Some(&library), b"x"), Err(Error::UnusableLibrary { .. })));
        fs::write(&library, "").expect("a new file");
        assert_eq!(locate(Some(&library), b"x").expect("it is there"), library);
        assert!(matches!(locate(None, b""), Err(Error::NoLibrary)));
    }
}
