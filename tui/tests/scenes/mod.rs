//! Small recordings to look at: a program that works, one that hangs, and one with ten thousand ranks.
//!
//! The tests draw them, and so does the example `demo`.

use sim::rules::Rule;
use sim::{Collective, Finding, Label, Message, Place, Report, Severity};
use traces::{Call, Ending, Event, Function, Lane, Object, Outcome, Process, Site, TraceBuilder, Value, mpi};
use tui::Recording;

const COMM_WORLD: i64 = 0x101;
const MPI_INT: i64 = 0x209;
const MPI_DOUBLE: i64 = 0x214;
const MPI_SUM: i64 = 0x21;
const FIRST_REQUEST: i64 = 0x1000;

/// A recording in the making, with a clock a rank.
pub struct Scene {
    builder: TraceBuilder,
    now_ns: Vec<u64>,
    calls: Vec<u32>,
    report: Report,
    seed: u64,
}

type Pairs<'a> = &'a [(&'a str, Value)];

impl Scene {
    pub fn new(ranks: u32) -> Scene {
        let mut builder = TraceBuilder::new();
        builder.world_size(ranks);
        builder.object(Object { path: "/home/me/heat".into(), build_id: "".into() });
        for rank in 0..ranks {
            let process = Process { rank: Some(rank), ending: Ending::Finalized, ..Process::default() };
            builder.process(process);
            builder.lane(Lane { process: rank, rank: Some(rank), ..Lane::default() });
        }
        let ranks = ranks as usize;
        Scene { builder, now_ns: vec![0; ranks], calls: vec![0; ranks], report: Report::default(), seed: 1 }
    }

    /// Lets a rank compute for about so long, never twice the same.
    fn compute(&mut self, rank: usize, about_ns: u64) {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.now_ns[rank] += about_ns / 2 + (self.seed >> 33) % about_ns.max(1);
    }

    /// A call that lasts so long; `results` of None if it never returns.
    fn call(
        &mut self,
        rank: usize,
        function: Function,
        line: u64,
        arguments: Pairs<'_>,
        results: Option<Pairs<'_>>,
        duration_ns: u64,
    ) -> Place {
        let place = |pairs: Pairs<'_>| {
            let mut values = vec![Value::Nil; function.parameters().len()];
            for (name, value) in pairs {
                values[function.parameter(name).unwrap_or_else(|| panic!("{function} has no {name}"))] = value.clone();
            }
            values.into_boxed_slice()
        };
        let site = self.builder.site(Site { object: 0, offset: line, method: None });
        let call = self.builder.call(Call { function, site: Some(site), caller: None, arguments: place(arguments) });
        let outcome = results.map(|r| self.builder.outcome(Outcome { code: 0, results: place(r) }));
        let start_ns = self.now_ns[rank];
        self.builder.event(rank, Event { call, outcome, start_ns, duration_ns, words_at: 0, words_len: 0 }, &[]);
        self.now_ns[rank] += duration_ns;
        self.calls[rank] += 1;
        Place { lane: u32::try_from(rank).unwrap(), event: self.calls[rank] - 1 }
    }

    /// A collective operation of all ranks, which return together.
    fn collective(&mut self, function: Function, line: u64, arguments: Pairs<'_>, duration_ns: u64) {
        let end_ns = self.now_ns.iter().max().unwrap() + duration_ns;
        let calls = (0..self.now_ns.len())
            .map(|rank| {
                let late_ns = end_ns - self.now_ns[rank];
                self.call(rank, function, line, arguments, Some(&[]), late_ns)
            })
            .collect();
        self.report.collectives.push(Collective { comm: COMM_WORLD, calls });
    }

    fn begin(&mut self) {
        for rank in 0..self.now_ns.len() {
            self.compute(rank, 30_000);
        }
        self.collective(mpi::INIT, 12, &[], 90_000);
        self.report.collectives.clear();
        for rank in 0..self.now_ns.len() {
            self.call(rank, mpi::COMM_RANK, 13, &[("comm", Value::Int(COMM_WORLD))], Some(&[("rank", Value::Int(0))]), 300);
        }
        let bcast = message(&[("count", 4), ("datatype", MPI_INT), ("root", 0)]);
        self.collective(mpi::BCAST, 20, &bcast, 12_000);
    }

    /// Every rank swaps halos with both neighbours: two receives, two sends, and a wait for all.
    fn swap_halos(&mut self) {
        let ranks = self.now_ns.len();
        let neighbours = |rank: usize| [(rank + ranks - 1) % ranks, (rank + 1) % ranks];
        let mut receives = vec![[Place { lane: 0, event: 0 }; 2]; ranks];
        let mut sends = receives.clone();
        for rank in 0..ranks {
            for (side, peer) in neighbours(rank).into_iter().enumerate() {
                let arguments = message(&[("count", 512), ("datatype", MPI_DOUBLE), ("source", peer as i64), ("tag", 7)]);
                let made = [("request", Value::Int(FIRST_REQUEST + side as i64))];
                receives[rank][side] = self.call(rank, mpi::IRECV, 31, &arguments, Some(&made), 900);
            }
            for (side, peer) in neighbours(rank).into_iter().enumerate() {
                let arguments = message(&[("count", 512), ("datatype", MPI_DOUBLE), ("dest", peer as i64), ("tag", 7)]);
                let made = [("request", Value::Int(FIRST_REQUEST + 2 + side as i64))];
                sends[rank][side] = self.call(rank, mpi::ISEND, 33, &arguments, Some(&made), 2_200);
            }
        }
        let sent_ns = self.now_ns.clone();
        for rank in 0..ranks {
            let last_ns = neighbours(rank).map(|peer| sent_ns[peer]).into_iter().max().unwrap();
            let wait_ns = last_ns.max(sent_ns[rank]) + 4_000 - self.now_ns[rank];
            let requests: Vec<i64> = (FIRST_REQUEST..FIRST_REQUEST + 4).collect();
            let arguments = [("count", Value::Int(4)), ("array_of_requests", Value::Ints(requests.into_boxed_slice()))];
            let received = self.call(rank, mpi::WAITALL, 35, &arguments, Some(&[]), wait_ns);
            for (side, peer) in neighbours(rank).into_iter().enumerate() {
                let (send, receive) = (sends[peer][1 - side], receives[rank][side]);
                self.report.messages.push(Message { send, receive, received, bytes: 4096, tag: 7, comm: COMM_WORLD });
            }
        }
    }

    fn steps(&mut self, steps: usize, compute_ns: u64) {
        for _ in 0..steps {
            for rank in 0..self.now_ns.len() {
                self.compute(rank, compute_ns);
            }
            self.swap_halos();
            for rank in 0..self.now_ns.len() {
                self.compute(rank, compute_ns / 3);
            }
            let reduce = message(&[("count", 1), ("datatype", MPI_DOUBLE), ("op", MPI_SUM)]);
            self.collective(mpi::ALLREDUCE, 41, &reduce, 9_000);
        }
    }

    fn finish(self, title: &str) -> Recording {
        let trace = self.builder.finish();
        Recording {
            title: title.to_owned(),
            locate: Box::new({
                let lines: Vec<u64> = trace.sites.iter().map(|s| s.offset).collect();
                move |frame| {
                    let line = format!("heat.c:{}", lines[frame.site.0 as usize]);
                    Some(tui::Located { line, stack: Vec::new() })
                }
            }),
            trace,
            report: self.report,
            running: false,
        }
    }
}

/// Arguments of a call on MPI_COMM_WORLD.
fn message<'a>(numbers: &[(&'a str, i64)]) -> Vec<(&'a str, Value)> {
    let mut arguments: Vec<(&str, Value)> = numbers.iter().map(|&(name, value)| (name, Value::Int(value))).collect();
    arguments.push(("comm", Value::Int(COMM_WORLD)));
    arguments
}

