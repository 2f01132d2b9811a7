//! What virtual ranks do: a trace with its handles resolved, ready for the machine.
//!
//! All thinking about arguments is done when a program is made (`lift`), once for each distinct call. What is left is small: an
//! operation a distinct call, and a list of operation numbers a lane. Nothing here knows how messages are matched.

use rustc_hash::FxHashMap;

use crate::layout::{Content, Layouts};

/// The number of an [`Op`] in [`Program::ops`].
pub type OpId = u32;
/// The number of a [`Send`] in [`Program::sends`].
pub type SendId = u32;
/// The number of a [`Receive`] in [`Program::receives`].
pub type ReceiveId = u32;
/// The number of a [`Collective`] in [`Program::collectives`].
pub type CollectiveId = u32;
/// The number of a [`Channel`] in [`Program::channels`].
pub type ChannelId = u32;
/// The number of a [`Mailbox`] in [`Program::mailboxes`].
pub type MailboxId = u32;
/// The number of a [`Sync`] in [`Program::syncs`].
pub type SyncId = u32;
/// The number of a [`Context`] in [`Program::contexts`].
pub type ContextId = u32;
/// A place in the request table of a process: the request's number less the first that a program can make.
pub type Slot = u32;

/// A program a lane, and the tables that they share.
#[derive(Debug, Default)]
pub struct Program {
    /// The lanes, in the order of the trace.
    pub lanes: Vec<Lane>,
    /// Every distinct operation.
    pub ops: Vec<Op>,
    /// Every distinct send.
    pub sends: Vec<Send>,
    /// Every distinct receive.
    pub receives: Vec<Receive>,
    /// Every distinct part in a collective.
    pub collectives: Vec<Collective>,
    /// Every distinct way to wait for others on a window but by a collective.
    pub syncs: Vec<Sync>,
    /// The windows of which it is not known who waits for whom but by collectives.
    pub unclear: Vec<ContextId>,
    /// The arrays of requests that operations refer to.
    pub completions: Vec<Completion>,
    /// The groups of ranks that communicate collectively.
    pub contexts: Vec<Context>,
    /// Who sends to whom.
    pub channels: Vec<Channel>,
    /// Where messages arrive.
    pub mailboxes: Vec<Mailbox>,
    /// What messages are made of.
    pub layouts: Layouts,
    /// The ranks of MPI_COMM_WORLD.
    pub world_size: u32,
    /// For each rank with several lanes: the lanes in the order that they made their calls, a number a call.
    pub turns: FxHashMap<u32, Vec<u32>>,
    /// What could not be understood.
    pub caveats: Vec<String>,
}

impl Program {
    /// Whether several threads of a rank called MPI.
    #[must_use]
    pub fn has_threads(&self, rank: u32) -> bool {
        self.turns.contains_key(&rank)
    }
}

/// What one thread does.
#[derive(Debug, Default)]
pub struct Lane {
    /// Its rank in MPI_COMM_WORLD.
    pub rank: u32,
    /// One operation an event.
    pub steps: Vec<OpId>,
    /// What its wildcard receives matched in the recorded run, in the order that they are posted.
    pub pins: Vec<Option<Pin>>,
    /// The receives and sends that ended by being cancelled, as numbers of posts of requests, in order.
    pub cancelled: Vec<u64>,
    /// What is known of its end.
    pub end: End,
    /// Whether its last call never returned, or is a poll that was repeated until the recording ended.
    pub in_flight: bool,
    /// Whether its thread has come to its end.
    pub has_ended: bool,
}

/// What comes after the recorded calls of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// Nothing is known: the process was killed, crashed, or the recording is cut.
    #[default]
    Unknown,
    /// Nothing: the process came to the end of MPI.
    Finalized,
    /// Nothing: the process called MPI_Abort.
    Aborted,
}

/// What a wildcard receive matched in the recorded run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The channel that the message came on.
    pub channel: ChannelId,
    /// Its tag.
    pub tag: i64,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Nothing that another rank can see.
    Local,
    /// Something that is not modelled and never returned: nobody knows what it waits for.
    Opaque,
    /// Sends, receives, or both at once.
    Transfer {
        /// What it sends.
        send: Option<SendId>,
        /// What it receives.
        receive: Option<ReceiveId>,
        /// How it completes.
        then: Then,
    },
    /// Waits until a message could be received.
    Probe {
        /// The receive that would take it.
        receive: ReceiveId,
        /// The message handle that takes it now (MPI_Mprobe).
        take: Option<i64>,
        /// Whether a program would go on with other things if it were not there (MPI_Iprobe).
        poll: bool,
    },
    /// Receives a message that MPI_Mprobe took.
    Deliver {
        /// The message handle.
        message: i64,
        /// The receive.
        receive: ReceiveId,
        /// How it completes.
        then: Then,
    },
    /// Takes part in a collective.
    Collective {
        /// Which part in which.
        collective: CollectiveId,
        /// How it completes.
        then: Then,
    },
    /// Waits for others on a window, or lets them go on.
    Sync {
        /// How.
        sync: SyncId,
    },
    /// Makes a request of a kind that is not modelled: it completes at once.
    Request {
        /// Where.
        slot: Slot,
    },
    /// Starts persistent requests.
    Start {
        /// Which, in [`Program::completions`].
        requests: Span,
        /// Whether the call returned an error, and so started nothing.
        has_failed: bool,
    },
    /// Completes requests.
    Complete {
        /// Those that it completes, in [`Program::completions`].
        requests: Span,
        /// All that it was given: other ones than those above may complete under another schedule.
        given: Span,
        /// What is enough for it to return.
        until: Until,
        /// Whether the requests live on (MPI_Request_get_status).
        keep: bool,
        /// Whether a program would go on with other things if they were not complete (MPI_Test).
        poll: bool,
    },
    /// Lets go of requests, of which nobody knows whether they are complete, because the call returned an error.
    GiveUp {
        /// Which, in [`Program::completions`].
        requests: Span,
    },
    /// Lets go of all requests of the process: some of them are complete, and which ones the trace does not keep.
    GiveUpAll,
    /// Frees a request.
    Free {
        /// Which.
        slot: Slot,
    },
    /// Asks for an operation to be cancelled. Whether it was, the completion says.
    Cancel {
        /// Its request.
        slot: Slot,
    },
    /// Comes to the end of MPI.
    Finalize,
    /// Ends the run.
    Abort,
}

