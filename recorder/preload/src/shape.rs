//! What the recorder has to know of a function to record its calls, worked out once: how each argument is read, which buffers it has,
//! what becomes of its requests and communicators.
//!
//! Most of it follows from the table's kinds. What does not is said here, by the names of functions.

use std::sync::OnceLock;

use traces::buffers::{self, Places};
use traces::{Class, Direction, Function, Kind, Length};

use crate::arguments::is_handle;
use crate::requests::Operation;

/// How a function's calls are recorded.
#[derive(Debug)]
pub struct Shape {
    /// Which function.
    pub function: Function,
    /// Its parameters.
    pub parameters: Vec<Step>,
    /// The position of its communicator argument.
    pub comm: Option<usize>,
    /// The position of its root.
    pub root: Option<usize>,
    /// The position of what says that a poll found nothing: `flag`, or `outcount` of the Testsome family.
    pub found: Option<usize>,
    /// What it sends, before it returns or through its request.
    pub sends: Option<Places>,
    /// What it receives, before it returns or through its request.
    pub receives: Option<Places>,
    /// Whether what it sent is gone when it returns.
    pub replaces: bool,
    /// The position of the request, or requests, that it starts, completes, or looks at.
    pub names: Option<usize>,
    /// Whether it has a request, named or made.
    pub has_request: bool,
    /// What it does to requests.
    pub role: Role,
    /// The positions of its statuses.
    pub statuses: Option<usize>,
    /// How it makes a communicator.
    pub makes: Option<Making>,
    /// Whether all that it is told is passed by value, or are requests, so that equal words and requests make equal calls.
    pub by_value: bool,
    /// The positions of what it returns beside its error code.
    pub results: Vec<usize>,
    /// Whether it takes away the handle that it is given.
    pub frees: bool,
    /// Whether it is recorded even where MPI_Pcontrol has switched the recording off: what it makes or frees is named by later calls.
    pub is_kept: bool,
}

/// One parameter, with what its recording needs.
#[derive(Debug)]
pub struct Step {
    /// What it is.
    pub kind: Kind,
    /// Who writes it.
    pub direction: Direction,
    /// How many elements it has.
    pub length: Length,
    /// Significant on every rank, whatever the other arguments are.
    pub always: bool,
    /// Significant at the root only.
    pub root_only: bool,
    /// The position of the buffer that makes this argument meaningless if it is MPI_IN_PLACE.
    pub in_place: Option<usize>,
}

/// What a function does to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    None,
    /// Makes one; whether it persists.
    Makes(Operation, bool),
    /// Starts persistent ones.
    Starts,
    /// Completes all, if its flag says so.
    CompletesAll,
    /// Completes the one that `index` says, at this position.
    CompletesAny(usize),
    /// Completes those that `outcount` and `array_of_indices` say, at these positions.
    CompletesSome(usize, usize),
    /// Looks at their state, and changes nothing.
    Looks,
    /// Frees one.
    Frees,
    /// None; but what it receives is there only when another call completes it.
    Fetches,
    /// None; it completes what was fetched, from the rank at this position only if there is one.
    CompletesFetches(Option<usize>),
}

/// How a communicator comes to be, which decides how its number is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// By all members of the parent.
    ByParent,
    /// By all members of the parent, later: the group is the parent's.
    ByParentLater,
    /// By the members of a group only (MPI_Comm_create_group).
    ByGroup,
    /// By two groups that know each other's leader (MPI_Intercomm_create).
    ByLeaders,
    /// In another way, which other members cannot be known to share.
    Otherwise,
}

/// The shape of a function. It is worked out when it is asked for first.
#[inline]
pub fn of(function: Function) -> &'static Shape {
    static SHAPES: OnceLock<Vec<OnceLock<Shape>>> = OnceLock::new();
    let shapes = SHAPES.get_or_init(|| Function::all().map(|_| OnceLock::new()).collect());
    shapes[usize::from(function.0)].get_or_init(|| Shape::new(function))
}

