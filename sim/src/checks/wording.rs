//! The words of findings: ranks, counts, communicators and messages as a person would say them.

use traces::call::value_text;
use traces::constant;
use traces::function::Kind;

use super::Evidence;
use crate::finding::Place;
use crate::program::{ContextId, Peer, ReceiveId, SendId, Thing};

/// `rank 3`, `ranks 0 and 1`, `ranks 0-2, 5 and 7`. The ranks are sorted and distinct.
pub(super) fn ranks(list: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &rank in list {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == rank => *last = rank,
            _ => runs.push((rank, rank)),
        }
    }
    let parts: Vec<String> = runs
        .into_iter()
        .flat_map(|(first, last)| match last - first {
            0 => vec![first.to_string()],
            1 => vec![first.to_string(), last.to_string()],
            _ => vec![format!("{first}-{last}")],
        })
        .collect();
    match &parts[..] {
        [] => "no rank".into(),
        [one] if list.len() == 1 => format!("rank {one}"),
        _ => format!("ranks {}", and(&parts)),
    }
}

/// `a, b and c`.
pub(super) fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// `1 message`, `3 messages`.
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Sorted, each once.
pub(super) fn distinct(list: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut list: Vec<u32> = list.into_iter().collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// ` on MPI_COMM_SELF`; nothing for MPI_COMM_WORLD.
pub(super) fn on_comm(comm: i64) -> String {
    if comm == constant::COMM_WORLD { String::new() } else { format!(" on {}", comm_name(comm)) }
}

/// A communicator as reports call it.
pub(super) fn comm_name(comm: i64) -> String {
    value_text(Kind::Comm, &traces::Value::Int(comm))
}

impl Evidence<'_> {
    /// The name of the function that was called.
    pub(super) fn function(&self, place: Place) -> &'static str {
        self.call(place).function.name()
    }

    /// What the program called, in its own language: the function, or `Comm.bcast (MPI_Bcast)` where a binding's method made the call.
    pub(super) fn called(&self, place: Place) -> String {
        let site = self.call(place).site.map(|site| self.trace.site(site));
        let function = self.function(place);
        match site.and_then(|site| site.method.as_deref()) {
            Some(method) => format!("{method} ({function})"),
            None => function.to_owned(),
        }
    }

    /// `waits`, or `polls` where a call that does not wait is repeated for ever.
    pub(super) fn waits(&self, place: Place) -> &'static str {
        let is_poll = ["MPI_Test", "MPI_Iprobe", "MPI_Improbe"].iter().any(|name| self.function(place).starts_with(name));
        if is_poll { "polls" } else { "waits" }
    }

    /// A communicator, window or file as reports call it.
    pub(super) fn name_of(&self, context: ContextId) -> String {
        let context = &self.program.contexts[context as usize];
        match context.thing {
            None => comm_name(context.comm),
            Some(Thing::Window(number)) => value_text(Kind::Win, &traces::Value::Int(number)),
            Some(thing @ Thing::File(number)) => {
                let name = self.lifted.shared.name(thing).map(|name| format!(" ({name})")).unwrap_or_default();
                value_text(Kind::File, &traces::Value::Int(number)) + &name
            }
        }
    }

    /// ` on win-3f2a`; nothing for MPI_COMM_WORLD.
    pub(super) fn on(&self, context: ContextId) -> String {
        let plan = &self.program.contexts[context as usize];
        if plan.thing.is_none() { on_comm(plan.comm) } else { format!(" on {}", self.name_of(context)) }
    }

    /// The rank in MPI_COMM_WORLD of a call's process.
    pub(super) fn rank(&self, place: Place) -> u32 {
        self.program.lanes[place.lane as usize].rank
    }

    /// `rank 2` for the destination of a send.
    pub(super) fn destination(&self, send: SendId) -> Option<u32> {
        match self.program.sends[send as usize].to {
            Peer::Channel(channel) => Some(self.program.mailboxes[self.mailbox_of(channel)].rank),
            _ => None,
        }
    }

    /// The rank in MPI_COMM_WORLD that a receive waits for; None for any.
    pub(super) fn source(&self, receive: ReceiveId) -> Option<u32> {
        match self.program.receives[receive as usize].from {
            Peer::Channel(channel) => Some(self.program.channels[channel as usize].source),
            _ => None,
        }
    }

    fn mailbox_of(&self, channel: u32) -> usize {
        self.program.channels[channel as usize].mailbox as usize
    }

    /// The communicator of a send.
    pub(super) fn comm_of_send(&self, send: SendId) -> i64 {
        match self.program.sends[send as usize].to {
            Peer::Channel(channel) => self.comm_of_mailbox(self.mailbox_of(channel)),
            Peer::Any(mailbox) => self.comm_of_mailbox(mailbox as usize),
            Peer::Nobody => constant::COMM_NULL,
        }
    }

    /// The communicator of a receive.
    pub(super) fn comm_of_receive(&self, receive: ReceiveId) -> i64 {
        match self.program.receives[receive as usize].from {
            Peer::Channel(channel) => self.comm_of_mailbox(self.mailbox_of(channel)),
            Peer::Any(mailbox) => self.comm_of_mailbox(mailbox as usize),
            Peer::Nobody => constant::COMM_NULL,
        }
    }

    fn comm_of_mailbox(&self, mailbox: usize) -> i64 {
        self.program.contexts[self.program.mailboxes[mailbox].context as usize].comm
    }

    /// `rank 2`; in another communicator than MPI_COMM_WORLD, as `viewer` sees it, `rank 1 of comm-3f2a, which is rank 2 of MPI_COMM_WORLD`.
    pub(super) fn peer(&self, rank: u32, comm: i64, viewer: u32) -> String {
        if comm == constant::COMM_WORLD {
            return format!("rank {rank}");
        }
        let view = self.lifted.communicators.view(comm, viewer);
        match view.and_then(|view| view.peers.position(rank)) {
            // Where there are several worlds, ranks are counted through.
            Some(at) if self.program.worlds.len() > 1 => format!("rank {at} of {}, which is rank {rank}", comm_name(comm)),
            Some(at) => format!("rank {at} of {}, which is rank {rank} of MPI_COMM_WORLD", comm_name(comm)),
            None => format!("rank {rank}{}", on_comm(comm)),
        }
    }

    /// `4 bytes with tag 7 to rank 2`.
    pub(super) fn send_text(&self, send: SendId, place: Place) -> String {
        let plan = &self.program.sends[send as usize];
        let bytes = plan.content.bytes.map_or("a message".into(), |bytes| count(bytes, "byte"));
        let peer = |rank| self.peer(rank, self.comm_of_send(send), self.rank(place));
        let to = self.destination(send).map_or("nobody".into(), peer);
        format!("{bytes} with tag {} to {to}", plan.tag)
    }

    /// `a message with tag 7 from rank 1`.
    pub(super) fn receive_text(&self, receive: ReceiveId, place: Place) -> String {
        let plan = &self.program.receives[receive as usize];
        let comm = self.comm_of_receive(receive);
        let tag = plan.tag.map_or("any tag".into(), |tag| format!("tag {tag}"));
        let any = || format!("any rank{}", on_comm(comm));
        let from = self.source(receive).map_or_else(any, |rank| self.peer(rank, comm, self.rank(place)));
        format!("a message with {tag} from {from}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_folded() {
        let text = |list: &[u32]| ranks(list);
        assert_eq!(text(&[3]), "rank 3");
        assert_eq!(text(&[0, 1]), "ranks 0 and 1");
        assert_eq!(text(&[0, 1, 2]), "ranks 0-2");
        assert_eq!(text(&[0, 1, 2, 5, 7, 8]), "ranks 0-2, 5, 7 and 8");
    }
}
