//! Point-to-point calls: sends, receives, both at once, probes.

use traces::constant::{ANY_SOURCE, ANY_TAG, COMM_WORLD};
use traces::function::{Function, mpi};

use super::arguments::Arguments;
use super::faults::Known;
use super::{Lifter, NO_SLOT, faults, index_of_last, request_made};
use crate::program::{Mailbox, Mode, Op, Peer, Receive, ReceiveId, Send, SendId, Then};

/// How a call completes: when it returns, by a request, or by a request that has to be started.
#[derive(Clone, Copy)]
enum Form {
    Blocking,
    Nonblocking,
    Persistent,
}

use Form::{Blocking, Nonblocking, Persistent};

/// The sends, with what they promise. A ready send is a standard send whose receive happens to be there.
fn send_form(function: Function) -> Option<(Mode, Form)> {
    Some(match function {
        mpi::SEND | mpi::RSEND => (Mode::Standard, Blocking),
        mpi::ISEND | mpi::IRSEND => (Mode::Standard, Nonblocking),
        mpi::SEND_INIT | mpi::RSEND_INIT => (Mode::Standard, Persistent),
        mpi::BSEND => (Mode::Buffered, Blocking),
        mpi::IBSEND => (Mode::Buffered, Nonblocking),
        mpi::BSEND_INIT => (Mode::Buffered, Persistent),
        mpi::SSEND => (Mode::Synchronous, Blocking),
        mpi::ISSEND => (Mode::Synchronous, Nonblocking),
        mpi::SSEND_INIT => (Mode::Synchronous, Persistent),
        _ => return None,
    })
}

