//! Every way to send and every way to receive, with the mistakes that can be made in one message from rank 1 to rank 2.

use super::Variant;

/// A way to send or to receive.
struct Form {
    name: &'static str,
    /// A function that not every MPI has.
    needs: Option<&'static str>,
    /// What it takes before: lines of C.
    before: &'static [&'static str],
    /// The call that says what is sent or received. `$B` stands for buffer, count and type, `$P` for peer and tag, `$C` for the communicator.
    call: &'static str,
    /// What begins it, if that is another call, and what completes it.
    complete: &'static [&'static str],
    /// What gives up what `before` or `call` has made.
    after: &'static [&'static str],
    /// Whether it only returns, or completes, when the other side has come.
    is_synchronous: bool,
}

const WAIT: &str = "MPI_Wait(&request, MPI_STATUS_IGNORE);";
const START: &str = "MPI_Start(&request);";
const FREE: &str = "MPI_Request_free(&request);";
const ATTACH: &str = "MPI_Buffer_attach(space, sizeof space);";
const DETACH: &str = "MPI_Buffer_detach(&memory, places);";

const fn blocking(name: &'static str, call: &'static str) -> Form {
    Form { name, needs: None, before: &[], call, complete: &[], after: &[], is_synchronous: false }
}

const fn nonblocking(name: &'static str, call: &'static str) -> Form {
    Form { complete: &[WAIT], ..blocking(name, call) }
}

const fn persistent(name: &'static str, call: &'static str) -> Form {
    Form { complete: &[START, WAIT], after: &[FREE], ..blocking(name, call) }
}

const fn synchronous(form: Form) -> Form {
    Form { is_synchronous: true, ..form }
}

const SENDS: [Form; 15] = [
    blocking("send", "MPI_Send($B, $P, $C);"),
    synchronous(blocking("ssend", "MPI_Ssend($B, $P, $C);")),
    Form { before: &[ATTACH], after: &[DETACH], ..blocking("bsend", "MPI_Bsend($B, $P, $C);") },
    nonblocking("isend", "MPI_Isend($B, $P, $C, &request);"),
    synchronous(nonblocking("issend", "MPI_Issend($B, $P, $C, &request);")),
    Form { before: &[ATTACH], after: &[DETACH], ..nonblocking("ibsend", "MPI_Ibsend($B, $P, $C, &request);") },
    persistent("send_init", "MPI_Send_init($B, $P, $C, &request);"),
    synchronous(persistent("ssend_init", "MPI_Ssend_init($B, $P, $C, &request);")),
    Form { before: &[ATTACH], after: &[FREE, DETACH], ..persistent("bsend_init", "MPI_Bsend_init($B, $P, $C, &request);") },
    blocking("sendrecv", "MPI_Sendrecv($B, $P, others, 0, MPI_INT, MPI_PROC_NULL, 0, $C, &status);"),
    blocking("sendrecv_replace", "MPI_Sendrecv_replace($B, $P, MPI_PROC_NULL, 0, $C, &status);"),
    Form {
        needs: Some("MPI_Isendrecv"),
        ..nonblocking("isendrecv", "MPI_Isendrecv($B, $P, others, 0, MPI_INT, MPI_PROC_NULL, 0, $C, &request);")
    },
    Form { needs: Some("MPI_Send_c"), ..blocking("send_c", "MPI_Send_c($B, $P, $C);") },
    Form { needs: Some("MPI_Isend_c"), ..nonblocking("isend_c", "MPI_Isend_c($B, $P, $C, &request);") },
    Form { needs: Some("MPI_Send_init_c"), ..persistent("send_init_c", "MPI_Send_init_c($B, $P, $C, &request);") },
];

const RECEIVES: [Form; 8] = [
    blocking("recv", "MPI_Recv($B, $P, $C, &status);"),
    nonblocking("irecv", "MPI_Irecv($B, $P, $C, &request);"),
    persistent("recv_init", "MPI_Recv_init($B, $P, $C, &request);"),
    Form { before: &["MPI_Probe($P, $C, &status);"], ..blocking("probe", "MPI_Recv($B, $P, $C, &status);") },
    Form { before: &["MPI_Mprobe($P, $C, &message, &status);"], ..blocking("mrecv", "MPI_Mrecv($B, &message, &status);") },
    Form { before: &["MPI_Mprobe($P, $C, &message, &status);"], ..nonblocking("imrecv", "MPI_Imrecv($B, &message, &request);") },
    blocking("sendrecv", "MPI_Sendrecv(values, 0, MPI_INT, MPI_PROC_NULL, 0, $B, $P, $C, &status);"),
    Form { needs: Some("MPI_Recv_c"), ..blocking("recv_c", "MPI_Recv_c($B, $P, $C, &status);") },
];

