//! Communicators: a number that is the same on all members, found without talking to them.
//!
//! All members of a communicator make its children in the same order, so (parent, how many children before, members) names a child. Windows
//! and files are children, too.
//! Where only some members take part (MPI_Comm_create_group, MPI_Intercomm_create), or there is no parent (MPI_Comm_create_from_group), they are
//! counted by who takes part and with which tag.

use recorder::settings::Origin;
use rustc_hash::FxHashMap;
use traces::constant::{COMM_NULL, COMM_SELF, COMM_WORLD, FIRST_MADE, ROOT, UNKNOWN_HANDLE};
use traces::{Function, Kind, mpi};
use xxhash_rust::xxh3::xxh3_64;

use crate::abi::abi;
use crate::real;
use crate::shape::Making;

/// What is known of a communicator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Communicator {
    /// Its number in the trace.
    pub id: i64,
    /// How many children its members made together.
    children: u64,
    /// This process's rank in it.
    pub rank: i64,
    /// The length of the arrays of its vector collectives: its size, or that of the remote group.
    pub peers: usize,
    /// Whether it has two groups.
    pub is_inter: bool,
    /// How many neighbours send to this process, and how many it sends to.
    pub degrees: (usize, usize),
}

impl Communicator {
    /// Whether this process is the root that a call names. In an intercommunicator the root itself says MPI_ROOT, and the number is one of
    /// the other group. Of a communicator that is not known, nobody is: what means something at the root only may be anything elsewhere.
    pub fn is_root(&self, root: i64) -> bool {
        root == ROOT || (self.id != UNKNOWN_HANDLE && !self.is_inter && root == self.rank)
    }
}

/// The members of a communicator as the trace names them: ranks in the MPI_COMM_WORLD of the first world; 2³² times its number more for those
/// of another world; −1 for those that are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Of the group that this process is in.
    pub local: Vec<i64>,
    /// Of the other group of an intercommunicator.
    pub remote: Vec<i64>,
}

/// The communicators of the process.
#[derive(Debug, Default)]
pub struct Communicators {
    known: FxHashMap<u64, Communicator>,
    /// How many were made by these participants with this tag.
    partial: FxHashMap<u64, u64>,
    /// Whether MPI_COMM_WORLD exists: not in a program that uses sessions only, where asking for it may crash.
    world: bool,
    /// The sessions that are open.
    sessions: Vec<u64>,
    /// The number of the world that this process is in.
    own_world: u32,
    /// Groups of processes of other worlds.
    others: Vec<Others>,
    /// This process's rank in it.
    rank: u32,
}

/// A group of processes of other worlds.
#[derive(Debug)]
struct Others {
    /// Kept as long as the process lives.
    group: usize,
    /// Who they are.
    members: Vec<i64>,
}

/// The name of the set of all processes that were started together.
const WORLD_SET: &std::ffi::CStr = c"mpi://WORLD";

impl Communicators {
    /// What is known of a communicator.
    #[inline]
    pub fn get(&self, handle: u64) -> Option<&Communicator> {
        self.known.get(&handle)
    }

    /// MPI_Init has returned: MPI_COMM_WORLD and MPI_COMM_SELF are there. Returns rank and size; None for a process that was started by others
    /// and does not know by whom, since its rank is one in an unknown world.
    pub fn begin_world(&mut self, origin: Option<&Origin>) -> Option<(u32, u32)> {
        let world = abi().native(Kind::Comm, COMM_WORLD)?;
        let (rank, size) = (query(mpi::COMM_RANK, world)?, query(mpi::COMM_SIZE, world)?);
        let peers = usize::try_from(size).ok()?;
        self.known.insert(world as u64, Communicator { id: COMM_WORLD, rank: i64::from(rank), peers, ..Communicator::default() });
        if let Some(own) = abi().native(Kind::Comm, COMM_SELF) {
            self.known.insert(own as u64, Communicator { id: COMM_SELF, peers: 1, ..Communicator::default() });
        }
        self.world = true;
        self.rank = u32::try_from(rank).ok()?;
        let place = (self.rank, u32::try_from(size).ok()?);
        let Some(parent) = parent() else { return Some(place) };
        self.begin_spawned(parent, origin?, rank);
        Some(place)
    }

