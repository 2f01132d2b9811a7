//! Which MPI there is on this machine: launchers in PATH and libraries that the dynamic linker would find.
//!
//! For reports only: recording needs to know nothing of it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What belongs together: ranks started by a launcher of one family and linked with a library of another do not find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Open MPI.
    OpenMpi,
    /// MPICH, Intel MPI, MVAPICH, and what else has the ABI of MPICH.
    Mpich,
    /// The standard ABI of MPI 5, which libraries of either family have.
    Standard,
}

impl Family {
    /// How a person calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::OpenMpi => "Open MPI",
            Family::Mpich => "MPICH or its kin",
            Family::Standard => "the standard ABI of MPI 5",
        }
    }

    /// The family of a library, by its file name.
    #[must_use]
    pub fn of_library(path: &Path) -> Family {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.strip_prefix("libmpi.so.") {
            _ if name.starts_with("libmpi_abi") => Family::Standard,
            // MPICH's library has had the number 12 for ever, by agreement of all who share its ABI.
            Some(version) if version.split('.').next() != Some("12") => Family::OpenMpi,
            _ => Family::Mpich,
        }
    }
}

/// A program that starts ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// The file.
    pub path: PathBuf,
    /// The first line with a version that it prints about itself.
    pub version: String,
}

impl Launcher {
    /// The family that it starts; None if it starts any.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        let is = |words: &[&str]| words.iter().any(|word| self.version.contains(word));
        if is(&["Open MPI", "OpenRTE", "Open RTE", "PRRTE"]) {
            Some(Family::OpenMpi)
        } else if is(&["HYDRA", "Hydra", "Intel"]) {
            Some(Family::Mpich)
        } else {
            None
        }
    }

    /// Where its library lies, if it was installed into a directory of its own, as by conda, pip or a module.
    #[must_use]
    pub fn libraries(&self) -> Option<PathBuf> {
        Some(self.path.parent()?.parent()?.join("lib"))
    }
}

/// The launchers in `search_path`; of several names of one file, each. Directories that are another one's link are left out.
#[must_use]
pub fn launchers(search_path: &OsStr) -> Vec<Launcher> {
    let is_launcher = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Not `mpiexec.py` or `mpirun_rsh`: asking a program for its version starts it.
        let known = ["mpiexec", "mpiexec.hydra", "mpiexec.mpich", "mpiexec.openmpi", "mpirun", "mpirun.mpich", "mpirun.openmpi"];
        known.contains(&name.as_str()) || ["srun", "prterun"].contains(&name.as_str())
    };
    let directories: BTreeSet<PathBuf> = std::env::split_paths(search_path).filter_map(|d| d.canonicalize().ok()).collect();
    let found: BTreeSet<PathBuf> = directories.iter().flat_map(|d| entries(d)).filter(|p| is_launcher(p)).collect();
    found.into_iter().map(|path| Launcher { version: version(&path), path }).collect()
}

fn version(launcher: &Path) -> String {
    let output = Command::new(launcher).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    let lines = || text.lines().map(str::trim).filter(|l| !l.is_empty());
    let wordy = lines().find(|l| l.to_ascii_lowercase().contains("version:"));
    let first = lines().next().unwrap_or("does not tell its version");
    match wordy {
        Some(line) => format!("{} {}", first.trim_end_matches(':'), line.split_whitespace().collect::<Vec<_>>().join(" ")),
        None => first.to_owned(),
    }
}

/// The MPI libraries in `library_path` and in the directories that the dynamic linker's cache is made of.
#[must_use]
pub fn mpi_libraries(library_path: &OsStr) -> Vec<PathBuf> {
    let configured = Command::new("/sbin/ldconfig").arg("-p").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let listing = configured.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    let cached = listing.lines().filter_map(|line| line.split_once(" => ")).map(|(_, path)| PathBuf::from(path));
    let named = std::env::split_paths(library_path).flat_map(|d| entries(&d));
    let found: BTreeSet<PathBuf> = named.chain(cached).filter(|p| is_mpi_library(p)).collect();
    found.into_iter().collect()
}

/// `libmpi.so.40`, `libmpich.so.12`, `libmpi_abi.so.1`: with a version, as programs ask for them.
fn is_mpi_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ["libmpi.so.", "libmpich.so.", "libmpi_abi.so."].iter().any(|stem| name.starts_with(stem))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_launcher_is_found_and_asked() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let path = home.path().canonicalize().expect("it exists").join("mpiexec");
        fs::write(&path, "#!/bin/sh\necho\necho 'Toy Launcher:'\necho '    Version:      4.2'\n").expect("a new file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
        fs::write(home.path().join("mpiexec.py"), "").expect("a new file");
        let found = launchers(home.path().as_os_str());
        assert_eq!(found, [Launcher { path, version: "Toy Launcher Version: 4.2".to_owned() }]);
    }

    #[test]
    fn libraries_are_known_by_the_name_that_programs_ask_for() {
        let home = tempfile::tempdir().expect("a temporary directory");
        for name in ["libmpi.so.40", "libmpi.so", "libmpi_cxx.so.40", "libmpich.so.12"] {
            fs::write(home.path().join(name), "").expect("a new file");
        }
        let found = mpi_libraries(home.path().as_os_str());
        let ours: Vec<_> = found.iter().filter_map(|p| p.strip_prefix(home.path()).ok()).collect();
        assert_eq!(ours, [Path::new("libmpi.so.40"), Path::new("libmpich.so.12")]);
    }

    #[test]
    fn families_are_told_apart() {
        let of = |name: &str| Family::of_library(Path::new(name));
        assert_eq!(["libmpi.so.40", "libmpi.so.40.30.4"].map(of), [Family::OpenMpi; 2]);
        assert_eq!(["/a/lib/libmpi.so.12", "libmpich.so.12"].map(of), [Family::Mpich; 2]);
        assert_eq!(of("libmpi_abi.so.1"), Family::Standard);
        let launched = |version: &str| Launcher { path: PathBuf::new(), version: version.to_owned() }.family();
        assert_eq!(launched("mpiexec (OpenRTE) 4.1.4"), Some(Family::OpenMpi));
        assert_eq!(launched("HYDRA build details Version: 4.0.2"), Some(Family::Mpich));
        assert_eq!(launched("slurm 23.02"), None);
    }
}
