//! What could have come otherwise, and whether it can matter: messages, requests that complete first, polls.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sim::{Finding, Options, Report};
use traces::constant::{ANY_SOURCE, COMM_WORLD, STATUS_IGNORE};
use traces::{Trace, Value, mpi};

use crate::job::{BYTE, INT, Job, int, ints, labels, message, no_status, request, status, told};
use crate::laws::run;
use crate::oracle::model::{GENEROUS, Model};
use crate::oracle::program::{Program, crowds, programs, trace_after};

/// Gives calls the digests of what they send: rank, event, digest.
fn with_digests(job: Job, digests: &[(usize, usize, u64)]) -> Trace {
    let mut trace = job.trace();
    for &(rank, event, digest) in digests {
        let lane = &mut trace.lanes[rank];
        (lane.events[event].words_at, lane.events[event].words_len) = (u32::try_from(lane.words.len()).unwrap(), 1);
        lane.words.push(digest);
    }
    trace
}

fn checked(trace: &Trace) -> Report {
    sim::check(trace, &Options::default())
}

/// The only finding of a rule.
fn only<'r>(report: &'r Report, rule: &str) -> &'r Finding {
    let found: Vec<&Finding> = report.findings.iter().filter(|f| f.rule.name == rule).collect();
    assert_eq!(found.len(), 1, "{rule}: {:?}", report.findings);
    found[0]
}

/// Rank 0 receives twice from anybody, without a status unless it wants one; ranks 1 and 2 send so many bytes.
fn two_senders(bytes: [i64; 2], wants_status: bool) -> Job {
    let mut job = Job::new(3);
    for (rank, bytes) in [1, 2].into_iter().zip(bytes) {
        job.call(rank, 20 + rank as u64, mpi::SEND, &message("dest", 0, 7, bytes, BYTE), &[]);
    }
    for (from, bytes) in [1, 2].into_iter().zip(bytes) {
        let mut arguments = message("source", ANY_SOURCE, 7, 100_000, BYTE);
        arguments.extend((!wants_status).then_some(("status", int(STATUS_IGNORE))));
        job.call(0, 10, mpi::RECV, &arguments, &[("status", status(from, 7, bytes))]);
    }
    job.finalize_all();
    job
}

#[test]
fn messages_that_could_come_first_are_named_where_they_are_sent() {
    let report = checked(&two_senders([4, 8], false).trace());
    let found = only(&report, "race/wildcard");
    assert_eq!(found.title, "rank 0 receives from whichever of ranks 1 and 2 comes first");
    let expected = [
        "0/0 can take a message of ranks 1 and 2",
        "1/0 sends 4 bytes with tag 7, which may come first",
        "2/0 sends 8 bytes with tag 7, which may come first",
    ];
    assert_eq!(labels(found), expected);
    assert_eq!(found.notes, ["the messages differ in length (4 bytes from rank 1, 8 from rank 2)"]);
}

#[test]
fn it_cannot_matter_where_messages_are_alike_and_nobody_asks_whose_they_are() {
    let judged = |bytes: i64, digests: [u64; 2], wants_status: bool| {
        let trace = with_digests(two_senders([bytes, bytes], wants_status), &[(1, 0, digests[0]), (2, 0, digests[1])]);
        let report = checked(&trace);
        let found = only(&report, "race/wildcard");
        (found.notes.concat(), found.dismissed.clone())
    };
    // Whoever is to wait for a message, there is no schedule in which it is in vain.
    let alike = Some("it cannot matter which message comes first: they are alike, and are received without a status".to_owned());
    assert_eq!(judged(4, [5, 5], false), (String::new(), alike));
    let looks = "the messages are alike: which one comes first matters only to who looks at the status".to_owned();
    assert_eq!(judged(4, [5, 5], true), (looks, None));
    assert_eq!(judged(4, [5, 6], false), ("the messages differ in content".to_owned(), None));
    assert_eq!(judged(4, [0, 0], false), (String::new(), None), "no digest was taken");
    assert_eq!(judged(50_000, [5, 5], false), (String::new(), None), "a digest of samples does not prove it");
}