    /// This process was started by others, which told it who they are.
    fn begin_spawned(&mut self, parent: u64, origin: &Origin, rank: i32) {
        self.own_world = origin.world;
        let (id, peers) = (origin.comm, origin.parents.len());
        let known = Communicator { id, rank: i64::from(rank), peers, is_inter: true, ..Communicator::default() };
        self.known.insert(parent, known);
        self.remember_others(parent, origin.parents.clone());
    }

    /// The remote group of an intercommunicator is of other worlds, and these are its members.
    fn remember_others(&mut self, inter: u64, members: Vec<i64>) {
        let mut group = 0usize;
        // SAFETY: the intercommunicator is valid; the handle is written into a word that is large enough in every ABI.
        let code = unsafe { real::pmpi(mpi::COMM_REMOTE_GROUP, [inter as usize, (&raw mut group) as usize]) };
        if code == Some(0) {
            self.others.push(Others { group, members });
        }
    }

    /// The next communicator that the members of this one make by starting processes, and the number of the world of these.
    pub fn next_spawned(&self, parent: u64) -> (i64, u32) {
        let ancestor = self.known.get(&parent).copied().unwrap_or_default();
        spawned(&ancestor, ancestor.children + 1)
    }

    /// The number of a communicator and its members, if it is known.
    pub fn known_members(&self, handle: u64) -> Option<(i64, Members)> {
        self.known.get(&handle).map(|known| (known.id, self.members(handle)))
    }

    /// A session is there. Where there is no MPI_COMM_WORLD, and this is the first, it tells rank and size.
    pub fn begin_session(&mut self, session: u64) -> Option<(u32, u32)> {
        self.sessions.push(session);
        let is_first = !self.world && self.sessions.len() == 1;
        let mut group = is_first.then(|| self.world_group()).flatten()?;
        let of_group = |function| query(function, abi().handle(Kind::Group, group) as usize);
        let found = (of_group(mpi::GROUP_RANK), of_group(mpi::GROUP_SIZE));
        // SAFETY: the group was made above.
        unsafe { real::pmpi(mpi::GROUP_FREE, [(&raw mut group) as usize]) };
        self.rank = u32::try_from(found.0?).ok()?;
        Some((self.rank, u32::try_from(found.1?).ok()?))
    }

    /// A session is over.
    pub fn end_session(&mut self, session: u64) {
        self.sessions.retain(|open| *open != session);
    }

    /// Whether the program has neither a world nor a session any more.
    pub fn are_over(&self) -> bool {
        !self.world && self.sessions.is_empty()
    }

    /// The members of `parent` have made a child together; this process may not be in it. Counts it.
    pub fn count_child(&mut self, parent: u64) -> u64 {
        self.known.get_mut(&parent).map_or(0, |p| {
            p.children += 1;
            p.children
        })
    }

    /// The number of a window or a file that the members of `parent` have made together; None if that is not known.
    pub fn number_child(&mut self, parent: u64, kind: Kind) -> Option<i64> {
        let nth = self.count_child(parent);
        let ancestor = self.known.get(&parent)?;
        let mut words = vec![4, kind as u64, ancestor.id as u64, nth];
        // MPI_COMM_SELF is another one on each rank.
        if ancestor.id == COMM_SELF {
            words.push(u64::from(self.rank));
        }
        Some(number(&words))
    }