impl Shape {
    /// Whether it tells nothing beside its error code, and leaves requests and handles as they are.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.results.is_empty() && self.role == Role::None && !self.frees
    }

    /// Whether it sends, or begins to send, when it is called.
    #[inline]
    pub fn sends_now(&self) -> bool {
        self.sends.is_some() && matches!(self.role, Role::None | Role::Makes(_, false) | Role::Fetches)
    }

    fn new(function: Function) -> Shape {
        let own = function.parameters();
        let bare = function.small().name().trim_start_matches("MPI_");
        let (sends, receives) = buffers::of(function);
        let request = own.iter().position(|p| p.kind == Kind::Request);
        let frees =
            bare.ends_with("_free") || matches!(bare, "Comm_disconnect" | "File_close" | "Session_finalize" | "Mrecv" | "Imrecv");
        let is_object = |kind| is_handle(kind) && !matches!(kind, Kind::Request | Kind::Message) || kind == Kind::Keyval;
        let makes_object = own.iter().any(|p| p.direction == Direction::Out && is_object(p.kind));
        let is_out = |kind: Kind| own.iter().position(|p| p.kind == kind && p.direction != Direction::In);
        Shape {
            function,
            parameters: own.iter().map(|p| Step::new(function, p)).collect(),
            comm: own.iter().position(|p| p.kind == Kind::Comm && p.direction == Direction::In),
            root: function.parameter("root"),
            found: if matches!(function.class(), Class::Completion | Class::Probe) && !bare.starts_with("Wait")
                || bare == "Win_test"
            {
                function.parameter("flag").or_else(|| function.parameter("outcount"))
            } else {
                None
            },
            sends,
            receives,
            replaces: buffers::replaces(function),
            names: request.filter(|&at| own[at].direction != Direction::Out),
            has_request: request.is_some(),
            role: role(function, bare, sends.is_some(), receives.is_some()),
            statuses: is_out(Kind::Status),
            makes: is_out(Kind::Comm).and_then(|_| making(bare)),
            by_value: own.iter().all(is_by_value),
            results: (0..own.len()).filter(|&i| own[i].direction != Direction::In && own[i].kind != Kind::Buffer).collect(),
            frees,
            is_kept: frees
                || makes_object
                || bare.ends_with("_init")
                || matches!(bare, "Init" | "Init_thread" | "Session_init" | "Finalize" | "Abort" | "Pcontrol"),
        }
    }
}

impl Step {
    fn new(function: Function, p: &traces::Parameter) -> Step {
        let side = |side: &str| {
            let own = p.name.starts_with(side) || p.name.starts_with(&side[..1]) && p.name[1..].starts_with("displs");
            let is_buffer = p.kind == Kind::Buffer;
            if own && !is_buffer && function.class() == Class::Collective {
                function.parameter(&format!("{side}buf"))
            } else {
                None
            }
        };
        let in_place = side("send").or_else(|| side("recv"));
        Step {
            always: !p.root_only && in_place.is_none(),
            kind: p.kind,
            direction: p.direction,
            length: p.length,
            root_only: p.root_only,
            in_place,
        }
    }
}

fn is_by_value(p: &traces::Parameter) -> bool {
    match p.direction {
        _ if p.kind == Kind::Request => true,
        Direction::Out => true,
        Direction::InOut => false,
        Direction::In => p.length == Length::Scalar && !matches!(p.kind, Kind::String | Kind::Status | Kind::Message),
    }
}

fn role(function: Function, bare: &str, sends: bool, receives: bool) -> Role {
    let at = |name: &str| function.parameter(name).unwrap_or(usize::MAX);
    match bare {
        "Start" | "Startall" => Role::Starts,
        "Wait" | "Waitall" | "Test" | "Testall" => Role::CompletesAll,
        "Waitany" | "Testany" => Role::CompletesAny(at("index")),
        "Waitsome" | "Testsome" => Role::CompletesSome(at("outcount"), at("array_of_indices")),
        "Request_free" => Role::Frees,
        _ if buffers::completes_fetches(function) => Role::CompletesFetches(function.parameter("rank")),
        _ if receives && buffers::fetches_later(function) => Role::Fetches,
        _ => {
            let request = function.parameters().iter().find(|p| p.kind == Kind::Request);
            match request {
                None => Role::None,
                Some(p) if p.direction != Direction::Out => Role::Looks,
                Some(_) => {
                    let operation = match (function.class(), sends, receives) {
                        (Class::PointToPoint | Class::Partitioned, _, true) => Operation::Receive,
                        (Class::PointToPoint, true, false) => Operation::Send,
                        (Class::Collective | Class::OneSided | Class::Io, _, true) => Operation::Fetch,
                        _ => Operation::Other,
                    };
                    Role::Makes(operation, bare.ends_with("_init"))
                }
            }
        }
    }
}

fn making(bare: &str) -> Option<Making> {
    Some(match bare {
        "Comm_idup" | "Comm_idup_with_info" => Making::ByParentLater,
        "Comm_create_group" => Making::ByGroup,
        "Intercomm_create" => Making::ByLeaders,
        "Comm_dup"
        | "Comm_dup_with_info"
        | "Comm_create"
        | "Comm_split"
        | "Comm_split_type"
        | "Intercomm_merge"
        | "Cart_create"
        | "Cart_sub"
        | "Graph_create"
        | "Dist_graph_create"
        | "Dist_graph_create_adjacent" => Making::ByParent,
        "Comm_accept"
        | "Comm_connect"
        | "Comm_spawn"
        | "Comm_spawn_multiple"
        | "Comm_join"
        | "Comm_create_from_group"
        | "Intercomm_create_from_groups" => Making::Otherwise,
        _ => return None,
    })
}
