//! `mpisim replay`: a recorded run again, with virtual ranks in virtual time.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use mpitrace::{exit, opening, terminal};
use sim::Network;
use sim::report::times;
use traces::{Lane, Trace};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  mpisim replay                                 on a good cluster network
  mpisim replay --network slow.json -o slow.msgpack
  mpitrace tui viewer slow.msgpack              look at it

A network is described in JSON; what is left out is as it is here:
  {
    \"latency_ns\": 1500,            from rank to rank, for a message of no length
    \"overhead_ns\": 200,            what a processor spends on a message, at either end
    \"bytes_per_second\": 12.5e9,
    \"eager_bytes\": 8192,           longer messages wait for their receive
    \"compute_scale\": 1.0           time between calls, as a multiple of the recorded
  }";

/// Run the recorded calls again on a simulated network, and say how long they take
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The trace: a file, or a directory of segments [default: trace.msgpack]
    trace: Option<PathBuf>,

    /// A description of the network, in JSON
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,

    /// Write the simulated run to a trace, the same bytes every time
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Simulates, and gives the exit code.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let network = arguments.network.as_deref().map_or_else(|| Ok(Network::default()), read)?;
    let (_, recorded) = opening::open(arguments.trace.as_deref())?;
    let simulated = sim::replay(&recorded, &network);
    if let Some(path) = &arguments.output {
        traces::write(path, &simulated).map_err(Failure::Unwritten)?;
    }
    if let Some(stuck) = stuck(&simulated) {
        eprintln!("mpisim: this run does not end: {stuck}; the times are those up to there");
    }
    let text = times::render(&recorded, &simulated);
    terminal::write(&text, None).map_err(|source| Failure::Output { path: None, source })?;
    Ok(exit::SUCCESS)
}

/// Reads the description of a network.
fn read(path: &Path) -> Result<Network, Failure> {
    let failure = |what: String| Failure::Input { path: path.to_owned(), what };
    let text = fs::read_to_string(path).map_err(|error| failure(error.to_string()))?;
    let network: Network = serde_json::from_str(&text).map_err(|error| failure(error.to_string()))?;
    for (name, value) in [("bytes_per_second", network.bytes_per_second), ("compute_scale", network.compute_scale)] {
        if !value.is_finite() || value < 0.0 || (name == "bytes_per_second" && value == 0.0) {
            return Err(failure(format!("{name} is {value}: a network like that takes no sensible time")));
        }
    }
    for (name, value) in [("latency_ns", network.latency_ns), ("overhead_ns", network.overhead_ns)] {
        if value > TIME_MAX_NS {
            return Err(failure(format!("{name} is {value}: that is more than an hour")));
        }
    }
    Ok(network)
}

/// A message that is under way for longer is no message.
const TIME_MAX_NS: u64 = 3_600_000_000_000;

/// Who never came out of a call, if anybody: `rank 0 is in MPI_Recv for ever, and 2 more ranks in calls of theirs`.
fn stuck(trace: &Trace) -> Option<String> {
    let in_call = |lane: &Lane| {
        let last = lane.events.last().filter(|event| event.outcome.is_none())?;
        Some((lane.rank?, trace.call(last.call).function))
    };
    let mut list: Vec<_> = trace.lanes.iter().filter_map(in_call).collect();
    list.dedup_by_key(|(rank, _)| *rank);
    let (rank, function) = list.first()?;
    let more = match list.len() - 1 {
        0 => String::new(),
        1 => ", and 1 more rank in a call of its own".to_owned(),
        more => format!(", and {more} more ranks in calls of their own"),
    };
    Some(format!("rank {rank} never comes out of {function}{more}"))
}