#[test]
fn where_the_program_probes_the_messages_that_nothing_holds_back_are_named() {
    let run = |waits_for_word: bool| {
        let mut job = Job::new(3);
        job.send(mpi::SEND, 1, 20, 0, 7);
        if waits_for_word {
            job.recv(2, 29, 0, 8);
        }
        job.send(mpi::SEND, 2, 30, 0, 7);
        let any = [("source", int(ANY_SOURCE)), ("tag", int(7)), ("comm", int(COMM_WORLD))];
        job.call(0, 10, mpi::PROBE, &any, &[("status", status(1, 7, 4))]);
        job.recv(0, 11, 1, 7);
        if waits_for_word {
            job.send(mpi::SEND, 0, 12, 2, 8);
        }
        job.recv(0, 13, 2, 7);
        job.finalize_all();
        job.check()
    };
    let report = run(false);
    let found = only(&report, "race/wildcard");
    assert_eq!(found.title, "rank 0 sees the message of whichever of ranks 1 and 2 comes first");
    assert_eq!(labels(found)[2], "2/0 sends 4 bytes with tag 7, which may come first");
    assert_eq!(told(&run(true)), [""; 0], "rank 2 sends when it has been told so");
}

/// Rank 0 posts receives from ranks 1 and 2, and completes one after the other; between these it may send.
fn waiting_for_any(sends_between: bool, is_told: bool) -> Job {
    let mut job = Job::new(3);
    for rank in [1, 2] {
        job.irecv(0, 10, rank, 7, rank - 1);
    }
    let all = [("count", int(2)), ("array_of_requests", ints(&[request(0), request(1)]))];
    job.call(0, 11, mpi::WAITANY, &all, &[("index", int(0)), ("status", status(1, 7, 4))]);
    if sends_between || is_told {
        job.send(mpi::SEND, 0, 12, if is_told { 2 } else { 1 }, 8);
    }
    let rest = [("count", int(2)), ("array_of_requests", ints(&[0x180, request(1)]))];
    job.call(0, 13, mpi::WAITANY, &rest, &[("index", int(1)), ("status", status(2, 7, 4))]);
    job.send(mpi::SEND, 1, 20, 0, 7);
    if is_told {
        job.recv(2, 30, 0, 8);
    }
    job.send(mpi::SEND, 2, 31, 0, 7);
    if sends_between && !is_told {
        job.recv(1, 21, 0, 8);
    }
    job.finalize_all();
    job
}

#[test]
fn the_other_requests_are_named_that_could_have_been_complete() {
    let report = waiting_for_any(true, false).check();
    let found = only(&report, "race/completion");
    assert_eq!(found.title, "rank 0 goes on in MPI_Waitany with whichever of 2 requests completes first");
    let expected = ["0/2 could have completed another one", "0/0 was completed", "0/1 could have been complete as well"];
    assert_eq!(labels(found), expected);
    assert!(found.notes[0].starts_with("the rank calls other functions before all are complete"), "{:?}", found.notes);
    let report = waiting_for_any(false, false).check();
    let drained = only(&report, "race/completion");
    assert!(drained.notes[0].starts_with("the rank calls nothing else until all are complete"), "{:?}", drained.notes);
    assert_eq!(told(&waiting_for_any(false, true).check()), [""; 0], "rank 2 sends when it has been told so");
}

#[test]
fn sends_that_are_only_waited_for_may_complete_in_any_order() {
    let mut job = Job::new(2);
    for slot in 0..2 {
        job.isend(0, 10, 1, slot, slot);
        job.recv(1, 20, 0, slot);
    }
    let all = [("count", int(2)), ("array_of_requests", ints(&[request(0), request(1)]))];
    job.call(0, 11, mpi::WAITANY, &all, &[("index", int(1)), ("status", no_status())]);
    job.wait(0, 12, 0);
    job.finalize_all();
    let report = job.check();
    let reason = only(&report, "race/completion").dismissed.as_deref();
    assert_eq!(reason, Some("they are sends, and the rank calls nothing else until all are complete"));
}

#[test]
fn what_comes_after_a_poll_tells_whether_it_matters() {
    let run = |nothing: bool, sends: bool, found: bool| {
        let mut job = Job::new(2);
        job.irecv(0, 10, 1, 7, 0);
        let test = [("request", int(request(0)))];
        if nothing {
            job.call(0, 11, mpi::TEST, &test, &[("flag", int(0))]);
            if sends {
                job.send(mpi::SEND, 0, 12, 1, 8);
                job.recv(1, 21, 0, 8);
            }
        }
        if found {
            job.call(0, 11, mpi::TEST, &test, &[("flag", int(1)), ("status", status(1, 7, 4))]);
        } else {
            job.call(0, 13, mpi::WAIT, &test, &[("status", status(1, 7, 4))]);
        }
        job.send(mpi::SEND, 1, 20, 0, 7);
        job.barrier(0, 14);
        job.barrier(1, 22);
        job.finalize_all();
        let report = job.check();
        let found = only(&report, "race/poll");
        (labels(found), found.notes.concat(), found.dismissed.clone())
    };
    let (labels, note, dismissed) = run(true, true, true);
    let expected = [
        "0/1 found nothing 1 time, and something 1 time",
        "0/2 comes next after it found nothing",
        "0/4 comes next after it found something",
    ];
    assert_eq!((&labels[..], dismissed), (&expected.map(String::from)[..], None));
    assert_eq!(note, "the calls depend on it: MPI_Send comes after nothing was found, MPI_Barrier after something was");
    assert_eq!(run(true, false, true).2.as_deref(), Some("nothing else is called until it finds something"));
    assert_eq!(run(false, false, true).1, "what the program does when it finds nothing is not in the trace");
    assert_eq!(run(true, false, false).1, "what the program does when it finds something is not in the trace");
}

