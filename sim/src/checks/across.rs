//! The roots of collectives between two groups: in the one group the root says MPI_ROOT and the others MPI_PROC_NULL, and all of the other group name
//! the root.

use traces::Function;
use traces::constant::{PROC_NULL, ROOT};

use super::collectives::Meeting;
use super::{Evidence, primary};
use crate::finding::{Finding, Place, Severity};
use crate::rules;

/// What a member says of the root.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Idle,
    /// It names this rank of MPI_COMM_WORLD.
    Names(u32),
}

struct Member {
    place: Place,
    rank: u32,
    /// The first rank of its group, which tells the groups apart.
    group: i64,
    role: Role,
}

/// The first two members that do not agree about the root.
pub(super) fn check(evidence: Evidence, meeting: Meeting, function: Function) -> Option<Finding> {
    function.parameter("root")?;
    let members: Vec<Member> = meeting.calls.iter().filter_map(|(place, _)| member(evidence, *place)).collect();
    let pairs = members.iter().flat_map(|one| members.iter().map(move |other| (one, other)));
    let (one, other) = pairs.into_iter().find(|(one, other)| one.rank != other.rank && disagree(one, other))?;
    let texts = [one, other].map(|member| match member.role {
        Role::Root => "is the root".to_owned(),
        Role::Idle => "takes no part".to_owned(),
        Role::Names(rank) => format!("names rank {rank} as root"),
    });
    let title = format!("in {function}, rank {} {} and rank {} {}", one.rank, texts[0], other.rank, texts[1]);
    let mut found = Finding::new(&rules::COLLECTIVE_ROOT, Severity::Error, title);
    found.labels = [one, other].iter().zip(texts).map(|(member, text)| primary(member.place, text)).collect();
    Some(found)
}

fn member(evidence: Evidence, place: Place) -> Option<Member> {
    let (call, rank) = (evidence.call(place), evidence.rank(place));
    let view = evidence.lifted.communicators.view(call.int("comm")?, rank)?;
    let role = match call.int("root")? {
        ROOT => Role::Root,
        PROC_NULL => Role::Idle,
        named => Role::Names(u32::try_from(*view.peers.ranks.get(usize::try_from(named).ok()?)?).ok()?),
    };
    Some(Member { place, rank, group: *view.local.ranks.first()?, role })
}

/// Whether what one says makes wrong what the other says. It is asked both ways round.
fn disagree(one: &Member, other: &Member) -> bool {
    let is_same_group = one.group == other.group;
    match (one.role, other.role) {
        (Role::Root, Role::Root) => true,
        (Role::Root, Role::Names(rank)) => is_same_group || rank != one.rank,
        (Role::Root, Role::Idle) => !is_same_group,
        (Role::Names(rank), role) => rank == other.rank && role != Role::Root,
        (Role::Idle, _) => false,
    }
}
