//! Who is whose neighbour, in communicators with a topology.
//!
//! A grid and a graph are the same on all members, a distributed graph is told piece by piece. Where a library may have given the processes
//! other places in a distributed graph than they had before, nothing is known.

use rustc_hash::FxHashMap;
use traces::function::mpi;
use traces::trace::is_made;
use traces::{Call, Function, Outcome, Trace};

use super::communicators::Communicators;

/// The ranks of each communicator from which its members receive in neighbourhood collectives, in the order of their buffers. −1 is nobody.
#[derive(Debug, Default)]
pub(crate) struct Topologies {
    list: FxHashMap<i64, Topology>,
}

#[derive(Clone, Debug)]
enum Topology {
    Grid {
        dims: Vec<i64>,
        periods: Vec<i64>,
    },
    Graph {
        index: Vec<i64>,
        edges: Vec<i64>,
    },
    Distributed(Edges),
    /// Some edges are not on record.
    Unknown,
}

/// The edges of a distributed graph.
#[derive(Clone, Debug, Default)]
struct Edges {
    /// By the rank that receives.
    sources: FxHashMap<i64, Vec<i64>>,
    /// By the rank that sends, as far as it has told.
    destinations: FxHashMap<i64, Vec<i64>>,
    /// Whether each rank told its own in the order of its buffers; else the library orders them as it likes.
    is_ordered: bool,
}

/// What comes to a rank in a neighbourhood collective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inflow {
    /// From whom.
    pub(crate) source: i64,
    /// Into which block of its receive buffer, if that is certain.
    pub(crate) into: Option<usize>,
    /// From which block of the source's send buffer, if that is certain.
    pub(crate) from: Option<usize>,
}

impl Topologies {
    /// Finds them all.
    pub(super) fn of(trace: &Trace, communicators: &Communicators) -> Topologies {
        let mut all = Topologies::default();
        let makes: Vec<bool> = trace.calls.iter().map(|call| makes_topology(call.function)).collect();
        for lane in &trace.lanes {
            let Some(rank) = lane.rank else { continue };
            for event in lane.events.iter().filter(|event| makes[event.call.0 as usize]) {
                if let Some(outcome) = event.outcome {
                    all.define(trace.call(event.call), trace.outcome(outcome), rank, communicators);
                }
            }
        }
        all
    }

    /// Takes note of the topology that a rank's call makes.
    fn define(&mut self, call: &Call, outcome: &Outcome, rank: u32, communicators: &Communicators) -> Option<()> {
        let (made, ..) = outcome.new_communicator(call.function).filter(|(made, ..)| is_made(*made))?;
        let ints = |name| call.ints(name).to_vec();
        let topology = match call.function {
            mpi::CART_CREATE => Topology::Grid { dims: ints("dims"), periods: ints("periods") },
            mpi::GRAPH_CREATE => Topology::Graph { index: ints("index"), edges: ints("edges") },
            mpi::CART_SUB => self.list.get(&call.int("comm")?)?.part(call.ints("remain_dims"))?,
            mpi::DIST_GRAPH_CREATE | mpi::DIST_GRAPH_CREATE_ADJACENT => {
                let (old, new) = (call.int("comm_old")?, communicators.view(made, rank)?);
                if communicators.view(old, rank)?.local.ranks != new.local.ranks {
                    return None;
                }
                let own = i64::from(new.local.position(rank)?);
                let topology = self.list.entry(made).or_insert(Topology::Distributed(Edges::default()));
                let Topology::Distributed(edges) = topology else { return None };
                if add_edges(call, own, edges).is_none() {
                    *topology = Topology::Unknown;
                }
                return Some(());
            }
            _ => self.list.get(&call.int("comm")?)?.clone(),
        };
        self.list.entry(made).or_insert(topology);
        Some(())
    }

    /// Those from which a rank of a communicator receives; None if that is not known.
    pub(super) fn sources(&self, comm: i64, rank: u32) -> Option<Vec<i64>> {
        let rank = i64::from(rank);
        match self.list.get(&comm)? {
            Topology::Grid { dims, periods } => Some(grid_neighbours(rank, dims, periods)),
            Topology::Graph { index, edges } => {
                let at = usize::try_from(rank).ok()?;
                let end = usize::try_from(*index.get(at)?).ok()?;
                let start = if at == 0 { 0 } else { usize::try_from(index[at - 1]).ok()? };
                edges.get(start..end).map(<[i64]>::to_vec)
            }
            Topology::Distributed(edges) => Some(edges.sources.get(&rank).cloned().unwrap_or_default()),
            Topology::Unknown => None,
        }
    }
}

