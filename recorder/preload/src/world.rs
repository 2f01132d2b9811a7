//! Collectives of the recorder's own on MPI_COMM_WORLD, for what ranks have to tell each other in MPI_Finalize.
//!
//! A rank that is not recorded takes no part, so none of them may wait for ever, and none may touch what is the program's. They are
//! nonblocking and given up when patience ends; they use the library's own space of messages, where no receive of the program can
//! match, not even one that it has left behind; and their errors come back here and go to no handler of the program's.

use std::time::{Duration, Instant};

use traces::constant::{BYTE, COMM_WORLD};
use traces::{Function, Kind, mpi};

use crate::abi::abi;
use crate::real;

/// MPI_ERRORS_RETURN in the standard ABI.
const ERRORS_RETURN: i64 = 0x143;
/// Between two looks at an operation a rank only lets others have the processor for so long, and then sleeps.
const EAGER: Duration = Duration::from_millis(2);
/// How long it sleeps.
const NAP: Duration = Duration::from_micros(200);
/// How long a rank that gives up waits for what it has said to be on its way.
const FAREWELL: Duration = Duration::from_millis(500);
/// More bytes than a status has in any ABI.
const STATUS_BYTES: usize = 64;

/// An operation was given up: another rank does not take part, or the library refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp;

/// MPI_COMM_WORLD, as this rank sees it.
#[derive(Debug)]
pub struct World {
    comm: usize,
    byte: usize,
    /// The error handler of the program's, which it gets back.
    handler: Option<usize>,
    patience: Duration,
    /// This rank.
    pub rank: usize,
    /// How many there are.
    pub size: usize,
}

impl World {
    /// The world, until it is dropped. MPI_Init has returned, MPI_Finalize has not been entered.
    pub fn new(rank: usize, size: usize, patience: Duration) -> Option<World> {
        let (comm, byte) = (abi().native(Kind::Comm, COMM_WORLD)?, abi().native(Kind::Type, BYTE)?);
        let mut handler = 0usize;
        // SAFETY: MPI_COMM_WORLD exists; a word has room for a handle of any ABI.
        let code = unsafe { real::pmpi(mpi::COMM_GET_ERRHANDLER, [comm, (&raw mut handler) as usize]) };
        let handler = (code == Some(0)).then(|| abi().handle(Kind::Errhandler, handler) as usize);
        let world = World { comm, byte, handler, patience, rank, size };
        world.set_handler(abi().native(Kind::Errhandler, ERRORS_RETURN)?);
        Some(world)
    }

    fn set_handler(&self, handler: usize) {
        if self.handler.is_some() {
            // SAFETY: the handler is predefined, or the one that the communicator had.
            unsafe { real::pmpi(mpi::COMM_SET_ERRHANDLER, [self.comm, handler]) };
        }
    }

    /// All ranks have come so far.
    pub fn barrier(&self) -> Result<(), GivenUp> {
        self.start(mpi::IBARRIER, (), |(), request| [self.comm, request])?.complete(self.patience)
    }

    /// What each rank has to say, by rank.
    pub fn all_gather<const N: usize>(&self, own: [u64; N]) -> Result<Vec<[u64; N]>, GivenUp> {
        Ok(self.start_all_gather(own)?.complete(self.patience)?.1)
    }

    /// Says something for all ranks to hear, without waiting for what they say. It is given time to be on its way: Open MPI 5 dies of
    /// SIGPIPE in MPI_Finalize where the other side of a connection closes it while it is being made.
    pub fn say<const N: usize>(&self, own: [u64; N]) {
        _ = self.start_all_gather(own).and_then(|operation| operation.complete(FAREWELL));
    }

    fn start_all_gather<const N: usize>(&self, own: [u64; N]) -> Result<Operation<Said<N>>, GivenUp> {
        let bytes = size_of_val(&own);
        self.start(mpi::IALLGATHER, (own, vec![[0; N]; self.size]), |(own, all), request| {
            let [own, all] = [own.as_ptr() as usize, all.as_mut_ptr() as usize];
            [own, bytes, self.byte, all, bytes, self.byte, self.comm, request]
        })
    }

