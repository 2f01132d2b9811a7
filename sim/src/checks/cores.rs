//! The cores of a deadlock: the smallest groups of lanes that keep everybody else waiting.
//!
//! A lane points to those that would have to move first. Where it needs several things at once, one that can never come is enough to hold
//! it, and the simplest is taken: a rank that has ended, then a lane that points straight back. What nobody points out of is a core.

use super::standing::Standing;
use crate::machine::{Awaited, Fate, Need, Remains};
use crate::program::{Program, Until};

/// A group of lanes that wait for each other, or for ranks that have called MPI_Finalize.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Core {
    /// The lanes, in order.
    pub(super) lanes: Vec<usize>,
    /// The ranks that have called MPI_Finalize and are waited for; empty if the lanes wait for each other.
    pub(super) gone: Vec<u32>,
    /// How many other lanes wait because of them.
    pub(super) others: usize,
}

/// Where a lane points.
#[derive(Default)]
struct Pointer {
    lanes: Vec<usize>,
    gone: Vec<u32>,
}

/// Finds the cores.
pub(super) fn find(program: &Program, remains: &Remains, standing: &Standing) -> Vec<Core> {
    let mut finder = Finder { program, remains, standing, lanes_of: vec![Vec::new(); program.world_size as usize] };
    for (number, lane) in program.lanes.iter().enumerate() {
        if let Some(list) = finder.lanes_of.get_mut(lane.rank as usize) {
            list.push(number);
        }
    }
    let pointers: Vec<Pointer> = (0..program.lanes.len()).map(|lane| finder.pointer(lane)).collect();
    let components = components(&pointers, &standing.is_stuck);
    let mut component_of = vec![usize::MAX; pointers.len()];
    for (number, lanes) in components.iter().enumerate() {
        lanes.iter().for_each(|lane| component_of[*lane] = number);
    }
    let is_core = |lanes: &[usize]| {
        lanes.iter().all(|lane| pointers[*lane].lanes.iter().all(|to| component_of[*to] == component_of[*lane]))
    };
    let mut cores: Vec<Core> = Vec::new();
    for lanes in components.iter().filter(|lanes| is_core(lanes)) {
        let mut gone: Vec<u32> = lanes.iter().flat_map(|lane| pointers[*lane].gone.iter().copied()).collect();
        gone.sort_unstable();
        gone.dedup();
        // Lanes that wait for the same rank that has ended are one deadlock.
        match cores.iter_mut().find(|core| !gone.is_empty() && core.gone == gone) {
            Some(core) => core.lanes.extend(lanes),
            None => cores.push(Core { lanes: lanes.clone(), gone, others: 0 }),
        }
    }
    cores.iter_mut().for_each(|core| core.lanes.sort_unstable());
    cores.sort_by_key(|core| core.lanes[0]);
    count_others(&mut cores, &pointers, &standing.is_stuck);
    for core in &mut cores {
        // A rank that is waited for in vain may wait itself, in MPI_Finalize: that is no news.
        let is_waiting = |rank: &&u32| !finder.stuck_lanes(**rank).is_empty();
        core.others = core.others.saturating_sub(core.gone.iter().filter(is_waiting).count());
    }
    cores
}

/// Counts every stuck lane that is in no core with the first core that it leads to.
fn count_others(cores: &mut [Core], pointers: &[Pointer], is_stuck: &[bool]) {
    let mut core_of = vec![usize::MAX; pointers.len()];
    for (number, core) in cores.iter().enumerate() {
        core.lanes.iter().for_each(|lane| core_of[*lane] = number);
    }
    for start in (0..pointers.len()).filter(|lane| is_stuck[*lane]) {
        let mut way = vec![start];
        let mut at = start;
        while core_of[at] == usize::MAX {
            match pointers[at].lanes.iter().find(|to| !way.contains(to)) {
                Some(&next) => at = next,
                None => break,
            }
            way.push(at);
        }
        let core = core_of[at];
        if core == usize::MAX {
            continue;
        }
        for lane in way.into_iter().take_while(|lane| core_of[*lane] == usize::MAX).collect::<Vec<_>>() {
            core_of[lane] = core;
            cores[core].others += 1;
        }
    }
}

struct Finder<'a> {
    program: &'a Program,
    remains: &'a Remains,
    standing: &'a Standing,
    lanes_of: Vec<Vec<usize>>,
}

