//! The MPI libraries of this machine: how each compiles and launches.
//!
//! Debian's Open MPI and MPICH lie side by side under names of their own; those from the Python package index are where scripts/setup
//! puts them: MPICH 5 with its own ABI (`wheel`) and with the standard's (`standard`), Open MPI 5, and Intel MPI, which has no compiler of
//! its own and runs what is built for MPICH. Where none of them is, whatever `mpiexec` is on the path is taken.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One MPI library.
#[derive(Clone, Debug)]
pub struct Mpi {
    /// Its name in the names of tests.
    pub name: &'static str,
    /// The launcher, with the arguments that it needs.
    launcher: Vec<String>,
    /// The C compiler.
    pub c: PathBuf,
    /// What its programs have to have in their environment.
    variables: Vec<(&'static str, String)>,
}

impl Mpi {
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
        let libraries = environment("intel/lib").to_string_lossy().into_owned();
        Mpi { variables: vec![("LD_LIBRARY_PATH", libraries), ("I_MPI_FABRICS", "shm".into())], ..self }
    }

    fn new(name: &'static str, launcher: &Path, c: &Path) -> Option<Mpi> {
        let version = Command::new(launcher).arg("--version").stdin(Stdio::null()).output().ok()?;
        let mut launcher = vec![launcher.to_string_lossy().into_owned()];
        if ["Open MPI", "OpenRTE"].iter().any(|name| String::from_utf8_lossy(&version.stdout).contains(name)) {
            // It refuses to run as root, and with more ranks than cores, unless it is told to.
            launcher.extend(["--allow-run-as-root".into(), "--oversubscribe".into()]);
        }
        works(c, &["--version"]).then(|| Mpi { name, launcher, c: c.to_owned(), variables: Vec::new() })
    }

    /// The command that starts so many ranks of what is added to it.
    pub fn launch(&self, ranks: u32) -> Command {
        let mut command = self.command(Path::new(&self.launcher[0]));
        command.args(&self.launcher[1..]).arg("-n").arg(ranks.to_string());
        // MPICH's transport writes its warnings to the standard output, with the time of day.
        command.env("OMP_NUM_THREADS", "1").env("OPENBLAS_NUM_THREADS", "1").env("UCX_LOG_LEVEL", "error");
        command
    }

    /// A command in the environment that this MPI's programs need.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
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
