//! Reports as they are printed, one snapshot a kind of finding. The findings are made by hand: what finds them is tested elsewhere.

use traces::site::outwards;
use traces::symbols::{Location, Missing, Stack};
use traces::{Ending, Frame, Function, SiteId, Trace, TraceBuilder, Value, constant, mpi};

use super::{Quote, Sources, Style, Subject, Verdict, dot, github, html, json, junit, sarif, text};
use crate::finding::{Collective, Finding, Label, Message, Place, Report, Severity, WaitFor};
use crate::rules::{self, Rule};
use crate::{Buffering, Options};

const RING: &str = "\
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, size, token = 0;
    MPI_Init(&argc, &argv);
    if (rank > 0)
        MPI_Recv(&token, 1, MPI_INT, rank - 1, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
\tMPI_Send(&token, 1, MPI_INT, (rank + 1) % size, 8, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
}
";

/// Sites of `ring.c` by line; those from 1000 on have no debug info, those from 200 on lie in a file
/// that was edited after it was compiled, those from 100 on in one that is not here.
struct Ring {
    offsets: Vec<u64>,
    frames: Vec<Frame>,
}

impl Ring {
    fn of(trace: &Trace) -> Ring {
        Ring { offsets: trace.sites.iter().map(|site| site.offset).collect(), frames: trace.frames.clone() }
    }

    fn location(&self, site: SiteId) -> Location {
        let offset = self.offsets[site.0 as usize];
        let (file, missing) = match offset {
            0..100 => (Some("ring.c".to_owned()), None),
            100..200 => (Some("/usr/src/app/halo.c".to_owned()), None),
            200..1000 => (Some("edited.c".to_owned()), None),
            _ => (None, Some(Missing::NoDebugInfo)),
        };
        Location {
            line: file.is_some().then_some(offset as u32),
            column: None,
            function: Some("main".to_owned()),
            object: "/usr/bin/lmp".to_owned(),
            offset,
            missing,
            file,
        }
    }
}

impl Sources for Ring {
    fn stack(&self, frame: Frame) -> Stack {
        Stack::of(outwards(&self.frames, frame).map(|site| self.location(site)).collect())
    }

    fn quote(&self, location: &Location) -> Quote {
        match (location.file.as_deref(), location.line) {
            (Some("ring.c"), Some(line)) => {
                RING.lines().nth(line as usize - 1).map_or(Quote::Absent, |text| Quote::Line(text.to_owned()))
            }
            (Some("edited.c"), _) => Quote::Newer,
            _ => Quote::Absent,
        }
    }
}

/// A trace, and a report that is put together beside it.
struct Case {
    builder: TraceBuilder,
    counts: Vec<u32>,
    report: Report,
}

impl Case {
    fn new(ranks: u32) -> Case {
        let report = Report { finished_ranks: ranks, ..Report::default() };
        Case { builder: TraceBuilder::with_ranks(ranks), counts: vec![0; ranks as usize], report }
    }

    fn call(&mut self, rank: u32, function: Function, line: u64, arguments: &[(&str, i64)]) -> Place {
        let arguments: Vec<(&str, Value)> = arguments.iter().map(|(name, i)| (*name, Value::Int(*i))).collect();
        self.builder.push(rank as usize, function, line, &arguments, Some(&[]));
        let event = self.counts[rank as usize];
        self.counts[rank as usize] += 1;
        self.report.calls += 1;
        Place { lane: rank, event }
    }

    /// A barrier that was called on the first of these lines, in a function that was called on the next, and so on; by a method, if that
    /// is named.
    fn barrier(&mut self, rank: u32, lines: &[u64], method: Option<&str>) -> Place {
        let mut caller = None;
        let object = self.builder.object(traces::Object { path: "program".into(), build_id: "".into() });
        let mut site = |line: &u64, method: Option<&str>| {
            self.builder.site(traces::Site { object, offset: *line, method: method.map(Into::into) })
        };
        let (first, callers) = (site(&lines[0], method), lines[1..].iter().map(|line| site(line, None)).collect::<Vec<_>>());
        for site in callers.into_iter().rev() {
            caller = Some(self.builder.frame(Frame { site, caller }));
        }
        let arguments = Box::new([Value::Int(constant::COMM_WORLD)]);
        let call = self.builder.call(traces::Call { function: mpi::BARRIER, site: Some(first), caller, arguments });
        let outcome = Some(self.builder.outcome(traces::Outcome::default()));
        let event = traces::Event { call, outcome, start_ns: 0, duration_ns: 1000, words_at: 0, words_len: 0 };
        self.builder.event(rank as usize, event, &[]);
        self.counts[rank as usize] += 1;
        Place { lane: rank, event: self.counts[rank as usize] - 1 }
    }

    fn send(&mut self, rank: u32, line: u64, dest: i64, tag: i64) -> Place {
        let arguments = [("count", 1), ("datatype", 0x209), ("dest", dest), ("tag", tag), ("comm", constant::COMM_WORLD)];
        self.call(rank, mpi::SEND, line, &arguments)
    }

    fn receive(&mut self, rank: u32, line: u64, source: i64, tag: i64) -> Place {
        let arguments = [("count", 1), ("datatype", 0x209), ("source", source), ("tag", tag), ("comm", constant::COMM_WORLD)];
        self.call(rank, mpi::RECV, line, &arguments)
    }

    fn find(&mut self, rule: &'static Rule, severity: Severity, title: &str, labels: Vec<Label>) -> &mut Finding {
        self.report.findings.push(Finding { labels, ..Finding::new(rule, severity, title) });
        self.report.findings.last_mut().unwrap()
    }

    fn finish(self) -> (Trace, Report) {
        (self.builder.finish(), self.report)
    }

    fn text(self) -> String {
        self.rendered(&Options::default(), |subject| text::render(subject, &Style::default()))
    }

    fn rendered<T>(self, options: &Options, render: impl Fn(&Subject) -> T) -> T {
        let (trace, report) = self.finish();
        let sources = Ring::of(&trace);
        render(&Subject {
            name: "trace.msgpack",
            trace: &trace,
            report: &report,
            options,
            fail_on: Severity::Error,
            sources: &sources,
        })
    }
}

fn primary(place: Place, text: &str) -> Label {
    Label { place, text: text.to_owned(), primary: true }
}

fn secondary(place: Place, text: &str) -> Label {
    Label { place, text: text.to_owned(), primary: false }
}

fn tag_mismatch() -> Case {
    let mut case = Case::new(4);
    let send = case.send(1, 8, 2, 8);
    let receive = case.receive(2, 7, 1, 7);
    let labels = vec![primary(receive, "waits for a message with tag 7 from rank 1"), secondary(send, "sends tag 8 to rank 2")];
    let finding = case.find(&rules::MATCH_TAG, Severity::Error, "rank 1 sends tag 8, rank 2 waits for tag 7", labels);
    finding.notes.push("source and communicator agree: only the tag keeps them apart".to_owned());
    finding.help = Some("give both the same tag, or receive with MPI_ANY_TAG".to_owned());
    case
}

#[test]
fn of_many_notes_of_a_rule_the_first_are_shown_and_the_others_named() {
    let mut case = Case::new(1);
    for line in [5, 7, 8, 9, 10, 1000] {
        let place = case.send(0, line, 0, 7);
        case.find(&rules::RACE_POLL, Severity::Note, "rank 0 polls", vec![primary(place, "polls")]);
    }
    let text = case.text();
    assert_eq!(text.matches("note[race/poll]: rank 0 polls\n").count(), 3, "{text}");
    let others = "note[race/poll]: likewise at ring.c:9, ring.c:10, lmp+0x3e8; --format json and html have all of it\n";
    assert!(text.contains(others), "{text}");
    assert!(text.contains("6 notes in 1 rank"), "{text}");
}

#[test]
fn a_near_miss_shows_both_lines() {
    insta::assert_snapshot!(tag_mismatch().text());
}

#[test]
fn json_has_the_same_facts() {
    insta::assert_snapshot!(tag_mismatch().rendered(&Options::default(), json::render));
}

#[test]
fn colours_do_not_change_the_text() {
    let colored = Style { color: true, ..Style::default() };
    let colored = tag_mismatch().rendered(&Options::default(), |subject| text::render(subject, &colored));
    assert!(colored.contains("\x1b[1;31merror[match/tag]\x1b[0m"));
    let mut plain = String::new();
    for (at, piece) in colored.split("\x1b[").enumerate() {
        plain += if at == 0 { piece } else { piece.split_once('m').unwrap().1 };
    }
    assert_eq!(plain, tag_mismatch().text());
}

#[test]
fn ranks_that_do_the_same_are_folded() {
    let mut case = Case::new(8);
    let mut labels = Vec::new();
    for rank in [0, 1, 2, 4, 7] {
        labels.push(primary(case.call(rank, mpi::BARRIER, 9, &[("comm", constant::COMM_WORLD)]), "waits for ranks 3, 5, 6"));
    }
    for rank in [3, 5, 6] {
        labels.push(secondary(case.call(rank, mpi::FINALIZE, 10, &[]), "is called instead"));
    }
    let title = "ranks 0-2, 4, 7 wait in MPI_Barrier for ranks 3, 5, 6, which never call it";
    case.find(&rules::DEADLOCK_MISSING_RANK, Severity::Error, title, labels);
    case.report.finished_ranks = 3;
    insta::assert_snapshot!(case.text());
}

#[test]
fn a_large_circle_is_cut_short() {
    let mut case = Case::new(64);
    let mut labels = Vec::new();
    for rank in 0..64 {
        let next = i64::from((rank + 1) % 64);
        labels.push(primary(case.send(rank, 8, next, 8), &format!("waits for rank {next} to receive")));
    }
    let title = "if sends are not buffered, ranks 0-63 wait for each other in a circle";
    let finding = case.find(&rules::DEADLOCK_BUFFERING, Severity::Warning, title, labels);
    finding.notes.push("messages of up to 4 bytes are sent; libraries buffer those as long as they have room".to_owned());
    insta::assert_snapshot!(case.text());
}

#[test]
fn a_place_without_source_is_named_as_well_as_it_can_be() {
    let mut case = Case::new(3);
    let labels = vec![
        primary(case.send(0, 4660, 2, 8), "is never received"),
        secondary(case.receive(2, 120, 1, 8), "receives from rank 1"),
        secondary(case.receive(1, 220, 0, 9), "waits for another message"),
        secondary(Place { lane: 9, event: 9 }, "is not in the trace"),
    ];
    case.find(&rules::MATCH_ORPHAN_SEND, Severity::Error, "rank 0 sends a message that is never received", labels);
    insta::assert_snapshot!(case.text());
}

#[test]
fn the_way_to_a_call_is_told_where_its_line_does_not_tell_it() {
    let mut case = Case::new(3);
    let labels = vec![
        primary(case.barrier(0, &[9, 5, 10], None), "waits"),
        primary(case.barrier(1, &[9, 6, 10], None), "waits"),
        secondary(case.barrier(2, &[4660, 8, 10], Some("Comm.barrier")), "waits, too"),
    ];
    case.find(&rules::DEADLOCK_CYCLE, Severity::Error, "ranks 0-2 wait for each other", labels);
    insta::assert_snapshot!(case.text());
}

#[test]
fn a_narrow_terminal_wraps_and_cuts() {
    let narrow = Style { width: 60, color: false };
    let text = tag_mismatch().rendered(&Options::default(), |subject| text::render(subject, &narrow));
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn several_findings_are_counted() {
    let mut case = tag_mismatch();
    let first = case.call(0, mpi::BARRIER, 9, &[("comm", constant::COMM_WORLD)]);
    let second = case.call(1, mpi::BCAST, 8, &[("count", 1), ("datatype", 0x209), ("root", 0), ("comm", 0x1007)]);
    let labels = vec![primary(first, "is the first collective call"), primary(second, "is the first collective call")];
    case.find(&rules::COLLECTIVE_ORDER, Severity::Error, "rank 0 calls MPI_Barrier where rank 1 calls MPI_Bcast", labels);
    let leak = case.call(3, mpi::COMM_DUP, 5, &[("comm", constant::COMM_WORLD)]);
    case.find(&rules::LEAK_COMMUNICATOR, Severity::Warning, "a communicator is never freed", vec![primary(leak, "makes it")]);
    case.report.caveats.push("MPI_Put is recorded and not simulated: what it does is not checked".to_owned());
    let options = Options { buffering: Some(Buffering::Eager(65536)), ..Options::default() };
    insta::assert_snapshot!(case.rendered(&options, |subject| text::render(subject, &Style::default())));
}

#[test]
fn a_clean_trace_is_one_calm_line() {
    let mut case = Case::new(2);
    let (send, receive) = (case.send(0, 8, 1, 8), case.receive(1, 7, 0, 8));
    let (bytes, tag, comm) = (4, 8, constant::COMM_WORLD);
    case.report.messages.push(Message { send, receive, received: receive, bytes, tag, comm });
    case.report.collectives.push(Collective { comm, calls: vec![] });
    case.report.calls = 12_345;
    insta::assert_snapshot!(case.text());
}

#[test]
fn a_cut_trace_with_no_finding_is_undecided() {
    let mut case = Case::new(2);
    case.send(0, 8, 1, 8);
    case.builder.damage("trace.msgpack: at byte 4711: the file ends in the middle of a chunk".to_owned());
    insta::assert_snapshot!(case.text());
}

#[test]
fn the_verdict_is_what_the_exit_code_says() {
    let verdict = |case: Case, fail_on| case.rendered(&Options::default(), |s| Subject { fail_on, ..*s }.verdict());
    let clean = || {
        let mut case = Case::new(1);
        case.call(0, mpi::INIT, 5, &[]);
        case
    };
    let leaking = || {
        let mut case = clean();
        case.find(&rules::LEAK_DATATYPE, Severity::Warning, "a datatype is never freed", vec![]);
        case
    };
    assert_eq!(verdict(clean(), Severity::Note), Verdict::Clean);
    assert_eq!(verdict(leaking(), Severity::Error), Verdict::Clean);
    assert_eq!(verdict(leaking(), Severity::Warning), Verdict::Findings);
    assert_eq!(verdict(Case::new(1), Severity::Note), Verdict::Undecided, "no call at all");
    let mut stuck = clean();
    stuck.report.stopped.push(Place { lane: 0, event: 0 });
    assert_eq!(verdict(stuck, Severity::Error), Verdict::Undecided);
    let mut aborted = clean();
    aborted.builder.process(traces::Process { rank: Some(1), ending: Ending::Aborted, ..traces::Process::default() });
    aborted.find(&rules::RUN_ABORTED, Severity::Note, "rank 0 ended the run with MPI_Abort", vec![]);
    assert_eq!(verdict(aborted, Severity::Error), Verdict::Undecided, "nobody knows what would have come");
    let mut killed = clean();
    killed.builder.process(traces::Process { rank: Some(1), ending: Ending::Unfinished, ..traces::Process::default() });
    assert_eq!(verdict(killed, Severity::Error), Verdict::Undecided);
    let mut running = clean();
    let process = traces::Process { rank: Some(1), is_running: true, ..traces::Process::default() };
    running.builder.process(process.clone());
    assert_eq!(verdict(running, Severity::Error), Verdict::Undecided);
    let mut running = clean();
    running.builder.process(process);
    let text = running.text();
    assert!(text.contains("rank 1 is still running") && text.contains("; still running"), "{text}");
    let mut cut = leaking();
    cut.builder.damage("cut".to_owned());
    assert_eq!(verdict(cut, Severity::Warning), Verdict::Findings, "what is found is found");
}

#[test]
fn a_report_is_the_same_bytes_every_time() {
    assert_eq!(tag_mismatch().text(), tag_mismatch().text());
    let json = |case: Case| case.rendered(&Options::default(), json::render);
    assert_eq!(json(tag_mismatch()), json(tag_mismatch()));
}

/// Ranks 0 and 1 wait for each other, rank 2 for rank 3, which has ended; three threads of flow for one thing.
fn circle() -> Case {
    let mut case = Case::new(4);
    let (first, second) = (case.receive(0, 7, 1, 7), case.receive(1, 7, 0, 7));
    let third = case.receive(2, 120, 3, 7);
    let end = case.call(3, mpi::FINALIZE, 10, &[]);
    let labels = vec![primary(first, "waits for rank 1"), primary(second, "waits for <rank 0> & \"nobody\" else")];
    let finding = case.find(&rules::DEADLOCK_CYCLE, Severity::Error, "ranks 0 and 1 wait for each other in MPI_Recv", labels);
    let wait = |place, ranks: &[u32], any| WaitFor { place, ranks: ranks.to_vec(), any };
    finding.waits = vec![wait(first, &[1], false), wait(second, &[0], false)];
    finding.help = Some("send first".to_owned());
    let labels = vec![primary(third, "waits for rank 3"), secondary(end, "came to its end instead")];
    let finding = case.find(&rules::DEADLOCK_MISSING_RANK, Severity::Warning, "rank 2 waits for rank 3", labels);
    finding.waits = vec![wait(third, &[3], true)];
    case
}

#[test]
fn dot_has_who_waits_for_whom() {
    insta::assert_snapshot!(circle().rendered(&Options::default(), dot::render));
}

#[test]
fn junit_has_a_case_for_each_rule() {
    let report = circle().rendered(&Options::default(), junit::render);
    let passed = |line: &&str| line.ends_with("classname=\"mpisim\"/>");
    assert_eq!(report.lines().filter(passed).count(), rules::ALL.len() - 2, "{report}");
    let others: Vec<&str> = report.lines().filter(|line| !passed(line) && !line.contains("<testsuite")).collect();
    insta::assert_snapshot!(others.join("\n"));
}

#[test]
fn github_shows_a_finding_at_its_line() {
    insta::assert_snapshot!(circle().rendered(&Options::default(), github::render));
}

#[test]
fn sarif_has_a_thread_flow_a_rank() {
    let text = circle().rendered(&Options::default(), sarif::render);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document["runs"][0]["results"]).unwrap());
}