impl Lifter<'_> {
    /// What a point-to-point call does; None if it is none.
    pub(super) fn transfer(&mut self, a: &Arguments) -> Option<Op> {
        let function = a.function();
        let then = |form| match form {
            Blocking => Some(Then::Return),
            // A call that never returned made no request that anybody could wait for.
            Nonblocking => a.outcome.map(|_| Then::Request(request_made(a))),
            Persistent => a.outcome.map(|_| Then::Persistent(request_made(a))),
        };
        if a.failed() && !may_have_received(a, &self.known()) {
            return is_transfer(function).then_some(Op::Local);
        }
        if let Some((mode, form)) = send_form(function) {
            let names = ["dest", "tag", "count", "datatype"];
            let send = Some(self.send(a, names, mode));
            return Some(transfer(send, None, then(form)));
        }
        let replaces = matches!(function, mpi::SENDRECV_REPLACE | mpi::ISENDRECV_REPLACE);
        Some(match function {
            mpi::RECV | mpi::IRECV | mpi::RECV_INIT => {
                let receive = self.receive(a, ["source", "tag", "count", "datatype"]);
                let form = if function == mpi::RECV {
                    Blocking
                } else if function == mpi::IRECV {
                    Nonblocking
                } else {
                    Persistent
                };
                transfer(None, Some(receive), then(form))
            }
            mpi::SENDRECV | mpi::ISENDRECV | mpi::SENDRECV_REPLACE | mpi::ISENDRECV_REPLACE => {
                let [s, r] =
                    if replaces { [["count", "datatype"]; 2] } else { [["sendcount", "sendtype"], ["recvcount", "recvtype"]] };
                let send = self.send(a, ["dest", "sendtag", s[0], s[1]], Mode::Standard);
                let receive = self.receive(a, ["source", "recvtag", r[0], r[1]]);
                let blocks = matches!(function, mpi::SENDRECV | mpi::SENDRECV_REPLACE);
                transfer(Some(send), Some(receive), then(if blocks { Blocking } else { Nonblocking }))
            }
            mpi::PROBE | mpi::MPROBE | mpi::IPROBE | mpi::IMPROBE => self.probe(a),
            mpi::MRECV | mpi::IMRECV => self.deliver(a, then(if function == mpi::MRECV { Blocking } else { Nonblocking })),
            _ => return None,
        })
    }

    fn probe(&mut self, a: &Arguments) -> Op {
        let function = a.function();
        let poll = matches!(function, mpi::IPROBE | mpi::IMPROBE);
        match (poll, a.outcome) {
            (true, None) => return Op::Opaque,
            // Nothing was there, which the standard always allows.
            (true, Some(_)) if !a.flag() => return Op::Local,
            _ => {}
        }
        let receive = self.receive(a, ["source", "tag", "", ""]);
        let takes = matches!(function, mpi::MPROBE | mpi::IMPROBE);
        Op::Probe { receive, take: takes.then(|| a.result("message").int().unwrap_or(0)), poll }
    }

    fn deliver(&mut self, a: &Arguments, then: Option<Then>) -> Op {
        let Some(then) = then else { return Op::Opaque };
        let content = self.content(a, "count", "datatype");
        let receive = self.add_receive(Receive { from: Peer::Nobody, tag: None, content, has_failed: a.failed() });
        Op::Deliver { message: a.int_or("message", 0), receive, then }
    }

    fn send(&mut self, a: &Arguments, [dest, tag, count, datatype]: [&str; 4], mode: Mode) -> SendId {
        let content = self.content(a, count, datatype);
        let to = self.peer(a, dest, true);
        self.program.sends.push(Send { to, tag: a.int_or(tag, 0), content, mode, partitions: 0 });
        index_of_last(&self.program.sends)
    }

    pub(super) fn receive(&mut self, a: &Arguments, [source, tag, count, datatype]: [&str; 4]) -> ReceiveId {
        let content = self.content(a, count, datatype);
        let from = self.peer(a, source, false);
        let tag = a.call.int(tag).filter(|tag| *tag != ANY_TAG);
        self.add_receive(Receive { from, tag, content, has_failed: a.failed() })
    }

    pub(super) fn add_receive(&mut self, receive: Receive) -> ReceiveId {
        self.needs_pins |= receive.is_wild();
        self.program.receives.push(receive);
        index_of_last(&self.program.receives)
    }

    pub(super) fn content(&mut self, a: &Arguments, count: &str, datatype: &str) -> crate::layout::Content {
        let (count, datatype) = (a.call.int(count), a.call.int(datatype));
        self.datatypes[self.process].content(count, datatype, &self.program.layouts)
    }

    /// The other side of a transfer.
    pub(super) fn peer(&mut self, a: &Arguments, name: &str, outgoing: bool) -> Peer {
        let rank = self.rank;
        let Some(view) = self.communicators.view(a.int_or("comm", COMM_WORLD), rank) else { return Peer::Nobody };
        let context = view.context;
        let Some(number) = a.call.int(name) else { return Peer::Nobody };
        if number == ANY_SOURCE && !outgoing {
            return Peer::Any(self.mailbox(Mailbox { context, rank }));
        }
        let other = usize::try_from(number).ok().and_then(|at| view.peers.ranks.get(at)).copied();
        match other.filter(|other| self.is_present(*other)).and_then(|other| u32::try_from(other).ok()) {
            None => Peer::Nobody,
            Some(other) if outgoing => Peer::Channel(self.channel(Mailbox { context, rank: other }, rank)),
            Some(other) => Peer::Channel(self.channel(Mailbox { context, rank }, other)),
        }
    }
}

/// Whether a function sends, receives or probes.
fn is_transfer(function: Function) -> bool {
    use mpi::{IMRECV, IPROBE, IRECV, ISENDRECV, ISENDRECV_REPLACE, MPROBE, PROBE, RECV_INIT};
    let other = [IRECV, RECV_INIT, ISENDRECV, ISENDRECV_REPLACE, PROBE, MPROBE, IPROBE, mpi::IMPROBE, IMRECV];
    receives_at_once(function) || send_form(function).is_some() || other.contains(&function)
}

/// Whether a function receives before it returns.
fn receives_at_once(function: Function) -> bool {
    matches!(function, mpi::RECV | mpi::SENDRECV | mpi::SENDRECV_REPLACE | mpi::MRECV)
}

/// Whether a call that returned an error may have received a message all the same: one that was too long, and then it took it. What the error
/// is, the library's own number does not tell; but a call with an argument that is wrong for certain does nothing.
fn may_have_received(a: &Arguments, known: &Known) -> bool {
    receives_at_once(a.function()) && faults::find(a.call, known).is_none()
}

/// A transfer; one whose request is not known because the call never returned is opaque.
fn transfer(send: Option<SendId>, receive: Option<ReceiveId>, then: Option<Then>) -> Op {
    match then {
        None => Op::Opaque,
        Some(Then::Persistent(NO_SLOT)) => Op::Local,
        Some(then) => Op::Transfer { send, receive, then },
    }
}
