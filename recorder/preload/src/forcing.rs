//! Makes MPI choose as ordered: a wildcard is narrowed to the message that it took, a poll that found something asks until it does, and one
//! that found nothing finds nothing.
//!
//! What the program gets is always what the library has written: statuses, handles and error codes are those of a real call. Only flags
//! and positions are written here.

use replay::Order;
use traces::constant::{ANY_SOURCE, ANY_TAG, UNDEFINED};
use traces::{Function, Kind, mpi};

use crate::abi::abi;
use crate::real;

/// The greatest tag that every library has. Nobody sends it to himself.
const NO_TAG: usize = 32767;

/// Makes the call as ordered. May change the arguments. None if it is to be made as it is now; else its code.
///
/// # Safety
/// The arguments are those of the function.
pub unsafe fn make(order: &Order, function: Function, a: &mut [usize]) -> Option<usize> {
    // SAFETY: as the caller's.
    unsafe {
        match order {
            Order::AsItIs => None,
            Order::Take { source, tag } => take(function, a, [*source, *tag]),
            Order::TakeNothing => take_nothing(function, a),
            Order::FindNothing(_) => find_nothing(function, a),
            Order::Find => find(function, a),
            Order::Complete(positions) => complete(function, a, positions),
            Order::Synchronous => synchronous(function, a),
        }
    }
}

/// Calls a function of the library.
///
/// # Safety
/// The arguments are those of the function.
unsafe fn pmpi<const N: usize>(function: Function, a: [usize; N]) -> Option<usize> {
    // SAFETY: as the caller's.
    unsafe { real::pmpi(function, a) }.map(|code| code as usize)
}

/// Writes an int where the program wants it.
///
/// # Safety
/// The address is that of an int, or null.
unsafe fn set(address: usize, value: i32) {
    if address != 0 {
        // SAFETY: as the caller's.
        unsafe { (address as *mut i32).write_unaligned(value) }
    }
}

/// A call has been made for the program: tells it what was found, unless that failed.
///
/// # Safety
/// Each is the address of an int.
unsafe fn found(code: Option<usize>, values: &[(usize, i32)]) -> Option<usize> {
    if code? == 0 {
        for &(address, value) in values {
            // SAFETY: as the caller's.
            unsafe { set(address, value) };
        }
    }
    code
}

/// Source and tag take the place of a wildcard; a probe that found a message asks until it is there.
///
/// # Safety
/// As [`make`].
unsafe fn take(function: Function, a: &mut [usize], [source, tag]: [i32; 2]) -> Option<usize> {
    narrow(function, a, source as usize, tag as usize);
    match function {
        // SAFETY: as the caller's.
        mpi::IPROBE | mpi::IMPROBE => unsafe { find(function, a) },
        _ => None,
    }
}

fn narrow(function: Function, a: &mut [usize], source: usize, tag: usize) {
    let abi = abi();
    if let Some(at) = function.parameter("source").filter(|&at| abi.rank(a[at] as i32) == ANY_SOURCE) {
        a[at] = source;
    }
    let at = if function.parameter("recvtag").is_some() { function.parameter("recvtag") } else { function.parameter("tag") };
    if let Some(at) = at.filter(|&at| abi.tag(a[at] as i32) == ANY_TAG) {
        a[at] = tag;
    }
}

/// The receive waits for what nobody sends, until it is cancelled.
///
/// # Safety
/// As [`make`].
unsafe fn take_nothing(function: Function, a: &mut [usize]) -> Option<usize> {
    let (mut own, mut is_inter) = (0i32, 0i32);
    let comm = a[function.parameter("comm")?];
    // SAFETY: the communicator is the program's, and the results are ints.
    let codes = unsafe {
        (
            real::pmpi(mpi::COMM_TEST_INTER, [comm, (&raw mut is_inter) as usize]),
            real::pmpi(mpi::COMM_RANK, [comm, (&raw mut own) as usize]),
        )
    };
    if codes == (Some(0), Some(0)) && is_inter == 0 {
        narrow(function, a, own as usize, NO_TAG);
    }
    None
}

