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

fn on(list: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    [&on_file()[..], list].concat()
}

/// What each call touches of the file, as its first byte, the one behind its last, and how many there are.
fn touched(job: Job) -> Vec<Option<(i64, i64, i64)>> {
    let told = |bytes: sim::Footprint| bytes.bounds().map_or(Some((0, 0, 0)), |(first, end)| Some((first, end, bytes.len()?)));
    sim::regions(&job.trace()).into_iter().map(|region| region.bytes.and_then(told)).collect()
}

fn ints_of(count: i64) -> [(&'static str, Value); 2] {
    [("count", int(count)), ("datatype", int(crate::job::INT))]
}

/// A view of every second pair of ints, from byte 100 on.
fn set_view(job: &mut Job, rank: usize) {
    let pairs = [("count", int(2)), ("blocklength", int(2)), ("stride", int(4)), ("oldtype", int(crate::job::INT))];
    let filetype = crate::job::request(0);
    job.call(rank, 5, mpi::TYPE_VECTOR, &pairs, &[("newtype", int(filetype))]);
    let view = [("disp", int(100)), ("etype", int(crate::job::INT)), ("filetype", int(filetype))];
    job.call(rank, 6, mpi::FILE_SET_VIEW, &on(&[&view[..], &[("datarep", Value::Text("native".into()))]].concat()), &[]);
}

#[test]
fn a_pointer_goes_on_where_it_came_to() {
    let mut job = with_file(1);
    job.call(0, 2, mpi::FILE_WRITE, &on(&ints_of(2)), &[]);
    job.call(0, 3, mpi::FILE_IWRITE, &on(&ints_of(1)), &[("request", int(crate::job::request(9)))]);
    job.call(0, 4, mpi::FILE_READ_AT, &on(&[&[("offset", int(4))][..], &ints_of(1)].concat()), &[]);
    set_view(&mut job, 0);
    // 100-107, 116-123; then the next two elements, which touch those before.
    job.call(0, 7, mpi::FILE_WRITE, &on(&ints_of(4)), &[]);
    job.call(0, 8, mpi::FILE_WRITE, &on(&ints_of(3)), &[]);
    job.call(0, 9, mpi::FILE_SEEK, &on(&[("offset", int(-6)), ("whence", int(401))]), &[]);
    job.call(0, 10, mpi::FILE_READ, &on(&ints_of(1)), &[("status", crate::job::status(-2, -1, 4))]);
    // The file ends: nobody knows where the pointer is now.
    job.call(0, 11, mpi::FILE_READ, &on(&ints_of(4)), &[("status", crate::job::status(-2, -1, 8))]);
    job.call(0, 12, mpi::FILE_READ, &on(&ints_of(1)), &[("status", crate::job::status(-2, -1, 4))]);
    let expected = [
        Some((0, 8, 8)),
        Some((8, 12, 4)),
        Some((4, 8, 4)),
        Some((100, 124, 16)),
        Some((124, 144, 12)),
        Some((104, 108, 4)),
        Some((116, 124, 8)),
        None,
    ];
    assert_eq!(touched(job), expected);
}

#[test]
fn a_shared_pointer_is_known_while_all_move_it_together() {
    let calls = |alone: bool| {
        let mut job = with_file(2);
        for rank in 0..2 {
            job.call(rank, 2, mpi::FILE_SEEK_SHARED, &on(&[("offset", int(10)), ("whence", int(403))]), &[]);
            job.call(rank, 3, mpi::FILE_WRITE_ORDERED, &on(&ints_of(1 + rank as i64)), &[]);
            job.call(rank, 4, mpi::FILE_WRITE_ORDERED, &on(&ints_of(1)), &[]);
        }
        if alone {
            job.call(1, 5, mpi::FILE_WRITE_SHARED, &on(&ints_of(1)), &[]);
        }
        touched(job)
    };
    // Of rank 0, and of rank 1.
    assert_eq!(calls(false), [Some((10, 14, 4)), Some((22, 26, 4)), Some((14, 22, 8)), Some((26, 30, 4))]);
    assert_eq!(calls(true), [None; 5]);
}
