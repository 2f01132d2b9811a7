//! The MPI libraries of this machine: how each compiles and launches.
//!
//! Debian's Open MPI and MPICH lie side by side under names of their own; those from the Python package index are where scripts/setup
//! puts them: MPICH 5 with its own ABI (`wheel`) and with the standard's (`standard`), Open MPI 5, and Intel MPI, which has no compiler of
//! its own and runs what is built for MPICH. Where none of them is, whatever `mpiexec` is on the path is taken.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Functions that libraries declare, and that fail or crash on one machine without a launcher's help, recorded or not.
const BROKEN: [(&str, &str); 9] = [
    ("mpich", "MPI_Comm_spawn"),
    ("intel", "MPI_Comm_spawn"),
    ("mpich", "MPI_Comm_join"),
    ("intel", "MPI_Comm_join"),
    ("mpich", "MPI_Open_port"),
    ("wheel", "MPI_Open_port"),
    ("standard", "MPI_Open_port"),
    ("intel", "MPI_Open_port"),
    ("mpi", "MPI_Open_port"),
];

/// What lets Open MPI start more ranks than there are cores.
pub const OVERSUBSCRIBE: &str = "--oversubscribe";

/// One MPI library.
#[derive(Clone, Debug)]
pub struct Mpi {
    /// Its name in the names of tests.
    pub name: &'static str,
    /// The launcher, with the arguments that it needs.
    pub launcher: Vec<String>,
    /// The C compiler.
    pub c: PathBuf,
    /// What its programs have to have in their environment.
    variables: Vec<(&'static str, String)>,
    /// Its header, as the compiler reads it.
    header: Arc<str>,
    /// The library itself, where it is not the one that the compiler knows.
    library: Option<PathBuf>,
}

impl Mpi {
    /// The libraries that are looked for.
    pub const NAMES: [&str; 6] = ["openmpi", "mpich", "wheel", "standard", "openmpi5", "intel"];

    /// Every library that is here.
    pub fn all() -> Vec<Mpi> {
        let debian = |name: &str, command: &str| PathBuf::from(format!("{command}.{name}"));
        let index = |path: &str| environment(path);
        let mut list = vec![
            Mpi::new("openmpi", &debian("openmpi", "mpiexec"), &debian("openmpi", "mpicc")),
            Mpi::new("mpich", &debian("mpich", "mpiexec"), &debian("mpich", "mpicc")),
            Mpi::new("wheel", &index("bin/mpiexec"), &index("bin/mpicc")),
            Mpi::new("standard", &index("bin/mpiexec"), &index("bin/mpicc_abi")),
            Mpi::new("openmpi5", &index("openmpi/bin/mpiexec"), &index("openmpi/bin/mpicc")),
            Mpi::new("intel", &index("intel/bin/mpiexec"), &index("bin/mpicc")).map(Mpi::with_intels_variables),
        ];
        if list.iter().all(Option::is_none) {
            list.push(Mpi::new("mpi", Path::new("mpiexec"), Path::new("mpicc")));
        }
        list.into_iter().flatten().collect()
    }

    /// Programs built for MPICH find Intel's library, which is told not to look for a network.
    fn with_intels_variables(self) -> Mpi {
        let libraries = environment("intel/lib");
        let library = Some(libraries.join("libmpi.so.12"));
        let variables = vec![("LD_LIBRARY_PATH", libraries.to_string_lossy().into_owned()), ("I_MPI_FABRICS", "shm".into())];
        Mpi { variables, library, ..self }
    }

    fn new(name: &'static str, launcher: &Path, c: &Path) -> Option<Mpi> {
        let version = Command::new(launcher).arg("--version").stdin(Stdio::null()).output().ok()?;
        let mut launcher = vec![launcher.to_string_lossy().into_owned()];
        if ["Open MPI", "OpenRTE"].iter().any(|name| String::from_utf8_lossy(&version.stdout).contains(name)) {
            // It refuses to run as root, and with more ranks than cores, unless it is told to.
            launcher.extend(["--allow-run-as-root".into(), OVERSUBSCRIBE.into()]);
        }
        let header = header(c)?.into();
        Some(Mpi { name, launcher, c: c.to_owned(), variables: Vec::new(), header, library: None })
    }

    /// Whether it has a function.
    pub fn has(&self, function: &str) -> bool {
        let is_declared = ["(", " ("].iter().any(|open| self.header.contains(&format!(" {function}{open}")));
        let name = [function.as_bytes(), b"\0"].concat();
        let in_library = |library: &PathBuf| std::fs::read(library).is_ok_and(|b| b.windows(name.len()).any(|w| w == name));
        let is_broken = BROKEN.contains(&(self.name, function));
        is_declared && !is_broken && self.library.as_ref().is_none_or(in_library)
    }

    /// What its programs have to have in their environment. MPICH's transport writes its warnings to the standard output, with the time of
    /// day. Its ranks wait by spinning, of which there are more than cores: those of MPICH 5 that have threads can be told to make way.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let ucx = [("UCX_LOG_LEVEL", "error"), ("UCX_LOG_FILE", "stderr")];
        let threads = [("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")];
        let all = threads.into_iter().chain(ucx).chain([("MPIR_CVAR_POLLS_BEFORE_YIELD", "1")]);
        all.map(|(name, value)| (name, value.to_owned())).chain(self.variables.iter().cloned()).collect()
    }

    /// The command that starts so many ranks of what is added to it.
    pub fn launch(&self, ranks: u32) -> Command {
        let mut command = self.command(Path::new(&self.launcher[0]));
        command.args(&self.launcher[1..]).arg("-n").arg(ranks.to_string());
        command.envs(self.variables());
        command
    }

    /// Whether it is a version of Open MPI.
    pub fn is_open_mpi(&self) -> bool {
        self.name.starts_with("openmpi")
    }

    /// A command in the environment that this MPI's programs need.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What a compiler makes of mpi.h; None if there is no such compiler.
fn header(c: &Path) -> Option<String> {
    let output = Command::new(c).args(["-E", "-include", "mpi.h", "-x", "c", "/dev/null"]).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where scripts/setup puts what comes from the Python package index.
pub fn environment(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".env").join(path)
}

/// Whether a command is there and succeeds with these arguments.
pub fn works(command: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(command);
    let status = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
