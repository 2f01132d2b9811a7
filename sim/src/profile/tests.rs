//! Profiles against numbers that were worked out by hand, and the law that all sums agree.

use proptest::prelude::*;
use traces::constant::{COMM_WORLD, FIRST_MADE, PROC_NULL};
use traces::{Trace, TraceBuilder, Value, mpi};

use super::*;

const INT: Value = Value::Int(0x209);
const DOUBLE: Value = Value::Int(0x214);
const WORLD: Value = Value::Int(COMM_WORLD);

fn send(builder: &mut TraceBuilder, rank: usize, line: u64, count: i64, dest: i64) {
    let arguments = [("count", Value::Int(count)), ("datatype", INT), ("dest", Value::Int(dest)), ("comm", WORLD)];
    builder.push(rank, mpi::SEND, line, &arguments, Some(&[]));
}

fn all(trace: &Trace) -> Profile {
    profile(trace, |_| true)
}

#[test]
fn messages_count_where_they_are_sent() {
    let mut builder = TraceBuilder::with_ranks(3);
    send(&mut builder, 0, 1, 10, 1);
    send(&mut builder, 0, 1, 10, 1);
    send(&mut builder, 0, 2, 0, 2);
    send(&mut builder, 0, 3, 10, PROC_NULL);
    let hangs = [("count", Value::Int(5)), ("datatype", INT), ("dest", Value::Int(0)), ("comm", WORLD)];
    builder.push(1, mpi::SSEND, 4, &hangs, None);
    let profile = all(&builder.finish());
    assert_eq!(profile.pairs, [((0, 1), Messages { count: 2, bytes: 80 }), ((0, 2), Messages { count: 1, bytes: 0 })]);
    assert_eq!(profile.sizes[bucket(40)], Messages { count: 2, bytes: 80 });
    assert_eq!((profile.ranks.len(), profile.ranks[1].received.bytes), (3, 80));
    // Four calls of 1 µs with 1 µs between them.
    let first = &profile.ranks[0];
    assert_eq!((first.sum.calls, first.sum.time_ns, first.run_ns, first.computing_ns()), (4, 4000, 7000, 3000));
    assert_eq!(profile.functions[0].0, mpi::SEND);
}

#[test]
fn a_derived_type_has_its_size_and_a_persistent_send_counts_when_it_is_started() {
    let mut builder = TraceBuilder::with_ranks(2);
    let made = Value::Int(FIRST_MADE);
    let vector = [("count", Value::Int(4)), ("blocklength", Value::Int(2)), ("stride", Value::Int(8)), ("oldtype", DOUBLE)];
    builder.push(0, mpi::TYPE_VECTOR, 1, &vector, Some(&[("newtype", made.clone())]));
    let init = [("count", Value::Int(3)), ("datatype", made.clone()), ("dest", Value::Int(1)), ("comm", WORLD)];
    builder.push(0, mpi::SEND_INIT, 2, &init, Some(&[("request", made.clone())]));
    for _ in 0..5 {
        builder.push(0, mpi::START, 3, &[("request", made.clone())], Some(&[]));
    }
    let profile = all(&builder.finish());
    // 3 vectors of 4 · 2 doubles.
    assert_eq!(profile.pairs, [((0, 1), Messages { count: 5, bytes: 5 * 192 })]);
    let of = |function| profile.functions.iter().find(|(f, _)| *f == function).expect("it was called").1;
    assert_eq!((of(mpi::START).sent.count, of(mpi::SEND_INIT).sent.count), (5, 0));
}

#[test]
fn a_rank_hands_its_own_part_to_a_collective() {
    let mut builder = TraceBuilder::with_ranks(4);
    for rank in 0..4 {
        let bcast = [("count", Value::Int(10)), ("datatype", INT), ("root", Value::Int(2)), ("comm", WORLD)];
        builder.push(rank, mpi::BCAST, 1, &bcast, Some(&[]));
        let one = [("sendcount", Value::Int(1)), ("sendtype", DOUBLE), ("comm", WORLD)];
        builder.push(rank, mpi::ALLTOALL, 2, &one, Some(&[]));
        builder.push(rank, mpi::ALLGATHER, 3, &one, Some(&[]));
        builder.push(rank, mpi::BARRIER, 4, &[("comm", WORLD)], Some(&[]));
    }
    let profile = all(&builder.finish());
    let of = |function| profile.functions.iter().find(|(f, _)| *f == function).expect("it was called").1.handed_bytes;
    assert_eq!([mpi::BCAST, mpi::ALLTOALL, mpi::ALLGATHER, mpi::BARRIER].map(of), [40, 4 * 4 * 8, 4 * 8, 0]);
    assert!(profile.pairs.is_empty());
}

