//! Which processes belong together: those that one `mpiexec` started.
//!
//! Every process has to find the same name for its job, alone, before MPI is initialized, and another one for each job. Launchers
//! that name their jobs say it in the environment; of the others, the process that started the ranks on this machine is known.

use crate::process::{ProcessId, host_name};

/// A job, as one of its processes sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The name that all its processes find.
    pub token: String,
    /// How many of them the launcher starts on this machine, where it says so.
    pub local_size: Option<usize>,
    /// How many it starts on all machines, where it says so.
    pub size: Option<usize>,
    /// The rank that the launcher gave to this process; None if there is no launcher.
    pub rank: Option<String>,
    /// Whether it is the one that speaks for all on its machine.
    pub speaks_for_its_machine: bool,
}

/// Where launchers put the rank of a process.
pub const RANK_VARIABLES: [&str; 9] = [
    "OMPI_COMM_WORLD_RANK",
    "PMIX_RANK",
    "PMI_RANK",
    "PMI_ID",
    "MV2_COMM_WORLD_RANK",
    "PALS_RANKID",
    "ALPS_APP_PE",
    "FLUX_TASK_RANK",
    "SLURM_PROCID",
];

/// Where launchers put the rank of a process among those of its machine.
const LOCAL_RANK_VARIABLES: [&str; 5] =
    ["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK", "PALS_LOCAL_RANKID", "SLURM_LOCALID"];

/// Where launchers put how many processes they start on a machine.
const LOCAL_SIZE_VARIABLES: [&str; 4] =
    ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE", "PALS_LOCAL_SIZE"];

/// Where launchers put how many processes they start in all.
const SIZE_VARIABLES: [&str; 7] = [
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MV2_COMM_WORLD_SIZE",
    "PALS_NRANKS",
    "FLUX_JOB_SIZE",
    "SLURM_STEP_NUM_TASKS",
    "SLURM_NTASKS",
];

/// A process above this one.
#[derive(Clone, Debug)]
struct Ancestor {
    id: ProcessId,
    has_rank: bool,
    arguments: Vec<String>,
}

impl Job {
    /// The job of this process.
    #[must_use]
    pub fn of_this_process() -> Job {
        let own = ProcessId::own();
        let ancestors = std::iter::successors(own.parent(), |p| p.parent()).map(|id| {
            let environment = id.environment();
            let has_rank = RANK_VARIABLES.iter().any(|v| environment.get(v).is_some());
            Ancestor { id, has_rank, arguments: id.arguments() }
        });
        Job::find(&|name| std::env::var(name).ok(), ancestors, own)
    }

    /// The job of a process that is not a rank but starts them, or of a program on its own.
    #[must_use]
    pub fn alone(own: ProcessId) -> Job {
        let token = format!("{}-{own}", host_name());
        Job { token, local_size: Some(1), size: Some(1), rank: None, speaks_for_its_machine: true }
    }

    fn find(get: &dyn Fn(&str) -> Option<String>, ancestors: impl Iterator<Item = Ancestor>, own: ProcessId) -> Job {
        let Some(rank) = RANK_VARIABLES.iter().find_map(|v| get(v)) else {
            return Job::alone(own);
        };
        let token = named_token(get).unwrap_or_else(|| token_of_starter(get, ancestors, own));
        let number = |v: &&str| get(v)?.parse().ok();
        let local_size = LOCAL_SIZE_VARIABLES.iter().find_map(number).or_else(|| tasks_of_slurm(get));
        let size = SIZE_VARIABLES.iter().find_map(number);
        let first = LOCAL_RANK_VARIABLES.iter().find_map(|v| get(v)).unwrap_or_else(|| rank.clone());
        Job { token, local_size, size, speaks_for_its_machine: first == "0", rank: Some(rank) }
    }
}

impl Job {
    /// Whether it has ranks on other machines.
    #[must_use]
    pub fn spans_machines(&self) -> bool {
        self.local_size.zip(self.size).is_some_and(|(local_size, size)| local_size < size)
    }
}

/// Slurm lists the tasks of all machines, those that have as many as the one before folded: `2(x3),1`.
fn tasks_of_slurm(get: &dyn Fn(&str) -> Option<String>) -> Option<usize> {
    let (list, mut machine) = (get("SLURM_STEP_TASKS_PER_NODE")?, get("SLURM_NODEID")?.parse::<usize>().ok()?);
    for entry in list.split(',') {
        let (tasks, times) = entry.split_once("(x").unwrap_or((entry, "1"));
        let times: usize = times.trim_end_matches(')').parse().ok()?;
        if machine < times {
            return tasks.parse().ok();
        }
        machine -= times;
    }
    None
}