impl Topologies {
    /// What comes to a rank of a communicator, from whom; None if that is not known.
    pub(crate) fn inflows(&self, comm: i64, rank: u32) -> Option<Vec<Inflow>> {
        let sources = self.sources(comm, rank)?;
        let topology = self.list.get(&comm)?;
        let once = |list: &[i64], one: i64| {
            let at = list.iter().position(|other| *other == one)?;
            (list.iter().filter(|other| **other == one).count() == 1).then_some(at)
        };
        let inflow = |(at, &source): (usize, &i64)| {
            let is_certain = once(&sources, source).is_some();
            let from = match topology {
                // What goes one step up comes from one step down.
                Topology::Grid { .. } => Some(at ^ 1),
                Topology::Graph { .. } => once(&self.sources(comm, u32::try_from(source).ok()?)?, i64::from(rank)),
                Topology::Distributed(edges) => edges.destinations.get(&source).and_then(|list| once(list, i64::from(rank))),
                Topology::Unknown => None,
            };
            let is_ordered = !matches!(topology, Topology::Distributed(edges) if !edges.is_ordered);
            Some(Inflow { source, into: is_ordered.then_some(at), from: from.filter(|_| is_certain && is_ordered) })
        };
        Some(sources.iter().enumerate().filter(|(_, source)| **source >= 0).filter_map(inflow).collect())
    }
}

impl Topology {
    /// The grid of the dimensions that remain.
    fn part(&self, remain: &[i64]) -> Option<Topology> {
        let Topology::Grid { dims, periods } = self else { return None };
        let keep = |list: &[i64]| list.iter().zip(remain).filter(|(_, remains)| **remains != 0).map(|(n, _)| *n).collect();
        (remain.len() == dims.len()).then(|| Topology::Grid { dims: keep(dims), periods: keep(periods) })
    }
}

fn makes_topology(function: Function) -> bool {
    matches!(
        function,
        mpi::CART_CREATE
            | mpi::CART_SUB
            | mpi::GRAPH_CREATE
            | mpi::DIST_GRAPH_CREATE
            | mpi::DIST_GRAPH_CREATE_ADJACENT
            | mpi::COMM_DUP
            | mpi::COMM_DUP_WITH_INFO
            | mpi::COMM_IDUP
            | mpi::COMM_IDUP_WITH_INFO
    )
}

/// The edges that a call tells of: those to its own rank, or any. None if they are not all on record.
fn add_edges(call: &Call, own: i64, edges: &mut Edges) -> Option<()> {
    let (origins, mut destinations) = (call.ints("sources"), call.ints("destinations").iter());
    if call.function == mpi::DIST_GRAPH_CREATE_ADJACENT {
        let is_whole = call.int("indegree") == i64::try_from(origins.len()).ok();
        edges.is_ordered = true;
        edges.destinations.insert(own, destinations.copied().collect());
        return is_whole.then(|| edges.sources.insert(own, origins.to_vec())).map(|_| ());
    }
    for (source, degree) in origins.iter().zip(call.ints("degrees")) {
        for _ in 0..*degree {
            edges.sources.entry(*destinations.next()?).or_default().push(*source);
        }
    }
    (call.int("n") == i64::try_from(origins.len()).ok()).then_some(())
}

/// The two neighbours in each dimension, the last of which varies fastest.
fn grid_neighbours(rank: i64, dims: &[i64], periods: &[i64]) -> Vec<i64> {
    let mut list = Vec::with_capacity(2 * dims.len());
    let mut stride: i64 = dims.iter().product();
    for (size, is_periodic) in dims.iter().zip(periods) {
        if *size < 1 {
            return Vec::new();
        }
        stride /= size;
        let own = rank / stride % size;
        for step in [-1, 1] {
            let other = if *is_periodic != 0 { (own + step).rem_euclid(*size) } else { own + step };
            let is_there = (0..*size).contains(&other);
            list.push(if is_there { rank + (other - own) * stride } else { -1 });
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_borders_where_it_is_not_periodic() {
        // 0 1 2
        // 3 4 5
        assert_eq!(grid_neighbours(0, &[2, 3], &[0, 1]), [-1, 3, 2, 1]);
        assert_eq!(grid_neighbours(4, &[2, 3], &[0, 1]), [1, -1, 3, 5]);
        assert_eq!(grid_neighbours(0, &[], &[]), [0i64; 0]);
    }

    #[test]
    fn what_one_sends_up_comes_to_the_other_from_below() {
        let grid = Topology::Grid { dims: vec![3], periods: vec![0] };
        let all = Topologies { list: FxHashMap::from_iter([(7, grid)]) };
        let inflow = |source, into, from| Inflow { source, into: Some(into), from: Some(from) };
        assert_eq!(all.inflows(7, 1), Some(vec![inflow(0, 0, 1), inflow(2, 1, 0)]));
        assert_eq!(all.inflows(7, 0), Some(vec![inflow(1, 1, 0)]), "nobody is beyond the border");
        assert_eq!(all.inflows(8, 0), None);
    }

    #[test]
    fn where_a_neighbour_is_one_twice_nobody_knows_which_block_is_which() {
        let ring = Topology::Grid { dims: vec![2], periods: vec![1] };
        let all = Topologies { list: FxHashMap::from_iter([(7, ring)]) };
        assert!(all.inflows(7, 0).is_some_and(|all| all.len() == 2 && all.iter().all(|inflow| inflow.from.is_none())));
    }
}