#[test]
fn what_windows_and_files_move_goes_by_its_way() {
    let mut builder = TraceBuilder::with_ranks(2);
    let access = |count, target| {
        let origin = [("origin_count", Value::Int(count)), ("origin_datatype", INT)];
        [&origin[..], &[("target_rank", Value::Int(target))]].concat()
    };
    builder.push(0, mpi::PUT, 1, &access(10, 1), Some(&[]));
    builder.push(0, mpi::GET, 2, &access(7, 1), Some(&[]));
    builder.push(0, mpi::PUT, 3, &access(10, traces::constant::PROC_NULL), Some(&[]));
    builder.push(0, mpi::FETCH_AND_OP, 4, &[("datatype", DOUBLE), ("target_rank", Value::Int(1))], Some(&[]));
    let some = [("count", Value::Int(5)), ("datatype", DOUBLE)];
    for function in [mpi::FILE_WRITE_AT_ALL, mpi::FILE_READ_ORDERED_BEGIN, mpi::FILE_READ_ORDERED_END, mpi::FILE_IWRITE] {
        let arguments = if function == mpi::FILE_READ_ORDERED_END { &[][..] } else { &some };
        builder.push(1, function, 5, arguments, Some(&[]));
    }
    let total = all(&builder.finish()).total();
    assert_eq!((total.handed_bytes, total.got_bytes), (40 + 8, 28 + 8));
    assert_eq!((total.read_bytes, total.written_bytes, total.bytes()), (40, 80, 40 + 8 + 28 + 8 + 120));
}

#[test]
fn sizes_fall_into_powers_of_two() {
    assert_eq!([0, 1, 2, 3, 4, 1023, 1024, u64::MAX].map(bucket), [0, 1, 2, 2, 3, 10, 11, 64]);
    assert_eq!([0, 1, 2, 11].map(smallest), [0, 1, 2, 1024]);
}

proptest! {
    #[test]
    fn sums_by_function_site_rank_pair_and_size_agree(
        sends in prop::collection::vec((0usize..6, 0i64..8, 0i64..5000, 1u64..9), 0..60)
    ) {
        let mut builder = TraceBuilder::with_ranks(6);
        for &(rank, dest, count, line) in &sends {
            send(&mut builder, rank, line, count, dest);
            builder.push(rank, mpi::BARRIER, line, &[("comm", WORLD)], Some(&[]));
        }
        let profile = all(&builder.finish());
        let sum = |sums: &mut dyn Iterator<Item = &Sum>| {
            sums.fold((0, 0, 0, 0), |s, x| (s.0 + x.calls, s.1 + x.time_ns, s.2 + x.sent.count, s.3 + x.sent.bytes))
        };
        let functions = sum(&mut profile.functions.iter().map(|(_, s)| s));
        prop_assert_eq!(functions, sum(&mut profile.sites.iter().map(|(_, s)| s)));
        prop_assert_eq!(functions, sum(&mut profile.ranks.iter().map(|r| &r.sum)));
        let messages = |list: &mut dyn Iterator<Item = Messages>| list.fold((0, 0), |s, m| (s.0 + m.count, s.1 + m.bytes));
        let pairs = messages(&mut profile.pairs.iter().map(|(_, m)| *m));
        prop_assert_eq!((functions.2, functions.3), pairs);
        prop_assert_eq!(pairs, messages(&mut profile.sizes.iter().copied()));
        prop_assert_eq!(pairs, messages(&mut profile.ranks.iter().map(|r| r.received)));
        prop_assert_eq!(functions.0, 2 * sends.len() as u64);
        prop_assert_eq!(functions.3, sends.iter().filter(|s| s.1 < 6).map(|s| 4 * s.2 as u64).sum::<u64>());
    }
}