/// A heat equation on four ranks that comes to its end.
pub fn works() -> Recording {
    let mut scene = Scene::new(4);
    scene.begin();
    scene.steps(3, 40_000);
    scene.collective(mpi::FINALIZE, 50, &[], 20_000);
    scene.report.collectives.pop();
    scene.finish("heat.msgpack")
}

/// The same on many ranks.
pub fn many(ranks: u32, steps: usize) -> Recording {
    let mut scene = Scene::new(ranks);
    scene.begin();
    scene.steps(steps, 40_000);
    scene.finish("big.msgpack")
}

static DEADLOCK: Rule = Rule { name: "deadlock/missing-rank", summary: "", explanation: "" };
static MATCH_TAG: Rule = Rule { name: "match/tag", summary: "", explanation: "" };
static ORPHAN: Rule = Rule { name: "match/orphan-send", summary: "", explanation: "" };

/// Four ranks of which two hang: one sends with tag 8 what the other expects with tag 7.
pub fn hangs() -> Recording {
    let mut scene = Scene::new(4);
    scene.begin();
    scene.steps(1, 40_000);
    (0..4).for_each(|rank| scene.compute(rank, 30_000));
    let sent = message(&[("buf", 0x7ffc_1234), ("count", 1), ("datatype", MPI_INT), ("dest", 2), ("tag", 8)]);
    let send = scene.call(1, mpi::SEND, 61, &sent, Some(&[]), 14_000);
    scene.compute(0, 20_000);
    scene.compute(1, 30_000);
    let hour_ns = 60_000_000_000;
    let wanted = message(&[("buf", 0x7ffc_5678), ("count", 1), ("datatype", MPI_INT), ("source", 1), ("tag", 7)]);
    let receive = scene.call(2, mpi::RECV, 66, &wanted, None, hour_ns);
    let barrier = message(&[]);
    let calls: Vec<Place> =
        [0, 1, 3].into_iter().map(|rank| scene.call(rank, mpi::BARRIER, 70, &barrier, None, hour_ns)).collect();
    scene.report.collectives.push(Collective { comm: COMM_WORLD, calls: calls.clone() });
    scene.report.findings = hang_findings(send, receive, &calls);
    scene.finish("hang.msgpack")
}

