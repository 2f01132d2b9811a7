//! The wait-for graph of a finding: who waits for whom, folded until it can be looked at.

use rustc_hash::FxHashMap;
use traces::Ending;

use super::{Subject, calls};
use crate::finding::{Finding, Place, WaitFor};

/// More calls than this are folded by line of the program.
const NODES_MAX: usize = 24;

/// Ranks in a call that does not return, or a rank that others wait for.
pub(super) struct Node {
    /// Which ranks, sorted.
    pub ranks: Vec<u32>,
    /// What they are in, and where: `MPI_Recv(source=1, tag=7)`, `ring.c:12`.
    pub lines: Vec<String>,
    /// Whether it waits itself.
    pub waits: bool,
}

/// Who waits for whom.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    /// The node that waits.
    pub from: usize,
    /// The node that it waits for.
    pub to: usize,
    /// Whether another one would do as well.
    pub any: bool,
}

/// Nodes and edges.
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The graph of a finding. It has no nodes if nobody waits in it.
    pub(super) fn of(subject: &Subject, finding: &Finding) -> Graph {
        let mut graph = Graph { nodes: Vec::new(), edges: Vec::new() };
        let folds = finding.waits.len() > NODES_MAX;
        let mut nodes_of: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        let mut from = Vec::new();
        for wait in &finding.waits {
            let rank = subject.rank_at(wait.place).unwrap_or(u32::MAX);
            let node = graph.node(subject, wait, rank, folds);
            nodes_of.entry(rank).or_default().push(node);
            from.push(node);
        }
        for (wait, &from) in finding.waits.iter().zip(&from) {
            for &rank in &wait.ranks {
                let to = nodes_of.entry(rank).or_insert_with(|| vec![graph.bystander(subject, rank)]).clone();
                graph.edges.extend(to.into_iter().map(|to| Edge { from, to, any: wait.any }));
            }
        }
        graph.edges.sort_unstable();
        graph.edges.dedup();
        graph.nodes.iter_mut().for_each(|node| node.ranks.sort_unstable());
        graph
    }

    /// The node of a call, which is that of the others on its line if they are folded.
    fn node(&mut self, subject: &Subject, wait: &WaitFor, rank: u32, folds: bool) -> usize {
        let lines = call_lines(subject, wait.place, folds);
        self.add(rank, lines, true, folds)
    }

    /// The node of a rank that is waited for and does not wait in this finding.
    fn bystander(&mut self, subject: &Subject, rank: u32) -> usize {
        let lanes = subject.trace.lanes_of(rank);
        let last = |lane: usize| {
            let event = subject.trace.lanes[lane].events.len().checked_sub(1)?;
            let place = Place { lane: u32::try_from(lane).ok()?, event: u32::try_from(event).ok()? };
            subject.event_at(place).is_some_and(|event| event.outcome.is_none()).then_some(place)
        };
        let ended = subject.trace.processes.iter().any(|p| p.rank == Some(rank) && p.ending == Ending::Finalized);
        let lines = match lanes.clone().find_map(last) {
            Some(place) => call_lines(subject, place, false),
            None if ended => vec!["came to its end".to_owned()],
            None => vec!["is in no call of MPI".to_owned()],
        };
        self.add(rank, lines, false, true)
    }

    fn add(&mut self, rank: u32, lines: Vec<String>, waits: bool, folds: bool) -> usize {
        let known = self.nodes.iter().position(|node| folds && node.waits == waits && node.lines == lines);
        match known {
            Some(at) => self.nodes[at].ranks.push(rank),
            None => self.nodes.push(Node { ranks: vec![rank], lines, waits }),
        }
        known.unwrap_or(self.nodes.len() - 1)
    }
}

/// What a call is, by its function alone if it stands for many, and where it was made.
fn call_lines(subject: &Subject, place: Place, folds: bool) -> Vec<String> {
    let call = subject.call_at(place);
    let what = call.map(|call| if folds { call.function.to_string() } else { calls::summary(call) });
    let location = call.and_then(|call| subject.line(call));
    let line =
        location.map(|l| l.file.as_ref().zip(l.line).map_or_else(|| l.to_string(), |(file, line)| format!("{file}:{line}")));
    what.into_iter().chain(line).collect()
}