    /// What rank 0 has to say.
    pub fn broadcast<const N: usize>(&self, said: [u64; N]) -> Result<[u64; N], GivenUp> {
        let bytes = size_of_val(&said);
        let arguments = |said: &mut [u64; N], request| [said.as_mut_ptr() as usize, bytes, self.byte, 0, self.comm, request];
        self.start(mpi::IBCAST, said, arguments)?.complete(self.patience)
    }

    /// Rank 0 gets so many bytes of each, one after the other; all know how many.
    pub fn gather(&self, mut own: Vec<u8>, lengths: &[usize]) -> Result<Vec<u8>, GivenUp> {
        let is_root = self.rank == 0;
        let starts = lengths.iter().scan(0, |end, length| Some(std::mem::replace(end, *end + *length)));
        let int = |length: usize| i32::try_from(length).map_err(|_| GivenUp);
        let starts = starts.map(int).collect::<Result<Vec<i32>, GivenUp>>()?;
        let counts = lengths.iter().map(|length| int(*length)).collect::<Result<Vec<i32>, GivenUp>>()?;
        // Never empty: the address of an empty vector is 1, which is MPI_IN_PLACE to some libraries.
        let length = own.len();
        own.resize(length.max(1), 0);
        let all = vec![0u8; if is_root { lengths.iter().sum::<usize>().max(1) } else { 1 }];
        let operation = self.start(mpi::IGATHERV, (own, all, counts, starts), |(own, all, counts, starts), request| {
            let [own_at, counts, starts] = [own.as_ptr() as usize, counts.as_ptr() as usize, starts.as_ptr() as usize];
            let all = all.as_mut_ptr() as usize;
            [own_at, length, self.byte, all, counts, starts, self.byte, 0, self.comm, request]
        });
        Ok(operation?.complete(self.patience)?.1)
    }

    /// Starts an operation on these buffers; `arguments` are those of the function, given the address of the request.
    fn start<B, const N: usize>(
        &self,
        function: Function,
        buffers: B,
        arguments: impl FnOnce(&mut B, usize) -> [usize; N],
    ) -> Result<Operation<B>, GivenUp> {
        // Never freed unless the operation completes: the library may come back to it at any time.
        let operation = Box::leak(Box::new(Started { request: 0, buffers }));
        let arguments = arguments(&mut operation.buffers, (&raw mut operation.request) as usize);
        // SAFETY: the arguments are those of the function, and the memory that they name stays.
        let code = unsafe { real::pmpi(function, arguments) };
        if code == Some(0) { Ok(Operation(operation)) } else { Err(GivenUp) }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(handler) = self.handler {
            self.set_handler(handler);
        }
    }
}

/// What the library works on.
struct Started<B> {
    request: usize,
    buffers: B,
}

/// What this rank says, and what all say.
type Said<const N: usize> = ([u64; N], Vec<[u64; N]>);

/// An operation that has started.
#[must_use]
struct Operation<B: 'static>(&'static mut Started<B>);

impl<B> Operation<B> {
    /// Waits for its end, as long as patience lasts, and gives the buffers.
    fn complete(self, patience: Duration) -> Result<B, GivenUp> {
        let started = std::ptr::from_mut(self.0);
        // SAFETY: the request is one that the library has given.
        if !unsafe { completes(&raw mut (*started).request, patience) } {
            return Err(GivenUp);
        }
        // SAFETY: `start` has leaked it, the library has done with it, and this was the only reference.
        Ok(unsafe { Box::from_raw(started) }.buffers)
    }
}

/// Whether a request completes within `patience`.
///
/// # Safety
/// It is a request of the library's.
unsafe fn completes(request: *mut usize, patience: Duration) -> bool {
    let begin = Instant::now();
    let mut status = [0u8; STATUS_BYTES];
    loop {
        let mut flag = 0i32;
        let arguments = [request as usize, (&raw mut flag) as usize, status.as_mut_ptr() as usize];
        // SAFETY: as the caller's; the status is longer than that of any ABI.
        if unsafe { real::pmpi(mpi::TEST, arguments) } != Some(0) {
            return false;
        }
        let waited = begin.elapsed();
        match flag {
            0 if waited > patience => return false,
            0 if waited > EAGER => std::thread::sleep(NAP),
            0 => std::thread::yield_now(),
            _ => return true,
        }
    }
}