/// By line and function that receives: the lines and ranks of the messages that could come first.
type Named = BTreeMap<(u64, &'static str), BTreeSet<(u64, u32)>>;

fn named(trace: &Trace) -> Named {
    let report = checked(trace);
    let line = |place: sim::Place| {
        let call = trace.call(trace.lanes[place.lane as usize].events[place.event as usize].call);
        (trace.site(call.site.unwrap()).offset, call.function.name())
    };
    let mut named = Named::new();
    for found in report.findings.iter().filter(|f| f.rule.name == "race/wildcard") {
        let sends = found.labels[1..].iter().map(|label| (line(label.place).0, label.place.lane));
        named.entry(line(found.labels[0].place)).or_default().extend(sends);
    }
    named
}

/// Calls of rank 0 after which nothing is decided over all schedules: it sends to itself, and probes for that.
fn probes_itself(builder: &mut traces::TraceBuilder) {
    let own = message("dest", 0, 99, 1, INT);
    builder.push(0, mpi::SEND, 500, &own, Some(&[]));
    let probe = [("source", int(0)), ("tag", int(99)), ("comm", int(COMM_WORLD))];
    builder.push(0, mpi::PROBE, 501, &probe, Some(&[("status", status(0, 99, 4))]));
    let own: Vec<(&str, Value)> = message("source", 0, 99, 1, INT);
    builder.push(0, mpi::RECV, 502, &own, Some(&[("status", status(0, 99, 4))]));
}

#[test]
fn an_earlier_receive_that_is_still_open_takes_what_comes_before_its_own_message() {
    let run = |probes: bool| {
        let mut job = Job::new(4);
        if probes {
            job.send(mpi::SEND, 0, 500, 0, 99);
            let own = [("source", int(0)), ("tag", int(99)), ("comm", int(COMM_WORLD))];
            job.call(0, 501, mpi::PROBE, &own, &[("status", status(0, 99, 4))]);
            job.recv(0, 502, 0, 99);
        }
        job.irecv(0, 10, ANY_SOURCE, 8, 0);
        job.recv_any(0, 11, 2, 7);
        job.send(mpi::SEND, 0, 12, 1, 5);
        job.call(0, 13, mpi::WAIT, &[("request", int(request(0)))], &[("status", status(1, 8, 4))]);
        job.recv_any(0, 14, 3, 8);
        job.recv(1, 20, 0, 5);
        job.send(mpi::SEND, 1, 21, 0, 8);
        job.send(mpi::SEND, 2, 30, 0, 7);
        job.send(mpi::SEND, 3, 40, 0, 8);
        job.finalize_all();
        named(&job.trace())
    };
    for probes in [false, true] {
        let named = run(probes);
        assert_eq!(named.get(&(10, "MPI_Irecv")), Some(&BTreeSet::from([(21, 1), (40, 3)])), "{named:?}");
        assert_eq!(named.get(&(11, "MPI_Recv")), None, "the message of rank 3 goes to line 10 if it is early");
    }
}

fn is_among_what_is_decided(program: &Program, seed: u64) -> Result<(), TestCaseError> {
    let run = run(program, GENEROUS, seed);
    if !Model::new(program, GENEROUS).is_over(&run.returned) {
        return Ok(());
    }
    let exact = named(&trace_after(program, &run, |_| {}));
    for (line, sends) in named(&trace_after(program, &run, probes_itself)) {
        let all = exact.get(&line).cloned().unwrap_or_default();
        prop_assert!(sends.is_subset(&all), "{:?}: {:?} of {:?}", line, sends, all);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is named by the order of the recorded run alone, can happen: the decision over all schedules names it, too.
    #[test]
    fn what_the_order_names_is_among_what_is_decided(program in programs(true), seed in any::<u64>()) {
        is_among_what_is_decided(&program, seed)?;
    }

    #[test]
    fn likewise_where_many_come_at_once(program in crowds(), seed in any::<u64>()) {
        is_among_what_is_decided(&program, seed)?;
    }
}