/// What the launcher itself calls the job.
fn named_token(get: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    // Hydra names nothing, and what stands in the environment beside it is of the batch system around it: one name for all its jobs.
    if get("MPI_LOCALNRANKS").is_some() {
        return None;
    }
    let slurm = || Some(format!("slurm-{}.{}", get("SLURM_JOB_ID")?, get("SLURM_STEP_ID")?));
    let pals = || Some(format!("pals-{}", get("PALS_APID")?));
    let flux = || Some(format!("flux-{}", get("FLUX_JOB_ID")?));
    get("PMIX_NAMESPACE").map(|name| format!("pmix-{name}")).or_else(slurm).or_else(pals).or_else(flux)
}

/// The nearest ancestor that is not a rank itself: Hydra's proxy, where ranks may have a shell or two between them and it.
///
/// There is one proxy a machine. They have the address of `mpiexec` in common, which serves where a job has several; on one machine
/// the proxy is the better name, as addresses come back.
fn token_of_starter(
    get: &dyn Fn(&str) -> Option<String>,
    mut ancestors: impl Iterator<Item = Ancestor>,
    own: ProcessId,
) -> String {
    let Some(starter) = ancestors.find(|a| !a.has_rank) else {
        return Job::alone(own).token;
    };
    let after = |flag: &str| starter.arguments.iter().skip_while(|a| *a != flag).nth(1);
    match after("--control-port") {
        Some(address) if get("PMI_SIZE") != get("MPI_LOCALNRANKS") => format!("hydra-{address}"),
        _ => format!("{}-{}", host_name(), starter.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: ProcessId = ProcessId { pid: 40, start_ticks: 400 };

    fn find(variables: &[(&str, &str)], ancestors: &[Ancestor]) -> Job {
        let get = |name: &str| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned());
        Job::find(&get, ancestors.iter().cloned(), OWN)
    }

    fn ancestor(pid: u32, has_rank: bool, arguments: &[&str]) -> Ancestor {
        let id = ProcessId { pid, start_ticks: u64::from(pid) * 10 };
        Ancestor { id, has_rank, arguments: arguments.iter().map(|a| (*a).to_owned()).collect() }
    }

    fn proxy() -> Ancestor {
        ancestor(20, false, &["/usr/bin/hydra_pmi_proxy", "--control-port", "n1:4321", "--proxy-id", "0"])
    }

    #[test]
    fn without_a_launcher_each_process_is_a_job() {
        let job = find(&[], &[ancestor(20, false, &["sh"])]);
        assert_eq!((job.token, job.local_size, job.rank), (format!("{}-40-400", host_name()), Some(1), None));
    }

    #[test]
    fn open_mpi_names_its_jobs() {
        let variables = [("OMPI_COMM_WORLD_RANK", "3"), ("OMPI_COMM_WORLD_LOCAL_SIZE", "4"), ("PMIX_NAMESPACE", "77@1")];
        let job = find(&variables, &[ancestor(20, false, &[])]);
        assert_eq!((job.token.as_str(), job.local_size, job.rank.as_deref()), ("pmix-77@1", Some(4), Some("3")));
        assert!(!job.speaks_for_its_machine);
    }

    #[test]
    fn ranks_of_hydra_share_their_proxy_even_behind_a_shell() {
        let variables =
            [("PMI_RANK", "0"), ("PMI_SIZE", "2"), ("MPI_LOCALNRANKS", "2"), ("SLURM_JOB_ID", "9"), ("SLURM_STEP_ID", "1")];
        let direct = find(&variables, &[proxy()]);
        let behind = find(&variables, &[ancestor(30, true, &["sh", "-c"]), proxy()]);
        assert_eq!(direct, behind);
        assert_eq!((direct.token, direct.local_size), (format!("{}-20-200", host_name()), Some(2)));
    }

    #[test]
    fn proxies_of_several_machines_have_the_address_of_mpiexec_in_common() {
        let variables = [("PMI_RANK", "0"), ("PMI_SIZE", "8"), ("MPI_LOCALNRANKS", "2")];
        assert_eq!(find(&variables, &[proxy()]).token, "hydra-n1:4321");
    }

    #[test]
    fn a_step_of_slurm_is_a_job() {
        let variables = [("SLURM_PROCID", "5"), ("SLURM_JOB_ID", "9"), ("SLURM_STEP_ID", "2")];
        let job = find(&variables, &[]);
        assert_eq!((job.token.as_str(), job.local_size, job.spans_machines()), ("slurm-9.2", None, false));
        for (machine, tasks) in [("0", Some(2)), ("2", Some(2)), ("3", Some(1)), ("4", None)] {
            let tasks_of = [("SLURM_STEP_TASKS_PER_NODE", "2(x3),1"), ("SLURM_NODEID", machine), ("SLURM_STEP_NUM_TASKS", "7")];
            let job = find(&[&variables[..], &tasks_of].concat(), &[]);
            assert_eq!((job.local_size, job.spans_machines()), (tasks, tasks.is_some()), "{machine}");
        }
    }
}