impl Finder<'_> {
    /// Where a lane points, if it is stuck.
    fn pointer(&self, lane: usize) -> Pointer {
        let Fate::Waits(wait) = &self.remains.fates[lane] else { return Pointer::default() };
        if !self.standing.is_stuck[lane] {
            return Pointer::default();
        }
        let hopeless = wait.needs.iter().filter(|need| !self.standing.can_be_met(self.program, self.remains, need));
        let mut pointers = hopeless.map(|need| self.pointer_of(lane, need));
        if wait.until == Until::Any {
            return pointers.fold(Pointer::default(), |mut all, one| {
                all.lanes.extend(one.lanes);
                all.gone.extend(one.gone);
                all
            });
        }
        let first = pointers.next().unwrap_or_default();
        if is_simple(&first) { first } else { pointers.find(is_simple).unwrap_or(first) }
    }

    fn pointer_of(&self, lane: usize, need: &Need) -> Pointer {
        let ranks: &[u32] = match &need.from {
            Awaited::One(rank) => std::slice::from_ref(rank),
            Awaited::AnyOf(context) => {
                let members = &self.program.contexts[*context as usize].members;
                let gone = members.iter().filter(|rank| self.standing.is_gone(**rank)).copied().collect();
                let lanes: Vec<usize> =
                    members.iter().flat_map(|rank| self.stuck_lanes(*rank)).filter(|to| *to != lane).collect();
                // One of them would be enough: all of them hold it.
                return if lanes.is_empty() { Pointer { lanes, gone } } else { Pointer { lanes, gone: Vec::new() } };
            }
            Awaited::Missing(at) => &self.remains.collectives[*at].missing,
            Awaited::Each(ranks) => ranks,
            Awaited::Locks { held, .. } => &held.iter().map(|held| held.rank).collect::<Vec<u32>>(),
        };
        let gone: Vec<u32> = ranks.iter().filter(|rank| self.standing.is_gone(**rank)).copied().collect();
        if !gone.is_empty() {
            return Pointer { lanes: Vec::new(), gone };
        }
        let held = ranks.iter().filter(|rank| !self.standing.is_alive(**rank));
        let back = held.clone().find(|rank| self.stuck_lanes(**rank).iter().any(|to| self.points_to(*to, lane)));
        let one = back.or_else(|| held.clone().next());
        Pointer { lanes: one.map_or_else(Vec::new, |rank| self.stuck_lanes(*rank)), gone }
    }

    fn stuck_lanes(&self, rank: u32) -> Vec<usize> {
        let lanes = self.lanes_of.get(rank as usize).map_or(&[][..], Vec::as_slice);
        lanes.iter().filter(|lane| self.standing.is_stuck[**lane]).copied().collect()
    }

    /// Whether a lane waits for another one and nobody else.
    fn points_to(&self, from: usize, to: usize) -> bool {
        let Fate::Waits(wait) = &self.remains.fates[from] else { return false };
        let rank = self.program.lanes[to].rank;
        wait.needs.iter().any(|need| match &need.from {
            Awaited::One(one) => *one == rank,
            Awaited::Missing(at) => self.remains.collectives[*at].missing == [rank],
            Awaited::Each(ranks) => *ranks == [rank],
            Awaited::Locks { held, .. } => held.iter().any(|held| held.rank == rank),
            _ => false,
        })
    }
}

/// Whether there is nothing simpler to blame.
fn is_simple(pointer: &Pointer) -> bool {
    !pointer.gone.is_empty()
}

/// The strongly connected components of the stuck lanes (Tarjan's algorithm, without recursion).
fn components(pointers: &[Pointer], is_stuck: &[bool]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let mut found = Vec::new();
    let mut number = vec![NEW; pointers.len()];
    let mut lowest = vec![0; pointers.len()];
    let mut is_open = vec![false; pointers.len()];
    let (mut open, mut next) = (Vec::new(), 0);
    for root in (0..pointers.len()).filter(|lane| is_stuck[*lane]) {
        if number[root] != NEW {
            continue;
        }
        let mut visits = vec![(root, 0)];
        while let Some((lane, edge)) = visits.pop() {
            if edge == 0 {
                (number[lane], lowest[lane], is_open[lane]) = (next, next, true);
                open.push(lane);
                next += 1;
            }
            if let Some(&to) = pointers[lane].lanes.get(edge) {
                visits.push((lane, edge + 1));
                if number[to] == NEW {
                    visits.push((to, 0));
                } else if is_open[to] {
                    lowest[lane] = lowest[lane].min(number[to]);
                }
                continue;
            }
            if lowest[lane] == number[lane] {
                let start = open.iter().rposition(|l| *l == lane).unwrap_or(0);
                let mut component = open.split_off(start);
                component.iter().for_each(|l| is_open[*l] = false);
                component.sort_unstable();
                found.push(component);
            }
            if let Some((parent, _)) = visits.last() {
                lowest[*parent] = lowest[*parent].min(lowest[lane]);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointing(lists: &[&[usize]]) -> Vec<Pointer> {
        lists.iter().map(|lanes| Pointer { lanes: lanes.to_vec(), gone: Vec::new() }).collect()
    }

    #[test]
    fn lanes_that_reach_each_other_are_one_component() {
        let pointers = pointing(&[&[1], &[2], &[0], &[0], &[4], &[3, 4]]);
        let mut found = components(&pointers, &[true; 6]);
        found.sort();
        assert_eq!(found, [vec![0, 1, 2], vec![3], vec![4], vec![5]]);
    }
}