    /// The program was given this communicator. Returns its number and its members.
    pub fn add(&mut self, handle: u64, parent: u64, how: Making, nth: u64, tag: u64, function: Function) -> (i64, Members) {
        let ancestor = self.known.get(&parent).copied().unwrap_or_default();
        if how == Making::Spawning {
            let (_, world) = spawned(&ancestor, nth);
            let count = query(mpi::COMM_REMOTE_SIZE, handle as usize).map_or(0, i64::from);
            self.remember_others(handle, (0..count).map(|rank| named(world, rank)).collect());
        }
        let members = self.members(if how == Making::ByParentLater { parent } else { handle });
        let mut words = match how {
            Making::ByParent | Making::ByParentLater | Making::Spawning => vec![1, ancestor.id as u64, nth],
            Making::ByGroup => vec![2, ancestor.id as u64, tag],
            Making::ByLeaders => vec![3, tag],
        };
        // Both sides of an intercommunicator must see the same: the group with the lower rank first.
        let mut groups = [&members.local, &members.remote];
        groups.sort();
        words.extend(groups.into_iter().flatten().map(|&r| r as u64));
        if matches!(how, Making::ByGroup | Making::ByLeaders) {
            let made = self.partial.entry(digest(&words)).or_insert(0);
            *made += 1;
            words.push(*made);
        }
        let id = if how == Making::Spawning { spawned(&ancestor, nth).0 } else { number(&words) };
        let mut communicator =
            Communicator { id, peers: members.local.len(), degrees: ancestor.degrees, ..Communicator::default() };
        if how == Making::ByParentLater {
            communicator.rank = ancestor.rank;
        } else {
            communicator.rank = query(mpi::COMM_RANK, handle as usize).map_or(0, i64::from);
            if let Some(degrees) = degrees(function, handle as usize, communicator.rank) {
                communicator.degrees = degrees;
            }
        }
        if !members.remote.is_empty() {
            (communicator.peers, communicator.is_inter) = (members.remote.len(), true);
        }
        self.known.insert(handle, communicator);
        (id, members)
    }

    /// The program freed a communicator.
    pub fn remove(&mut self, handle: u64) {
        self.known.remove(&handle);
    }

    fn members(&self, handle: u64) -> Members {
        let mut inter = 0i32;
        // SAFETY: the library has just given this communicator, or knows it as a parent; all calls are local.
        unsafe { real::pmpi(mpi::COMM_TEST_INTER, [handle as usize, (&raw mut inter) as usize]) };
        let group = |function| self.group_members(handle as usize, function).unwrap_or_default();
        Members { local: group(mpi::COMM_GROUP), remote: if inter == 0 { Vec::new() } else { group(mpi::COMM_REMOTE_GROUP) } }
    }

    /// The members of the group that `function` gives of a communicator.
    fn group_members(&self, comm: usize, function: Function) -> Option<Vec<i64>> {
        let (mut group, mut size) = (0usize, 0i32);
        let handle_of = |word: &usize| abi().handle(Kind::Group, *word) as usize;
        // SAFETY: as in `members`; handles are written into words that are large enough in every ABI.
        unsafe {
            real::pmpi(function, [comm, (&raw mut group) as usize]).filter(|&c| c == 0)?;
            real::pmpi(mpi::GROUP_SIZE, [handle_of(&group), (&raw mut size) as usize]);
        }
        let mut members = vec![-1i64; usize::try_from(size).ok()?];
        if let Some(mut world_group) = self.world_group() {
            let own = |rank: usize| i64::try_from(rank).map_or(-1, |rank| named(self.own_world, rank));
            translate(handle_of(&group), handle_of(&world_group), &mut members, own);
            // SAFETY: `world_group` made it.
            unsafe { real::pmpi(mpi::GROUP_FREE, [(&raw mut world_group) as usize]) };
        }
        for others in &self.others {
            if members.contains(&-1) {
                let other = |rank: usize| others.members.get(rank).copied().unwrap_or(-1);
                translate(handle_of(&group), handle_of(&others.group), &mut members, other);
            }
        }
        // SAFETY: the group was made above.
        unsafe { real::pmpi(mpi::GROUP_FREE, [(&raw mut group) as usize]) };
        Some(members)
    }

    /// The group of all processes that were started together, to be freed by the caller. What belongs to one session must not be mixed with
    /// what belongs to another: of a program that has several, nobody knows which is whose.
    fn world_group(&self) -> Option<usize> {
        let mut group = 0usize;
        let address = (&raw mut group) as usize;
        let code = if self.world {
            let world = abi().native(Kind::Comm, COMM_WORLD)?;
            // SAFETY: MPI_COMM_WORLD exists; the handle is written into a word that is large enough in every ABI.
            unsafe { real::pmpi(mpi::COMM_GROUP, [world, address]) }
        } else {
            let [session] = self.sessions[..] else { return None };
            // SAFETY: the session is open, and every library has this set.
            unsafe { real::pmpi(mpi::GROUP_FROM_SESSION_PSET, [session as usize, WORLD_SET.as_ptr() as usize, address]) }
        };
        (code == Some(0)).then_some(group)
    }
}