#[test]
fn html_needs_nothing_else_and_takes_no_text_for_its_own() {
    let page = circle().rendered(&Options::default(), html::render);
    assert!(page.contains("waits for &lt;rank 0&gt; &amp; &quot;nobody&quot; else"), "{page}");
    assert!(!page.contains("http") && !page.contains("<script") && !page.contains("src="), "{page}");
    insta::assert_snapshot!(page.split_once("</style>").unwrap().1);
}

#[test]
fn a_large_deadlock_is_folded_by_line() {
    let mut case = Case::new(64);
    let places: Vec<Place> = (0..64).map(|rank| case.receive(rank, 7, i64::from((rank + 1) % 64), 7)).collect();
    let labels = vec![primary(places[0], "waits")];
    let waits = places.iter().map(|&place| WaitFor { place, ranks: vec![(place.lane + 1) % 64], any: false }).collect();
    case.find(&rules::DEADLOCK_CYCLE, Severity::Error, "all wait", labels).waits = waits;
    insta::assert_snapshot!(case.rendered(&Options::default(), dot::render));
}

mod policies {
    use super::*;
    use crate::report::{Pattern, Policy, Suppression};

    /// A finding's rule and severity, and why it does not count.
    type Judged = (&'static str, Severity, Option<String>);

    /// What becomes of the findings, and the suppressions that were not needed.
    fn judged(policy: &Policy) -> (Vec<Judged>, Vec<usize>) {
        let (trace, mut report) = circle().finish();
        let sources = Ring::of(&trace);
        let unused = policy.apply(&trace, &mut report, &sources);
        (report.findings.into_iter().map(|f| (f.rule.name, f.severity, f.dismissed)).collect(), unused)
    }

    fn patterns(list: &[&str]) -> Vec<Pattern> {
        list.iter().map(|text| Pattern::new(text).unwrap()).collect()
    }

    const CYCLE: &str = "deadlock/cycle";
    const MISSING: &str = "deadlock/missing-rank";

    #[test]
    fn what_is_denied_is_an_error_even_if_it_is_allowed() {
        let policy = Policy { allow: patterns(&["deadlock/*"]), deny: patterns(&["*/missing-rank"]), ..Policy::default() };
        let allowed = Some("--allow deadlock/*".to_owned());
        assert_eq!(judged(&policy).0, [(MISSING, Severity::Error, None), (CYCLE, Severity::Error, allowed)]);
    }

    #[test]
    fn a_suppression_is_for_its_file_and_function_and_one_without_use_is_told() {
        let suppression = |file: &str, reason: &str| Suppression {
            rule: Pattern::new("deadlock/*").unwrap(),
            file: Some(Pattern::new(file).unwrap()),
            function: Some(Pattern::new("main").unwrap()),
            reason: reason.to_owned(),
        };
        let policy =
            Policy { suppressions: vec![suppression("*/halo.c", "known"), suppression("*.f90", "old")], ..Policy::default() };
        let expected = [(CYCLE, Severity::Error, None), (MISSING, Severity::Warning, Some("known".to_owned()))];
        assert_eq!(judged(&policy), (expected.to_vec(), vec![1]));
    }

    #[test]
    fn a_finding_of_the_baseline_is_known_again_by_other_ranks_on_other_lines() {
        let fingerprint = |case: Case| case.rendered(&Options::default(), |s| s.fingerprint(&s.report.findings[0]));
        let mut moved = Case::new(8);
        let places = [moved.receive(5, 8, 4, 9), moved.receive(6, 8, 2, 9)];
        let labels = places.map(|place| primary(place, "waits")).to_vec();
        moved.find(&rules::DEADLOCK_CYCLE, Severity::Error, "others wait", labels);
        let moved = fingerprint(moved);
        assert_eq!(moved, fingerprint(circle()));
        let policy = Policy { baseline: [moved].into(), ..Policy::default() };
        let expected = [(MISSING, Severity::Warning, None), (CYCLE, Severity::Error, Some("in the baseline".to_owned()))];
        assert_eq!(judged(&policy).0, expected);
    }

    #[test]
    fn what_does_not_count_is_said_and_changes_the_verdict() {
        let (trace, mut report) = circle().finish();
        let sources = Ring::of(&trace);
        Policy { allow: patterns(&["*"]), ..Policy::default() }.apply(&trace, &mut report, &sources);
        let options = Options::default();
        let subject =
            Subject { name: "t", trace: &trace, report: &report, options: &options, fail_on: Severity::Note, sources: &sources };
        assert_ne!(subject.verdict(), Verdict::Findings);
        let text = text::render(&subject, &Style::default());
        assert!(text.contains("note: 2 findings do not count: 2 (--allow *)") && !text.contains("error["), "{text}");
    }
}
