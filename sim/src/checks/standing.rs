//! Who is stuck for ever, as far as it can be proved.
//!
//! A lane that waits is stuck if nobody that it waits for can ever move again: it needs all or one of several things (AND, OR), and each can
//! be brought about by one of some ranks, or takes all of them. Ranks of which nothing is known may still do anything; ranks that have
//! called MPI_Finalize will do nothing, whether it returned or not.

use crate::machine::{Awaited, Fate, Need, Remains, Wait};
use crate::program::{End, Lane, Op, Program, Until};

/// What every lane can still do.
pub(super) struct Standing {
    /// By lane: waits, and nobody will ever come.
    pub(super) is_stuck: Vec<bool>,
    /// By rank: whether any of its lanes may still do something. A rank without a lane may.
    is_alive: Vec<bool>,
    /// By rank: whether it has called MPI_Finalize.
    is_gone: Vec<bool>,
}

impl Standing {
    /// Decides it.
    pub(super) fn of(program: &Program, remains: &Remains) -> Standing {
        let ranks = program.world_size as usize;
        let mut standing =
            Standing { is_stuck: vec![false; program.lanes.len()], is_alive: vec![true; ranks], is_gone: vec![false; ranks] };
        for lane in &program.lanes {
            if let Some(alive) = standing.is_alive.get_mut(lane.rank as usize) {
                *alive = false;
            }
        }
        for (lane, fate) in program.lanes.iter().zip(&remains.fates) {
            let Some(rank) = Some(lane.rank as usize).filter(|rank| *rank < ranks) else { continue };
            match fate {
                _ if is_at_end(program, lane, fate) => standing.is_gone[rank] = true,
                Fate::Waits(_) => {}
                // Nothing comes from a thread that has ended; where all have, nobody knows of others.
                Fate::Through(_) if lane.has_ended && waits_elsewhere(program, remains, lane.rank) => {}
                Fate::Unknown | Fate::Through(_) => standing.is_alive[rank] = true,
            }
        }
        while standing.release_some(program, remains) {}
        for (lane, fate) in remains.fates.iter().enumerate() {
            if let Fate::Waits(wait) = fate {
                standing.is_stuck[lane] = !standing.can_go_on(program, remains, wait);
            }
        }
        standing
    }

    /// Finds lanes that wait for ranks that may still do something: then they may, too. Gives whether any is new.
    fn release_some(&mut self, program: &Program, remains: &Remains) -> bool {
        let mut is_new = false;
        for (lane, fate) in program.lanes.iter().zip(&remains.fates) {
            let Fate::Waits(wait) = fate else { continue };
            if !self.is_alive(lane.rank) && !is_at_end(program, lane, fate) && self.can_go_on(program, remains, wait) {
                self.is_alive[lane.rank as usize] = true;
                is_new = true;
            }
        }
        is_new
    }

    fn can_go_on(&self, program: &Program, remains: &Remains, wait: &Wait) -> bool {
        let mut needs = wait.needs.iter();
        match wait.until {
            Until::All => needs.all(|need| self.can_be_met(program, remains, need)),
            Until::Any => needs.any(|need| self.can_be_met(program, remains, need)) || wait.needs.is_empty(),
        }
    }

    /// Whether somebody can still bring about what is needed.
    pub(super) fn can_be_met(&self, program: &Program, remains: &Remains, need: &Need) -> bool {
        match &need.from {
            Awaited::One(rank) => self.is_alive(*rank),
            Awaited::AnyOf(context) => program.contexts[*context as usize].members.iter().any(|rank| self.is_alive(*rank)),
            Awaited::Missing(at) => remains.collectives[*at].missing.iter().all(|rank| self.is_alive(*rank)),
            Awaited::Each(ranks) => ranks.iter().all(|rank| self.is_alive(*rank)),
            // Nobody knows in which order locks that were asked for are given, as long as the memory's owner can give them.
            Awaited::Locks { targets, held } => {
                let mut ranks = targets.iter().copied().chain(held.iter().map(|held| held.rank));
                held.is_empty() || ranks.any(|rank| self.is_alive(rank))
            }
        }
    }

    /// Whether a rank may still do something.
    pub(super) fn is_alive(&self, rank: u32) -> bool {
        self.is_alive.get(rank as usize).copied().unwrap_or(true)
    }

    /// Whether a rank has called MPI_Finalize, so that it communicates no more.
    pub(super) fn is_gone(&self, rank: u32) -> bool {
        self.is_gone.get(rank as usize).copied().unwrap_or(false) && !self.is_alive(rank)
    }
}

/// Whether a rank waits in one of its lanes.
fn waits_elsewhere(program: &Program, remains: &Remains, rank: u32) -> bool {
    let fates = program.lanes.iter().zip(&remains.fates);
    fates.into_iter().any(|(lane, fate)| lane.rank == rank && matches!(fate, Fate::Waits(_)))
}

/// Whether a lane has made its last call that can matter to others.
fn is_at_end(program: &Program, lane: &Lane, fate: &Fate) -> bool {
    let is_last_finalize = lane.steps.last().is_some_and(|op| program.ops[*op as usize] == Op::Finalize);
    match fate {
        Fate::Through(end) => *end == End::Finalized || is_last_finalize,
        Fate::Waits(wait) => is_last_finalize && wait.place.event as usize + 1 == lane.steps.len(),
        Fate::Unknown => false,
    }
}