/// Names those members of a group that are in another group, too, by their ranks there.
fn translate(group: usize, other: usize, members: &mut [i64], name: impl Fn(usize) -> i64) {
    let ranks: Vec<i32> = (0..).take(members.len()).collect();
    let mut found = vec![-1i32; members.len()];
    let arrays = (ranks.as_ptr() as usize, found.as_mut_ptr() as usize);
    // SAFETY: both groups are valid, and both arrays have as many elements as the first group has members.
    let code = unsafe { real::pmpi(mpi::GROUP_TRANSLATE_RANKS, [group, members.len(), arrays.0, other, arrays.1]) };
    if code == Some(0) {
        let named = members.iter_mut().zip(found).filter(|(member, _)| **member == -1);
        named.for_each(|(member, rank)| *member = usize::try_from(rank).map_or(-1, &name));
    }
}

/// How the trace names a process of a world.
fn named(world: u32, rank: i64) -> i64 {
    i64::from(world) << 32 | rank
}

/// The communicator that the members of another one make by starting processes, and the number of the world of these, which is not 0.
fn spawned(parent: &Communicator, nth: u64) -> (i64, u32) {
    let id = number(&[5, parent.id as u64, nth]);
    (id, (id as u32 >> 1).max(1))
}

/// The communicator of those who started this process; None if nobody did.
fn parent() -> Option<u64> {
    let mut word = 0usize;
    let address = (&raw mut word) as usize;
    // SAFETY: MPI is initialized; the handle is written into a word that is large enough in every ABI.
    let code = unsafe { real::pmpi(mpi::COMM_GET_PARENT, [address]) };
    // SAFETY: the handle was written.
    let handle = unsafe { abi().handle_at(Kind::Comm, address, 0) };
    (code == Some(0) && abi().predefined(Kind::Comm, handle) != Some(COMM_NULL)).then_some(handle)
}

/// The neighbours of this process in a topology that was just made; None if `function` makes none, or it is inherited.
fn degrees(function: Function, comm: usize, rank: i64) -> Option<(usize, usize)> {
    let count = |n: i32| usize::try_from(n).unwrap_or(0);
    match function {
        mpi::CART_CREATE | mpi::CART_SUB => query(mpi::CARTDIM_GET, comm).map(|n| (2 * count(n), 2 * count(n))),
        mpi::GRAPH_CREATE => {
            let mut n = 0i32;
            // SAFETY: a graph communicator, this process's rank in it, and the address of an int.
            unsafe { real::pmpi(mpi::GRAPH_NEIGHBORS_COUNT, [comm, rank as usize, (&raw mut n) as usize]) };
            Some((count(n), count(n)))
        }
        mpi::DIST_GRAPH_CREATE | mpi::DIST_GRAPH_CREATE_ADJACENT => {
            let mut n = [0i32; 3];
            let [sources, destinations, weighted] = [0, 1, 2].map(|i| (&raw mut n[i]) as usize);
            // SAFETY: a distributed graph communicator and the addresses of three ints.
            unsafe { real::pmpi(mpi::DIST_GRAPH_NEIGHBORS_COUNT, [comm, sources, destinations, weighted]) };
            Some((count(n[0]), count(n[1])))
        }
        _ => None,
    }
}

/// The int that a local function says of a communicator or a group.
fn query(function: Function, handle: usize) -> Option<i32> {
    let mut value = -1i32;
    // SAFETY: the handle is valid, and the function takes it and the address of an int.
    let code = unsafe { real::pmpi(function, [handle, (&raw mut value) as usize]) };
    (code == Some(0)).then_some(value)
}

/// The number of a communicator that these words tell from every other one.
fn number(words: &[u64]) -> i64 {
    (digest(words) >> 2) as i64 | FIRST_MADE
}

fn digest(words: &[u64]) -> u64 {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    xxh3_64(&bytes)
}
