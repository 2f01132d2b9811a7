//! The programs, each a correct one of about so many calls: on how many ranks and how long is asked for.

use traces::constant::{ANY_SOURCE, COMM_WORLD, LOCK_SHARED};
use traces::{Trace, mpi};

use super::job::{INT, Job, SUM, status};

type Family = (&'static str, fn(usize, usize) -> Trace);

pub const FAMILIES: [Family; 7] = [
    ("halo", halo),
    ("collectives", collectives),
    ("workers", workers),
    ("fences", fences),
    ("locks", locks),
    ("turns", turns),
    ("file", file),
];

/// Exchanges with four neighbours by nonblocking calls.
fn halo(ranks: usize, calls: usize) -> Trace {
    let mut job = Job::new(ranks);
    let side = ranks.isqrt();
    for rank in 0..ranks {
        let (x, y) = (rank % side, rank / side);
        let at = |x: usize, y: usize| ((x % side) + (y % side) * side) as i64;
        let neighbours = [at(x + 1, y), at(x + side - 1, y), at(x, y + 1), at(x, y + side - 1)];
        for _ in 0..calls / (9 * ranks) {
            (0..).zip(neighbours).for_each(|(slot, peer)| job.begin(rank, mpi::IRECV, ("source", peer), slot));
            (4..).zip(neighbours).for_each(|(slot, peer)| job.begin(rank, mpi::ISEND, ("dest", peer), slot));
            job.waitall(rank, 8);
        }
    }
    job.finish()
}

/// Reductions, and what a root sends to all.
fn collectives(ranks: usize, calls: usize) -> Trace {
    let mut job = Job::new(ranks);
    let common = [("count", 1), ("datatype", INT), ("comm", COMM_WORLD)];
    for rank in 0..ranks {
        for round in 0..calls / ranks {
            match round % 3 {
                0 => job.call(rank, 1, mpi::BARRIER, &common[2..], &[]),
                1 => job.call(rank, 2, mpi::ALLREDUCE, &[&common[..], &[("op", SUM)]].concat(), &[]),
                _ => job.call(rank, 3, mpi::BCAST, &[&common[..], &[("root", 0)]].concat(), &[]),
            }
        }
    }
    job.finish()
}

/// A master that receives from anyone and answers.
fn workers(ranks: usize, calls: usize) -> Trace {
    let mut job = Job::new(ranks);
    let rounds = calls / (4 * (ranks - 1));
    for _ in 0..rounds {
        for worker in 1..ranks {
            job.transfer(0, mpi::RECV, 0x1000, ("source", ANY_SOURCE), &[("status", status(worker))]);
            job.transfer(0, mpi::SEND, 0x2000, ("dest", worker as i64), &[]);
        }
    }
    for worker in 1..ranks {
        for _ in 0..rounds {
            job.transfer(worker, mpi::SEND, 0x1000, ("dest", 0), &[]);
            job.transfer(worker, mpi::RECV, 0x2000, ("source", 0), &[("status", status(0))]);
        }
    }
    job.finish()
}

/// Puts to four neighbours between two fences, each to a place of its own.
fn fences(ranks: usize, calls: usize) -> Trace {
    let mut job = Job::new(ranks);
    job.open_window();
    for rank in 0..ranks {
        for _ in 0..calls / (5 * ranks) {
            job.on_window(rank, mpi::WIN_FENCE, &[("assert", 0)]);
            (1..5).for_each(|far| job.access(rank, mpi::PUT, (rank + far) % ranks, far));
        }
        job.on_window(rank, mpi::WIN_FENCE, &[("assert", 0)]);
        job.on_window(rank, mpi::WIN_FREE, &[]);
    }
    job.finish()
}

/// Shared locks of a neighbour: a place of its own there that is written and read, and a sum that all add to.
fn locks(ranks: usize, calls: usize) -> Trace {
    let mut job = Job::new(ranks);
    job.open_window();
    for rank in 0..ranks {
        for round in 0..calls / (5 * ranks) {
            let (far, own) = (1 + round % 4, 100 * (1 + round % 4));
            let target = (rank + far) % ranks;
            let to = [("rank", target as i64)];
            job.on_window(rank, mpi::WIN_LOCK, &[&to[..], &[("lock_type", LOCK_SHARED)]].concat());
            job.access(rank, mpi::PUT, target, own);
            job.access(rank, mpi::GET, target, own + 1);
            job.access(rank, mpi::ACCUMULATE, target, 0);
            job.on_window(rank, mpi::WIN_UNLOCK, &to);
        }
        job.on_window(rank, mpi::WIN_FREE, &[]);
    }
    job.finish()
}

/// A place of each rank that two others write to under shared locks, one after the other, as a barrier has it.
fn turns(ranks: usize, calls: usize) -> Trace {
    let mut job = Job::new(ranks);
    job.open_window();
    for rank in 0..ranks {
        for round in 0..calls / (4 * ranks) {
            let target = (rank + 1 + round % 2) % ranks;
            let to = [("rank", target as i64)];
            job.on_window(rank, mpi::WIN_LOCK, &[&to[..], &[("lock_type", LOCK_SHARED)]].concat());
            job.access(rank, mpi::PUT, target, 0);
            job.on_window(rank, mpi::WIN_UNLOCK, &to);
            job.call(rank, 60, mpi::BARRIER, &[("comm", COMM_WORLD)], &[]);
        }
        job.on_window(rank, mpi::WIN_FREE, &[]);
    }
    job.finish()
}

/// Each rank writes its blocks of a file and reads them again.
fn file(ranks: usize, calls: usize) -> Trace {
    let mut job = Job::new(ranks);
    job.open_file();
    for rank in 0..ranks {
        for round in 0..calls / (2 * ranks) {
            let offset = 4 * (round % 100 * ranks + rank) as i64;
            let block = [("offset", offset), ("buf", 0x1000), ("count", 1), ("datatype", INT)];
            job.on_file(rank, mpi::FILE_WRITE_AT, &block);
            job.on_file(rank, mpi::FILE_READ_AT, &block);
        }
        job.on_file(rank, mpi::FILE_CLOSE, &[]);
    }
    job.finish()
}