fn hang_findings(send: Place, receive: Place, barrier: &[Place]) -> Vec<Finding> {
    let label = |place: Place, text: &str, primary: bool| Label { place, text: text.to_owned(), primary };
    let mut waiting = vec![label(receive, "waits for a message with tag 7 from rank 1, which never sends one", true)];
    waiting.extend(barrier.iter().map(|&place| label(place, "waits in MPI_Barrier for rank 2", false)));
    vec![
        Finding {
            labels: waiting,
            notes: vec!["holds with any buffering of sends".to_owned()],
            ..Finding::new(
                &DEADLOCK,
                Severity::Error,
                "Ranks 0, 1, 2 and 3 wait for each other and will do so for ever".to_owned(),
            )
        },
        Finding {
            labels: vec![
                label(receive, "waits for a message with tag 7 from rank 1", true),
                label(send, "sends a message with tag 8 to rank 2", false),
            ],
            notes: vec!["source, communicator and size agree; the tag alone differs".to_owned()],
            help: Some("give both calls the same tag".to_owned()),
            ..Finding::new(&MATCH_TAG, Severity::Error, "Rank 1 sent tag 8, rank 2 waits for tag 7".to_owned())
        },
        Finding {
            labels: vec![label(send, "sends 4 bytes to rank 2", true)],
            ..Finding::new(&ORPHAN, Severity::Warning, "A message of rank 1 is never received".to_owned())
        },
    ]
}

/// The same while it still runs, after so many ms in the calls that have not returned.
pub fn still_running(waited_ms: u64) -> Recording {
    let mut recording = hangs();
    recording.running = true;
    for lane in &mut recording.trace.lanes {
        lane.events.last_mut().unwrap().duration_ns = waited_ms * 1_000_000;
    }
    recording
}

/// Two ranks that send to each other what nobody receives, each in a call far too short to be drawn, and come to their end.
pub fn lost_sends() -> Recording {
    let mut scene = Scene::new(2);
    scene.begin();
    for rank in 0..2 {
        let sent = message(&[("count", 1), ("datatype", MPI_INT), ("dest", 1 - rank), ("tag", 3)]);
        let rank = usize::try_from(rank).unwrap();
        let send = scene.call(rank, mpi::SEND, 61, &sent, Some(&[]), 20);
        let label = Label { place: send, text: "sends 4 bytes".to_owned(), primary: true };
        scene.report.findings.push(Finding {
            labels: vec![label],
            ..Finding::new(&ORPHAN, Severity::Warning, format!("A message of rank {rank} is never received"))
        });
    }
    scene.collective(mpi::FINALIZE, 50, &[], 60_000);
    scene.report.collectives.pop();
    scene.finish("lost.msgpack")
}

/// The same, of which the end of the file was lost.
pub fn damaged() -> Recording {
    let mut recording = hangs();
    recording.trace.damage = vec!["cut at byte 1,048,576; the last calls of rank 3 are missing".to_owned()];
    recording
}
