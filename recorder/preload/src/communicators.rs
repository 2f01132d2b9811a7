//! Communicators: a number that is the same on all members, found without talking to them.
//!
//! All members of a communicator make its children in the same order, so (parent, how many children before, members) names a child. Windows
//! and files are children, too.
//! Where only some members take part (MPI_Comm_create_group, MPI_Intercomm_create) they are counted by who takes part and with which tag.

use rustc_hash::FxHashMap;
use traces::constant::{COMM_SELF, COMM_WORLD, FIRST_MADE};
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
    /// How many neighbours send to this process, and how many it sends to.
    pub degrees: (usize, usize),
}

/// The members of a communicator as ranks in MPI_COMM_WORLD, −1 for those of other worlds.
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
    /// This process's rank in it.
    rank: u32,
}

impl Communicators {
    /// What is known of a communicator.
    #[inline]
    pub fn get(&self, handle: u64) -> Option<&Communicator> {
        self.known.get(&handle)
    }

    /// MPI_Init has returned: MPI_COMM_WORLD and MPI_COMM_SELF are there. Returns rank and size.
    pub fn begin_world(&mut self) -> Option<(u32, u32)> {
        let world = abi().native(Kind::Comm, COMM_WORLD)?;
        let (rank, size) = (query(mpi::COMM_RANK, world)?, query(mpi::COMM_SIZE, world)?);
        let peers = usize::try_from(size).ok()?;
        self.known.insert(world as u64, Communicator { id: COMM_WORLD, rank: i64::from(rank), peers, ..Communicator::default() });
        if let Some(own) = abi().native(Kind::Comm, COMM_SELF) {
            self.known.insert(own as u64, Communicator { id: COMM_SELF, peers: 1, ..Communicator::default() });
        }
        self.world = true;
        self.rank = u32::try_from(rank).ok()?;
        Some((self.rank, u32::try_from(size).ok()?))
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
        Some((digest(&words) >> 2) as i64 | FIRST_MADE)
    }

    /// The program was given this communicator. Returns its number and its members.
    pub fn add(&mut self, handle: u64, parent: u64, how: Making, nth: u64, tag: i64, function: Function) -> (i64, Members) {
        let members = self.members(if how == Making::ByParentLater { parent } else { handle });
        let ancestor = self.known.get(&parent).copied().unwrap_or_default();
        let mut words = match how {
            Making::ByParent | Making::ByParentLater | Making::Otherwise => vec![1, ancestor.id as u64, nth],
            Making::ByGroup => vec![2, ancestor.id as u64, tag as u64],
            Making::ByLeaders => vec![3, tag as u64],
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
        let id = (digest(&words) >> 2) as i64 | FIRST_MADE;
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
            communicator.peers = members.remote.len();
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

    /// The ranks in MPI_COMM_WORLD of the group that `function` gives of a communicator.
    fn group_members(&self, comm: usize, function: Function) -> Option<Vec<i64>> {
        let (mut group, mut world_group, mut size) = (0usize, 0usize, 0i32);
        let handle_of = |word: &usize| abi().handle(Kind::Group, *word) as usize;
        // SAFETY: as in `members`; handles are written into words that are large enough in every ABI.
        unsafe {
            real::pmpi(function, [comm, (&raw mut group) as usize]).filter(|&c| c == 0)?;
            real::pmpi(mpi::GROUP_SIZE, [handle_of(&group), (&raw mut size) as usize]);
        }
        let count = usize::try_from(size).ok()?;
        let ranks: Vec<i32> = (0..size).collect();
        let mut world_ranks = vec![-1i32; count];
        if self.world {
            let world = abi().native(Kind::Comm, COMM_WORLD)?;
            // SAFETY: MPI_COMM_WORLD exists; both arrays have `size` elements.
            unsafe {
                real::pmpi(mpi::COMM_GROUP, [world, (&raw mut world_group) as usize]);
                let arrays = (ranks.as_ptr() as usize, world_ranks.as_mut_ptr() as usize);
                real::pmpi(mpi::GROUP_TRANSLATE_RANKS, [handle_of(&group), count, arrays.0, handle_of(&world_group), arrays.1]);
                real::pmpi(mpi::GROUP_FREE, [(&raw mut world_group) as usize]);
            }
        }
        // SAFETY: the group was made above.
        unsafe { real::pmpi(mpi::GROUP_FREE, [(&raw mut group) as usize]) };
        Some(world_ranks.into_iter().map(|r| if r < 0 { -1 } else { i64::from(r) }).collect())
    }
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

/// The int that a local function says of a communicator.
fn query(function: Function, comm: usize) -> Option<i32> {
    let mut value = -1i32;
    // SAFETY: the communicator is valid, and the function takes it and the address of an int.
    let code = unsafe { real::pmpi(function, [comm, (&raw mut value) as usize]) };
    (code == Some(0)).then_some(value)
}

fn digest(words: &[u64]) -> u64 {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    xxh3_64(&bytes)
}
