//! Files: what all that have opened one have to call together, and what only one does.

use crate::job::{Job, int, labels, told};
use traces::constant::{COMM_SELF, COMM_WORLD};
use traces::{Function, Value, mpi};

/// The file's number, the same on all ranks.
const FILE: i64 = 0x7777_0000_1111;

fn open(job: &mut Job, rank: usize) {
    let arguments = [("comm", int(COMM_WORLD)), ("filename", Value::Text("out.dat".into())), ("amode", int(34))];
    job.call(rank, 1, mpi::FILE_OPEN, &arguments, &[("fh", int(FILE))]);
}

fn with_file(ranks: usize) -> Job {
    let mut job = Job::new(ranks);
    (0..ranks).for_each(|rank| open(&mut job, rank));
    job
}

fn on_file() -> [(&'static str, Value); 1] {
    [("fh", int(FILE))]
}

/// Rank 0 calls one function where rank 1 calls another one.
fn told_of(first: Function, second: Function) -> Vec<String> {
    let mut job = with_file(2);
    job.call(0, 10, first, &on_file(), &[]);
    job.call(1, 20, second, &on_file(), &[]);
    for rank in 0..2 {
        job.call(rank, 30, mpi::FILE_CLOSE, &on_file(), &[]);
    }
    job.finalize_all();
    told(&job.check())
}

#[test]
fn collective_calls_on_a_file_have_an_order_of_their_own() {
    assert_eq!(told_of(mpi::FILE_WRITE_ALL, mpi::FILE_WRITE_ALL), [""; 0]);
    assert_eq!(told_of(mpi::FILE_WRITE_AT, mpi::FILE_READ), [""; 0], "these are nobody else's business");
    assert_eq!(
        told_of(mpi::FILE_READ_ALL, mpi::FILE_READ_ALL_BEGIN),
        ["collective/order: rank 0 calls MPI_File_read_all where rank 1 calls MPI_File_read_all_begin"]
    );
    let mut job = with_file(2);
    job.barrier(0, 10);
    job.call(0, 11, mpi::FILE_SYNC, &on_file(), &[]);
    job.call(1, 20, mpi::FILE_SYNC, &on_file(), &[]);
    job.barrier(1, 21);
    for rank in 0..2 {
        job.call(rank, 30, mpi::FILE_CLOSE, &on_file(), &[]);
    }
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0], "a barrier of the communicator is none of the file");
}

#[test]
fn a_rank_that_does_not_come_to_a_collective_write_is_waited_for() {
    let mut job = with_file(2);
    job.stuck(0, 10, mpi::FILE_WRITE_ALL, &on_file());
    job.stuck(1, 20, mpi::BARRIER, &[("comm", int(COMM_WORLD))]);
    let report = job.check();
    assert_eq!(told(&report), ["deadlock/cycle: ranks 0 and 1 wait for each other in MPI_File_write_all and MPI_Barrier"]);
    assert_eq!(labels(&report.findings[0])[0], "0/1 waits for rank 1 to call MPI_File_write_all on file-1111 (out.dat)");
}

/// A file that is not there is found out by all: the call is a part in the order all the same.
#[test]
fn opening_that_fails_is_opening_together() {
    let mut job = Job::new(2);
    for rank in 0..2 {
        job.fails(rank, 1, mpi::FILE_OPEN, &[("comm", int(COMM_WORLD)), ("amode", int(16))]);
        job.barrier(rank, 2);
    }
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

#[test]
fn each_rank_has_files_of_its_own() {
    let mut job = Job::new(2);
    for rank in 0..2 {
        job.call(rank, 1, mpi::FILE_OPEN, &[("comm", int(COMM_SELF))], &[("fh", int(FILE + rank as i64))]);
    }
    job.call(0, 2, mpi::FILE_WRITE_ALL, &on_file(), &[]);
    for rank in 0..2 {
        job.call(rank, 3, mpi::FILE_CLOSE, &[("fh", int(FILE + rank as i64))], &[]);
    }
    job.finalize_all();
    assert_eq!(told(&job.check()), [""; 0]);
}

/// An access to so many ints at an offset.
fn at(offset: i64, count: i64) -> [(&'static str, Value); 4] {
    [("fh", int(FILE)), ("offset", int(offset)), ("count", int(count)), ("datatype", int(crate::job::INT))]
}

#[test]
fn accesses_to_the_same_bytes_of_a_file_are_kept_apart_by_a_sync_or_told() {
    // Rank 0 writes bytes 0 to 7, and rank 1 reads from there on.
    let cases = [(8, false, ""), (4, false, "and nothing orders them"), (4, true, "")];
    for (offset, is_synced, expected) in cases {
        let mut job = with_file(2);
        job.call(0, 10, mpi::FILE_WRITE_AT, &at(0, 2), &[]);
        for rank in (0..2).filter(|_| is_synced) {
            job.call(rank, 11, mpi::FILE_SYNC, &on_file(), &[]);
        }
        job.call(1, 12, mpi::FILE_READ_AT, &at(offset, 2), &[]);
        for rank in 0..2 {
            job.call(rank, 30, mpi::FILE_CLOSE, &on_file(), &[]);
        }
        job.finalize_all();
        let told = told(&job.check());
        assert_eq!(told.is_empty(), expected.is_empty(), "{told:?}");
        assert!(told.iter().all(|text| text.starts_with("file/race: ") && text.ends_with(expected)), "{told:?}");
    }
}
