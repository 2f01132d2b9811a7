//! Whether a program can be run on the course of a trace: found out before anything runs.
//!
//! A trace of other ranks has no course for these; what else does not fit may be meant so, and is only told.

use std::path::Path;

use traces::{Class, Lane, Trace};

use crate::course::is_persistent;

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What, and what to do about it.
    pub text: String,
    /// How bad it is.
    pub weight: Weight,
}

/// How bad a misfit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It is worth knowing.
    Note,
    /// Most probably a mistake; it can be insisted on.
    Doubt,
    /// It makes no sense.
    Error,
}

/// What is about to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// How many ranks there will be, if that is known.
    pub ranks: Option<usize>,
    /// The program and its arguments, if it is known that they are those of the ranks.
    pub command: Option<&'a [String]>,
}

/// All that does not fit, the worst first.
#[must_use]
pub fn misfits(trace: &Trace, wanted: Wanted) -> Vec<Misfit> {
    let mut list = Vec::new();
    let mut add = |weight: Weight, text: String| list.push(Misfit { text, weight });
    let world = trace.world_of(0);
    let recorded = world.len();
    if recorded == 0 || trace.lanes.iter().all(|lane| lane.rank.is_none()) {
        add(Weight::Error, "no rank of the recorded run came out of MPI_Init: there is nothing to follow".to_owned());
    }
    if let Some(ranks) = wanted.ranks.filter(|&ranks| ranks != recorded && recorded > 0) {
        add(Weight::Error, format!("the trace is of {recorded} ranks, and these are {ranks}: start {recorded} (-n {recorded})"));
    }
    if let Some(given) = wanted.command
        && let Some(command) = trace.processes.iter().find(|p| p.rank == Some(0)).map(|p| &p.command)
        && !command.is_empty()
    {
        match Likeness::of(command, given) {
            Likeness::Same => {}
            Likeness::Arguments => {
                add(Weight::Doubt, format!("the trace is of other arguments: {}", command.join(" ")));
            }
            Likeness::No => add(Weight::Doubt, format!("the trace is of another program: {}", command.join(" "))),
        }
    }
    let dropped: u64 = trace.lanes.iter().filter_map(|lane| Some(lane.cut.as_ref()?.calls)).sum();
    if dropped > 0 {
        let text = format!("the first {dropped} calls are not in the trace (--last): a program cannot begin in the middle");
        add(Weight::Error, text);
    }
    // What only the newest calls are of is said already.
    if dropped == 0 {
        trace.damage.iter().for_each(|damage| add(Weight::Note, format!("{damage}; what is missing is left to MPI")));
    }
    let persistent = trace.calls.iter().any(|call| is_persistent(call.function) && crate::choice::is_wildcard(call));
    if persistent {
        let text = "persistent receives from anybody are left to MPI: whose message they take may be another's than recorded";
        add(Weight::Note, text.to_owned());
    }
    if !trace.spawned.is_empty() {
        add(Weight::Note, "processes that MPI_Comm_spawn starts are left to themselves".to_owned());
    }
    if several_threads(trace) {
        let text = "a rank calls MPI from several threads: each follows its course, but which comes first is left to them";
        add(Weight::Note, text.to_owned());
    }
    list.sort_by_key(|misfit| std::cmp::Reverse(misfit.weight));
    list
}

fn several_threads(trace: &Trace) -> bool {
    // Some only ask whether MPI is initialized.
    let talks = |lane: &Lane| lane.events.iter().any(|event| is_communication(trace.call(event.call).function.class()));
    let ranks: Vec<u32> = trace.lanes.iter().filter(|lane| talks(lane)).filter_map(|lane| lane.rank).collect();
    ranks.windows(2).any(|pair| pair[0] == pair[1])
}

fn is_communication(class: Class) -> bool {
    matches!(
        class,
        Class::PointToPoint | Class::Probe | Class::Partitioned | Class::Completion | Class::Collective | Class::OneSided
    )
}

/// How much two command lines have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    Same,
    /// The program.
    Arguments,
    No,
}

impl Likeness {
    /// A program may have been started by way of another (`env`, an interpreter), and lie elsewhere: one line is the end of the other, but for
    /// the directory of the program.
    fn of(recorded: &[String], given: &[String]) -> Likeness {
        let name = |word: &str| Path::new(word).file_name().map_or_else(|| word.to_owned(), |n| n.to_string_lossy().into_owned());
        let (long, short) = if recorded.len() >= given.len() { (recorded, given) } else { (given, recorded) };
        let Some((program, arguments)) = short.split_first() else { return Likeness::No };
        let (way, end) = long.split_at(long.len() - short.len());
        let is_same_program = |word: &str| name(word) == name(program) || is_python(&name(word)) && is_python(&name(program));
        if end.first().is_some_and(|word| is_same_program(word)) && end[1..] == *arguments {
            return Likeness::Same;
        }
        if way.iter().chain(end).any(|word| is_same_program(word) && !is_python(&name(word))) {
            return Likeness::Arguments;
        }
        let script = |words: &[String]| words.iter().skip(1).find(|word| !word.starts_with('-')).cloned();
        let are_scripts = long.iter().chain([program]).any(|word| is_python(&name(word)));
        if are_scripts && script(recorded).is_some() && script(recorded) == script(given) {
            Likeness::Arguments
        } else {
            Likeness::No
        }
    }
}

fn is_python(name: &str) -> bool {
    name.starts_with("python")
}

#[cfg(test)]
mod tests {
    use super::*;
    use traces::{TraceBuilder, mpi};

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_program_is_known_by_its_name_wherever_it_lies_and_however_it_was_started() {
        let likeness = |recorded: &str, given: &str| Likeness::of(&words(recorded), &words(given));
        assert_eq!(likeness("./app 3", "/opt/mpich/app 3"), Likeness::Same);
        assert_eq!(likeness("./app 3", "env A=1 ./app 3"), Likeness::Same);
        assert_eq!(likeness("python3 ./app.py 3", "./app.py 3"), Likeness::Same);
        assert_eq!(likeness("/usr/bin/python3 app.py 3", "python app.py 3"), Likeness::Same);
        assert_eq!(likeness("./app 3", "./app 4"), Likeness::Arguments);
        assert_eq!(likeness("./app 3", "./app"), Likeness::Arguments);
        assert_eq!(likeness("python3 app.py 3", "python3 app.py"), Likeness::Arguments);
        assert_eq!(likeness("python3 app.py 3", "python3 other.py 3"), Likeness::No);
        assert_eq!(likeness("./app 3", "./other 3"), Likeness::No);
    }

    #[test]
    fn other_ranks_are_an_error_and_other_arguments_a_doubt() {
        let mut builder = TraceBuilder::with_ranks(2);
        for rank in 0..2 {
            builder.push(rank, mpi::BARRIER, 1, &[], Some(&[]));
        }
        let mut trace = builder.finish();
        trace.processes[0].command = words("./app 3");
        let given = words("./app 4");
        let weights = |ranks| {
            let found = misfits(&trace, Wanted { ranks: Some(ranks), command: Some(&given) });
            found.iter().map(|misfit| misfit.weight).collect::<Vec<_>>()
        };
        assert_eq!(weights(3), [Weight::Error, Weight::Doubt]);
        assert_eq!(weights(2), [Weight::Doubt]);
    }
}