/// The arguments of one side: what `$B`, `$P` and `$C` stand for.
type Side = [&'static str; 3];

const SEND: Side = ["values, 1, MPI_INT", "2, 7", "MPI_COMM_WORLD"];
const RECEIVE: Side = ["others, 1, MPI_INT", "1, 7", "MPI_COMM_WORLD"];

/// What can be wrong between two sides.
struct Mistake {
    name: &'static str,
    about: &'static str,
    /// What all ranks do before, and after.
    around: [&'static str; 2],
    send: Option<Side>,
    receive: Option<Side>,
    expect: &'static str,
    ends: &'static str,
}

const NONE: [&str; 2] = ["", ""];
const DUPLICATE: [&str; 2] = ["MPI_Comm_dup(MPI_COMM_WORLD, &comm);", "MPI_Comm_free(&comm);"];
const UNCOMMITTED: [&str; 2] = ["MPI_Type_contiguous(2, MPI_INT, &type);", "MPI_Type_free(&type);"];
const COMMITTED: [&str; 2] = ["MPI_Type_contiguous(2, MPI_INT, &type); MPI_Type_commit(&type);", "MPI_Type_free(&type);"];

const FREED_TYPE: [&str; 2] = [
    "MPI_Type_contiguous(2, MPI_INT, &type); MPI_Type_commit(&type); MPI_Datatype old = type; MPI_Type_free(&type); type = old;",
    "",
];
const FREED_COMMUNICATOR: [&str; 2] =
    ["MPI_Comm_dup(MPI_COMM_WORLD, &comm); MPI_Comm old = comm; MPI_Comm_free(&comm); comm = old;", ""];

const fn mistake(name: &'static str, about: &'static str, send: Side, receive: Side, expect: &'static str) -> Mistake {
    Mistake { name, about, around: NONE, send: Some(send), receive: Some(receive), expect, ends: "anyhow" }
}

/// Between the two sides: each counts for every way to send, and for every way to receive.
const BETWEEN: [Mistake; 11] = [
    Mistake { ends: "ok", ..mistake("correct", "Nothing is wrong.", SEND, RECEIVE, "") },
    Mistake {
        around: COMMITTED,
        ends: "ok",
        ..mistake(
            "of_another_shape",
            "The types differ, and their signatures are equal.",
            ["values, 2, MPI_INT", SEND[1], SEND[2]],
            ["others, 1, type", RECEIVE[1], RECEIVE[2]],
            "",
        )
    },
    Mistake {
        ends: "ok",
        ..mistake(
            "shorter",
            "The message is shorter than the receive allows.",
            SEND,
            ["others, 4, MPI_INT", RECEIVE[1], RECEIVE[2]],
            "",
        )
    },
    Mistake { ends: "hang", ..mistake("tag", "The tags differ.", SEND, [RECEIVE[0], "1, 8", RECEIVE[2]], "error match/tag") },
    Mistake {
        ends: "hang",
        ..mistake("source", "It is expected from another rank.", SEND, [RECEIVE[0], "3, 7", RECEIVE[2]], "error match/source")
    },
    Mistake {
        around: DUPLICATE,
        ends: "hang",
        ..mistake("communicator", "The communicators differ.", [SEND[0], SEND[1], "comm"], RECEIVE, "error match/communicator")
    },
    Mistake {
        ends: "ok",
        ..mistake("type", "The types differ.", SEND, ["others, 1, MPI_FLOAT", RECEIVE[1], RECEIVE[2]], "error match/type")
    },
    Mistake {
        around: COMMITTED,
        ends: "ok",
        ..mistake(
            "signature",
            "A derived type has another signature.",
            ["values, 2, MPI_FLOAT", SEND[1], SEND[2]],
            ["others, 1, type", RECEIVE[1], RECEIVE[2]],
            "error match/type",
        )
    },
    mistake(
        "truncated",
        "The message is longer than the receive allows.",
        ["values, 2, MPI_INT", SEND[1], SEND[2]],
        RECEIVE,
        "error match/truncated",
    ),
    Mistake { send: None, ends: "hang", ..mistake("unsent", "Nobody sends.", SEND, RECEIVE, "error deadlock/missing-rank") },
    Mistake { receive: None, ..mistake("unreceived", "Nobody receives.", SEND, RECEIVE, "error match/orphan-send") },
];

/// In the arguments of one side alone, whichever that is.
const ARGUMENTS: [(&str, &str, [&str; 3], [&str; 2], &str); 9] = [
    ("count", "The count is negative.", ["values, -1, MPI_INT", "", ""], NONE, "error argument/count"),
    ("rank", "There is no such rank.", ["", "size, 7", ""], NONE, "error argument/rank"),
    ("negative_rank", "No rank is negative.", ["", "-17, 7", ""], NONE, "error argument/rank"),
    ("tag", "No tag is negative.", ["", "3 - rank, -70", ""], NONE, "error argument/tag"),
    ("no_datatype", "There is no datatype.", ["values, 1, MPI_DATATYPE_NULL", "", ""], NONE, "error argument/datatype"),
    ("freed_datatype", "The datatype was freed.", ["values, 1, type", "", ""], FREED_TYPE, "error argument/handle"),
    ("uncommitted", "The datatype was not committed.", ["values, 1, type", "", ""], UNCOMMITTED, "error argument/uncommitted"),
    ("no_communicator", "There is no communicator.", ["", "", "MPI_COMM_NULL"], NONE, "error argument/communicator"),
    ("freed_communicator", "The communicator was freed.", ["", "", "comm"], FREED_COMMUNICATOR, "error argument/handle"),
];

impl Form {
    /// The lines of C that do it, with this mark on those that a finding must name: what says what is sent or received, what starts it, and
    /// of a deadlock what waits. Nobody comes beyond a probe that finds nothing.
    fn lines(&self, side: Side, rule: &str) -> Vec<String> {
        let [buffer, peer, communicator] = side;
        let with = |line: &str| line.replace("$B", buffer).replace("$P", peer).replace("$C", communicator);
        let hangs = ["match/tag", "match/source", "match/communicator", "deadlock/missing-rank"].contains(&rule);
        let is_probed = self.before.iter().any(|line| line.contains("robe("));
        let is_named = |line: &str| match line {
            _ if rule.is_empty() => false,
            WAIT => rule == "deadlock/missing-rank" && !is_probed,
            START => !rule.starts_with("argument/") && rule != "leak/request",
            _ if line == self.call => !(hangs && is_probed),
            _ => hangs && line.contains("robe("),
        };
        let marked = |line: &&str| if is_named(line) { format!("{} // <- {rule}", with(line)) } else { with(line) };
        [self.before, &[self.call], self.complete, self.after].concat().iter().map(marked).collect()
    }

    fn is_nonblocking(&self) -> bool {
        self.complete == [WAIT]
    }

    fn is_persistent(&self) -> bool {
        self.complete == [START, WAIT]
    }
}

/// What only this rank does.
fn only(rank: u32, lines: Vec<String>) -> Vec<String> {
    let indented = lines.into_iter().map(|line| format!("    {line}"));
    [vec![format!("if (rank == {rank}) {{")], indented.collect(), vec!["}".into()]].concat()
}

fn around([before, after]: [&str; 2], body: Vec<String>) -> Vec<String> {
    let line = |line: &str| if line.is_empty() { Vec::new() } else { vec![line.to_owned()] };
    [line(before), body, line(after)].concat()
}

/// One message, sent and received in these ways, with this mistake.
fn message(name: &str, send: &Form, receive: &Form, mistake: &Mistake) -> Variant {
    let waits = send.is_synchronous && mistake.receive.is_none();
    let (expect, ends) = if waits { ("error deadlock/missing-rank", "hang") } else { (mistake.expect, mistake.ends) };
    let rule = expect.split_once(' ').map_or("", |(_, rule)| rule);
    let side = |rank, form: &Form, side: Option<Side>| side.map_or(Vec::new(), |side| only(rank, form.lines(side, rule)));
    let body = [side(1, send, mistake.send), side(2, receive, mistake.receive)].concat();
    Variant {
        name: format!("{name}_{}", mistake.name),
        about: format!("{name}: {}", mistake.about),
        expect: if expect.is_empty() { Vec::new() } else { vec![expect.to_owned()] },
        ends,
        needs: send.needs.or(receive.needs).map(String::from),
        body: around(mistake.around, body),
    }
}

/// A mistake in the arguments of one side. The other side is there, if the library looks over it.
fn arguments(form: &Form, kind: &str) -> Vec<Variant> {
    let is_send = kind == "send";
    let (rank, right) = if is_send { (1, SEND) } else { (2, RECEIVE) };
    let variant = |(name, about, wrong, before_after, expect): &(&str, &str, [&'static str; 3], [&'static str; 2], &str)| {
        let side = [0, 1, 2].map(|at| if wrong[at].is_empty() { right[at] } else { wrong[at] });
        let rule = expect.split_once(' ').map_or("", |(_, rule)| rule);
        let other = match is_send {
            true => only(2, RECEIVES[0].lines(["others, 8, MPI_INT", RECEIVE[1], RECEIVE[2]], "")),
            false => only(1, SENDS[0].lines(SEND, "")),
        };
        Variant {
            name: format!("{kind}_{}_argument_{name}", form.name),
            about: format!("{}: {about}", form.name),
            expect: vec![(*expect).to_owned()],
            ends: "anyhow",
            needs: form.needs.map(String::from),
            body: around(*before_after, [only(rank, form.lines(side, rule)), other].concat()),
        }
    };
    ARGUMENTS.iter().map(variant).collect()
}

/// A request that is not treated as it should.
fn requests(form: &Form, kind: &str) -> Vec<Variant> {
    let (other, own, rank, peer) = if kind == "send" { (&RECEIVES[0], SEND, 1, 2) } else { (&SENDS[0], RECEIVE, 2, 1) };
    let others_side = if kind == "send" { RECEIVE } else { SEND };
    let variant = |name: &str,
                   about: &str,
                   expect: &[&str],
                   ends,
                   complete: &'static [&'static str],
                   after: &'static [&'static str],
                   is_answered| {
        let changed = Form { complete, after, ..*form };
        let rule = expect.last().and_then(|expect| expect.split_once(' ')).map_or("", |(_, rule)| rule);
        let answer = if is_answered { only(peer, other.lines(others_side, "")) } else { Vec::new() };
        Variant {
            name: format!("{kind}_{}_{name}", form.name),
            about: format!("{}: {about}", form.name),
            expect: expect.iter().map(|expect| (*expect).to_owned()).collect(),
            ends,
            needs: form.needs.map(String::from),
            body: [only(rank, changed.lines(own, rule)), answer].concat(),
        }
    };
    if form.is_nonblocking() {
        return vec![variant(
            "lost",
            "The request is never completed.",
            &["error request/lost"],
            "anyhow",
            &[],
            form.after,
            true,
        )];
    }
    if form.is_persistent() {
        return vec![
            variant(
                "leaked",
                "The request is never freed.",
                &["warning leak/request"],
                "ok",
                form.complete,
                &form.after[1..],
                true,
            ),
            variant(
                "unstarted",
                "The request is never started.",
                &["warning request/never-started"],
                "ok",
                &[],
                form.after,
                false,
            ),
            variant(
                "started_twice",
                "The request is started twice.",
                &["error request/started-twice"],
                "anyhow",
                &[START, START, WAIT],
                form.after,
                true,
            ),
        ];
    }
    Vec::new()
}

/// Each way to send and each way to receive, with each mistake.
pub fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for send in &SENDS {
        let name = format!("send_{}", send.name);
        variants.extend(
            BETWEEN.iter().filter(|mistake| mistake.send.is_some()).map(|mistake| message(&name, send, &RECEIVES[0], mistake)),
        );
        variants.extend(arguments(send, "send"));
        variants.extend(requests(send, "send"));
    }
    for receive in &RECEIVES {
        let name = format!("receive_{}", receive.name);
        variants.extend(
            BETWEEN.iter().filter(|mistake| mistake.receive.is_some()).map(|mistake| message(&name, &SENDS[0], receive, mistake)),
        );
        // What is received with a matched probe has no peer of its own to be wrong about.
        if receive.before.is_empty() {
            variants.extend(arguments(receive, "receive"));
        }
        variants.extend(requests(receive, "receive"));
    }
    variants
}
