//! What is said of one-sided accesses that race: one finding for each pair of lines.

use traces::constant;
use traces::function::Kind as Of;

use super::sharing::range;
use super::wording::distinct;
use super::{Evidence, primary};
use crate::accesses::{Access, Kind, Session};
use crate::finding::{Finding, Place, Severity};
use crate::footprint::Footprint;
use crate::program::ContextId;
use crate::rules;
use crate::uses::Use;

/// Why two accesses must not be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// One of them writes.
    Writes,
    /// They accumulate with different operations.
    Operations,
    /// They accumulate different types.
    Types,
}

/// One of the two.
#[derive(Clone, Debug)]
pub(super) enum Party {
    /// An access from afar.
    Access(Access),
    /// A call of the rank whose memory it is.
    Own(Place, Use),
}

impl Party {
    fn place(&self) -> Place {
        match self {
            Party::Access(access) => access.place,
            Party::Own(place, _) => *place,
        }
    }

    fn bytes(&self) -> Option<&Footprint> {
        match self {
            Party::Access(access) => access.bytes.as_ref(),
            Party::Own(_, own) => Some(&own.bytes),
        }
    }

    fn verb(&self) -> &'static str {
        match self {
            Party::Own(_, own) if own.writes => "writes",
            Party::Own(..) => "reads",
            Party::Access(access) if !access.writes() => "reads",
            Party::Access(access) if access.kind == Kind::Put => "writes",
            Party::Access(_) => "changes",
        }
    }
}

/// Two lines that race.
struct Race {
    window: ContextId,
    target: u32,
    session: Session,
    clash: Clash,
    parties: [Party; 2],
    targets: Vec<u32>,
    times: u64,
}

/// All of them.
#[derive(Default)]
pub(super) struct Races(Vec<Race>);

impl Races {
    /// Adds a pair that was found on one rank's part of a window.
    pub(super) fn add(
        &mut self,
        evidence: Evidence,
        (window, target, session): (ContextId, u32, Session),
        clash: Clash,
        parties: [Party; 2],
    ) {
        let sites = |parties: &[Party; 2]| {
            let mut sites = [&parties[0], &parties[1]].map(|party| evidence.call(party.place()).site);
            sites.sort_unstable();
            sites
        };
        let own = sites(&parties);
        let is_same = |race: &&mut Race| !own.contains(&None) && race.clash == clash && sites(&race.parties) == own;
        match self.0.iter_mut().find(is_same) {
            Some(race) => {
                race.targets.push(target);
                race.times += 1;
            }
            None => self.0.push(Race { window, target, session, clash, parties, targets: vec![target], times: 1 }),
        }
    }

    /// What is said of them.
    pub(super) fn into_findings(self, evidence: Evidence) -> Vec<Finding> {
        self.0.into_iter().map(|race| race.into_finding(evidence)).collect()
    }
}

impl Race {
    fn into_finding(self, evidence: Evidence) -> Finding {
        let Race { window, target, session, clash, parties: [one, other], .. } = &self;
        let of = |party: &Party| format!("{} of rank {}", evidence.function(party.place()), evidence.rank(party.place()));
        let title = match clash {
            Clash::Writes => {
                let [what, and] = [one.verb(), other.verb()];
                format!("{} {what} the memory of rank {target} that {} {and}, and nothing orders them", of(one), of(other))
            }
            Clash::Operations => {
                format!("{} and {} combine the same memory of rank {target} with different operations", of(one), of(other))
            }
            Clash::Types => format!("{} and {} combine the same memory of rank {target} as different types", of(one), of(other)),
        };
        let mut found = Finding::new(&rules::RMA_RACE, Severity::Error, title);
        let label = |party: &Party| {
            let with = match (clash, party) {
                (Clash::Operations, Party::Access(access)) => access.operation.map_or(String::new(), with),
                _ => String::new(),
            };
            format!("{} {} of {} of rank {target}{with}", party.verb(), self.shared(), evidence.name_of(*window))
        };
        found.labels = [other, one].map(|party| primary(party.place(), label(party))).into();
        found.notes.push(match session {
            Session::Fence(_) => "both are between the same two fences, and complete only with the second one".into(),
            Session::Exposure(_) => {
                format!("both are in one epoch of rank {target}, which MPI_Win_post begins and MPI_Win_wait ends")
            }
            _ if one.place().lane == other.place().lane => "no flush or unlock comes between them".into(),
            _ => "no lock is exclusive, and no message and no collective orders them".into(),
        });
        let targets = distinct(self.targets.iter().copied());
        if self.times > 1 {
            let on = if targets.len() > 1 { format!(", on {} ranks", targets.len()) } else { String::new() };
            found.notes.push(format!("it happens {} times{on}", self.times));
        }
        found
    }

    /// The bytes that both touch, counted from the first one of the window.
    fn shared(&self) -> String {
        let Race { parties: [one, other], .. } = self;
        let bounds = [one, other].map(|party| party.bytes().and_then(Footprint::bounds));
        let memory = [one, other].into_iter().find_map(|party| match party {
            Party::Access(access) => access.memory,
            Party::Own(..) => None,
        });
        match (bounds, memory.filter(|memory| memory.base != 0 || memory.is_bounded)) {
            ([Some(a), Some(b)], Some(memory)) => range(a.0.max(b.0) - memory.base, a.1.min(b.1) - 1 - memory.base),
            _ => "memory".into(),
        }
    }
}

/// ` with MPI_SUM`.
fn with(operation: i64) -> String {
    constant::find(Of::Op, operation).map_or(String::new(), |operation| format!(" with {}", operation.name))
}