/// How a communication completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The call returns when it is done.
    Return,
    /// By a request.
    Request(Slot),
    /// By a persistent request, which this call makes and another one starts.
    Persistent(Slot),
}

/// When a completion call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When all its requests are complete.
    All,
    /// When one is.
    Any,
}

/// A part of [`Program::completions`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub at: u32,
    /// How long it is.
    pub len: u32,
}

impl Span {
    /// As a range of indices.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.at as usize..(self.at + self.len) as usize
    }
}

/// A request that a call completes or starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Where it is.
    pub slot: Slot,
    /// Whether its status says that it was cancelled.
    pub cancelled: bool,
}

/// Whom a message goes to or comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A rank.
    Channel(ChannelId),
    /// Whoever sends (MPI_ANY_SOURCE).
    Any(MailboxId),
    /// Nobody: MPI_PROC_NULL, or a process whose calls are not in the trace. It completes at once.
    Nobody,
}

/// When a send may return before its message is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When the library buffers it.
    Standard,
    /// Always (MPI_Bsend).
    Buffered,
    /// Never (MPI_Ssend).
    Synchronous,
}

/// A message to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Send {
    /// To whom.
    pub to: Peer,
    /// With which tag.
    pub tag: i64,
    /// What it carries.
    pub content: Content,
    /// How.
    pub mode: Mode,
}

/// A message to be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receive {
    /// From whom.
    pub from: Peer,
    /// With which tag; None is MPI_ANY_TAG.
    pub tag: Option<i64>,
    /// What it has room for.
    pub content: Content,
    /// Whether its call returned an error: it took its message if that was too long for it, and perhaps none at all.
    pub has_failed: bool,
}

impl Receive {
    /// Whether it takes a message of this tag.
    #[must_use]
    pub fn takes(&self, tag: i64) -> bool {
        self.tag.is_none_or(|own| own == tag)
    }

    /// Whether the standard leaves open which message it takes.
    #[must_use]
    pub fn is_wild(&self) -> bool {
        matches!(self.from, Peer::Any(_))
    }
}

/// The way of messages from one rank to another in one communicator, which keeps them in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channel {
    /// Where it ends.
    pub mailbox: MailboxId,
    /// Who sends, as a rank of MPI_COMM_WORLD.
    pub source: u32,
}

/// Where one rank receives in one communicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// The communicator.
    pub context: ContextId,
    /// The rank in MPI_COMM_WORLD.
    pub rank: u32,
}

/// A part in the synchronisation of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// The window, by where its collectives go.
    pub window: ContextId,
    /// What it does.
    pub kind: SyncKind,
    /// With whom, as ranks of MPI_COMM_WORLD. MPI_Win_complete and MPI_Win_wait do not say: whoever the epoch was begun with.
    pub ranks: Vec<u32>,
}

/// What a call does on a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncKind {
    /// Lets these ranks access its memory.
    Post,
    /// Begins to access the memory of these ranks, which may have to wait until they let it.
    Start,
    /// Ends that.
    Complete,
    /// Waits until all have ended that.
    Wait {
        /// Whether a program would go on with other things if they had not (MPI_Win_test).
        poll: bool,
    },
    /// Asks for a lock on the memory of these ranks.
    Lock {
        /// Whether nobody else may have one.
        exclusive: bool,
    },
    /// Gives it back.
    Unlock,
    /// Needs the memory of these ranks, and the lock if it has asked for one.
    Access,
}

/// Something that has an order of collective calls of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// A window, by its number in the trace.
    Window(i64),
    /// A file.
    File(i64),
}

impl Thing {
    /// The window or the file of this number.
    #[must_use]
    pub fn of(kind: traces::Kind, number: i64) -> Thing {
        if kind == traces::Kind::Win { Thing::Window(number) } else { Thing::File(number) }
    }
}

/// Ranks that communicate with each other and nobody else: a communicator, or a window or a file of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Its communicator's number in the trace.
    pub comm: i64,
    /// The window or the file; None if it is the communicator itself.
    pub thing: Option<Thing>,
    /// Every rank that takes part in its collectives, in MPI_COMM_WORLD: both groups of an intercommunicator.
    pub members: Vec<u32>,
    /// Whether it has two groups.
    pub is_inter: bool,
}

/// One rank's part in a collective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collective {
    /// Among whom.
    pub context: ContextId,
    /// The place of this rank in [`Context::members`].
    pub member: u32,
    /// The function, without large counts: all members must call the same.
    pub function: traces::Function,
    /// Whom it has to wait for.
    pub flow: Flow,
    /// About how much this rank sends to or receives from each other one.
    pub bytes: u64,
}

/// Whose data a member of a collective needs before it can return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Everyone's.
    All,
    /// That of this member.
    Root(u32),
    /// That of all members before it.
    Before,
    /// Nobody's.
    Nobody,
}