/// The poll finds nothing. The library is asked all the same, in a way that changes nothing: it may have to do something for others.
///
/// # Safety
/// As [`make`].
unsafe fn find_nothing(function: Function, a: &mut [usize]) -> Option<usize> {
    let abi = abi();
    let ignored = abi.status_ignore;
    let mut flag = 0i32;
    let own = (&raw mut flag) as usize;
    // SAFETY: the arguments are those of the function; the flag is ours, and the statuses are ignored.
    unsafe {
        let first = |requests: usize| abi.handle_at(Kind::Request, requests, 0) as usize;
        let look = |request: usize| pmpi(mpi::REQUEST_GET_STATUS, [request, own, ignored]);
        match (function, &*a) {
            (mpi::IPROBE, &[source, tag, comm, flag, _]) | (mpi::IMPROBE, &[source, tag, comm, flag, ..]) => {
                found(pmpi(mpi::IPROBE, [source, tag, comm, own, ignored]), &[(flag, 0)])
            }
            (mpi::TEST, &[request, flag, _]) => found(look(first(request)), &[(flag, 0)]),
            (mpi::REQUEST_GET_STATUS, &[request, flag, _]) => found(look(request), &[(flag, 0)]),
            (mpi::TESTALL, &[_, requests, flag, _]) => found(look(first(requests)), &[(flag, 0)]),
            (mpi::TESTANY, &[_, requests, index, flag, _]) => {
                found(look(first(requests)), &[(index, UNDEFINED as i32), (flag, 0)])
            }
            (mpi::TESTSOME, &[_, requests, count, ..]) => found(look(first(requests)), &[(count, 0)]),
            (mpi::REQUEST_GET_STATUS_ALL, &[_, requests, flag, _]) => found(look(first(requests)), &[(flag, 0)]),
            // There is no way to look that does not end the epoch.
            (mpi::WIN_TEST, &[_, flag]) => found(Some(0), &[(flag, 0)]),
            (mpi::PARRIVED, &[request, partition, flag]) => found(pmpi(mpi::PARRIVED, [request, partition, own]), &[(flag, 0)]),
            _ => None,
        }
    }
}

/// The poll found what it asked for, and so it asks until it does.
///
/// # Safety
/// As [`make`].
unsafe fn find(function: Function, a: &[usize]) -> Option<usize> {
    let flag = a[function.parameter("flag")?];
    loop {
        // SAFETY: as the caller's; the flag is an int, which the library has written if the call succeeded.
        let (code, is_found) = unsafe {
            let code = match *a {
                [a, b] => pmpi(function, [a, b]),
                [a, b, c] => pmpi(function, [a, b, c]),
                [a, b, c, d] => pmpi(function, [a, b, c, d]),
                [a, b, c, d, e] => pmpi(function, [a, b, c, d, e]),
                [a, b, c, d, e, f] => pmpi(function, [a, b, c, d, e, f]),
                _ => None,
            }?;
            (code, (flag as *const i32).read_unaligned() != 0)
        };
        if code != 0 || is_found {
            return Some(code);
        }
        std::thread::yield_now();
    }
}

/// The send waits for its receive: no program may rely on what a library buffers.
///
/// # Safety
/// As [`make`].
unsafe fn synchronous(function: Function, a: &[usize]) -> Option<usize> {
    // SAFETY: the arguments are those of the function, and its synchronous form takes the same.
    unsafe {
        match (function, a) {
            (mpi::SEND, &[buffer, count, datatype, to, tag, comm]) => pmpi(mpi::SSEND, [buffer, count, datatype, to, tag, comm]),
            (mpi::ISEND, &[buffer, count, datatype, to, tag, comm, request]) => {
                pmpi(mpi::ISSEND, [buffer, count, datatype, to, tag, comm, request])
            }
            _ => None,
        }
    }
}

/// The requests at these positions complete.
///
/// # Safety
/// As [`make`].
unsafe fn complete(function: Function, a: &mut [usize], positions: &[u32]) -> Option<usize> {
    let abi = abi();
    let bytes = abi.handle_bytes(Kind::Request);
    let last = *positions.iter().max()?;
    if last as usize >= usize::try_from(*a.first()? as i32).unwrap_or(0) {
        return None;
    }
    // SAFETY: the arguments are those of the function, and it has a request at each position.
    unsafe {
        match (function, &*a) {
            (mpi::WAITANY, &[_, requests, index, status]) => {
                let code = pmpi(mpi::WAIT, [requests + last as usize * bytes, status]);
                found(code, &[(index, last as i32)])
            }
            (mpi::TESTANY, &[_, requests, index, flag, status]) => {
                let code = pmpi(mpi::WAIT, [requests + last as usize * bytes, status]);
                found(code, &[(index, last as i32), (flag, 1)])
            }
            (mpi::WAITSOME | mpi::TESTSOME, &[_, requests, count, indices, statuses]) => {
                complete_some(requests, [count, indices, statuses], positions)
            }
            _ => None,
        }
    }
}

/// Waits for all at these positions, in this order.
///
/// # Safety
/// There are requests at the positions, and room for what MPI_Waitsome writes.
unsafe fn complete_some(requests: usize, [count, indices, statuses]: [usize; 3], positions: &[u32]) -> Option<usize> {
    let bytes = abi().handle_bytes(Kind::Request);
    let mut chosen = vec![0u8; bytes * positions.len()];
    let of = |position: u32| (requests + position as usize * bytes) as *mut u8;
    // SAFETY: as the caller's; handles are copied as they lie in memory.
    unsafe {
        for (&position, copy) in positions.iter().zip(chosen.chunks_exact_mut(bytes)) {
            of(position).copy_to_nonoverlapping(copy.as_mut_ptr(), bytes);
        }
        let code = pmpi(mpi::WAITALL, [positions.len(), chosen.as_mut_ptr() as usize, statuses]);
        for (nth, (&position, copy)) in positions.iter().zip(chosen.chunks_exact(bytes)).enumerate() {
            copy.as_ptr().copy_to_nonoverlapping(of(position), bytes);
            set(indices + 4 * nth, position as i32);
        }
        set(count, positions.len() as i32);
        code
    }
}
