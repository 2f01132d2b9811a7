//! An independent model of MPI: states, and every step that can come next. Slow and plain on purpose.
//!
//! What can only be done one way is done at once. What is left to choose is which message a receive takes.

use std::collections::{BTreeMap, HashSet};

use super::program::{COMMUNICATORS, Program, Step};

/// What a library does.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// Sends of at most so many bytes return at once; None: none do.
    pub eager: Option<i64>,
    /// Whether collectives wait for everybody.
    pub is_strict: bool,
    /// Whether each send and each member of a collective may as well wait for the other side.
    pub is_free: bool,
}

pub const GENEROUS: Library = Library { eager: Some(i64::MAX), is_strict: false, is_free: false };
pub const UNBUFFERED: Library = Library { eager: None, is_strict: false, is_free: false };
pub const STRICT: Library = Library { eager: None, is_strict: true, is_free: false };
/// One that buffers everything, and whose collectives wait for everybody.
pub const SYNCHRONISING: Library = Library { eager: Some(i64::MAX), is_strict: true, is_free: false };
/// One that buffers what it likes, and whose collectives wait only for the data that they need.
pub const UNSURE: Library = Library { eager: None, is_strict: false, is_free: true };
/// All that a library may do: nothing is sure but what the standard demands, and what it allows may happen.
pub const FREE: Library = Library { eager: None, is_strict: true, is_free: true };

/// A message or a receive: the rank and the step that posted it.
type Post = (usize, usize);

/// A program in execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// How many steps of each rank have returned.
    pub returned: Vec<usize>,
    /// Whether the next step of each rank is posted.
    is_in: Vec<bool>,
    /// How many collectives each rank has come to, on each communicator.
    collectives: Vec<[usize; COMMUNICATORS]>,
    /// Messages that nobody has taken, in the order that they were sent.
    messages: Vec<Post>,
    /// Receives that have no message, in the order that they were posted.
    receives: Vec<Post>,
    /// Who took what: receive and message.
    taken: BTreeMap<Post, Post>,
}

/// A finished run, as a recorder sees it.
pub struct Run {
    /// How many steps of each rank returned.
    pub returned: Vec<usize>,
    /// By receive: source, tag, bytes and the step of the message.
    pub taken: BTreeMap<Post, (usize, i64, i64, usize)>,
    /// By rank and request: the step that made it.
    pub posted: BTreeMap<(usize, usize), usize>,
    /// The messages that nobody took.
    pub left: Vec<Post>,
}

pub struct Model<'p> {
    program: &'p Program,
    library: Library,
}

impl<'p> Model<'p> {
    pub fn new(program: &'p Program, library: Library) -> Model<'p> {
        Model { program, library }
    }

    fn begin(&self) -> State {
        let ranks = self.program.len();
        State {
            returned: vec![0; ranks],
            is_in: vec![false; ranks],
            collectives: vec![[0; COMMUNICATORS]; ranks],
            messages: Vec::new(),
            receives: Vec::new(),
            taken: BTreeMap::new(),
        }
    }

    /// Does all that leaves no choice.
    fn settle(&self, state: &mut State) {
        while (0..self.program.len()).any(|rank| self.step(state, rank)) {}
    }

    /// Lets a rank post its next step, or return from it. Gives whether it did.
    fn step(&self, state: &mut State, rank: usize) -> bool {
        let at = state.returned[rank];
        let Some(step) = self.program[rank].get(at) else { return false };
        if !state.is_in[rank] {
            state.is_in[rank] = true;
            match step {
                Step::Send { .. } => state.messages.push((rank, at)),
                Step::Recv { .. } => state.receives.push((rank, at)),
                Step::Collective(what) => state.collectives[rank][what.communicator()] += 1,
                Step::Wait(_) => {}
            }
            return true;
        }
        let may_return = self.may_return(state, rank, self.library);
        if may_return {
            state.returned[rank] += 1;
            state.is_in[rank] = false;
        }
        may_return
    }

    /// Whether the call that a rank is in may return.
    fn may_return(&self, state: &State, rank: usize, library: Library) -> bool {
        let at = state.returned[rank];
        if !state.is_in[rank] {
            return false;
        }
        match &self.program[rank][at] {
            Step::Send { request: Some(_), .. } | Step::Recv { request: Some(_), .. } => true,
            Step::Send { .. } => self.is_sent(state, (rank, at), library),
            Step::Recv { .. } => state.taken.contains_key(&(rank, at)),
            Step::Wait(requests) => requests.iter().all(|r| self.is_complete(state, rank, *r, library)),
            Step::Collective(what) => {
                let (comm, ranks) = (what.communicator(), self.program.len());
                let has_come = |other: usize| state.collectives[other][comm] >= state.collectives[rank][comm];
                (0..ranks).filter(|other| library.is_strict || what.needs(rank, *other, ranks)).all(has_come)
            }
        }
    }

    /// The ranks that a free library may let go though it need not.
    fn early(&self, state: &State) -> Vec<usize> {
        if !self.library.is_free {
            return Vec::new();
        }
        (0..self.program.len()).filter(|rank| self.may_return(state, *rank, GENEROUS)).collect()
    }

    fn is_sent(&self, state: &State, post: Post, library: Library) -> bool {
        let Step::Send { bytes, is_synchronous, .. } = self.program[post.0][post.1] else { return false };
        let is_eager = !is_synchronous && library.eager.is_some_and(|limit| bytes <= limit);
        is_eager || state.taken.values().any(|taken| *taken == post)
    }

    fn is_complete(&self, state: &State, rank: usize, request: usize, library: Library) -> bool {
        let at = self.posted(rank, request);
        match self.program[rank][at] {
            Step::Send { .. } => self.is_sent(state, (rank, at), library),
            _ => state.taken.contains_key(&(rank, at)),
        }
    }

    /// The step that made a request.
    fn posted(&self, rank: usize, wanted: usize) -> usize {
        let makes = |step: &Step| match step {
            Step::Send { request, .. } | Step::Recv { request, .. } => *request == Some(wanted),
            _ => false,
        };
        self.program[rank].iter().position(makes).unwrap()
    }

    fn fits(&self, message: Post, receive: Post) -> bool {
        let Step::Send { to, tag, .. } = &self.program[message.0][message.1] else { return false };
        let Step::Recv { from, tag: wanted, .. } = &self.program[receive.0][receive.1] else { return false };
        *to == receive.0 && from.is_none_or(|from| from == message.0) && wanted.is_none_or(|wanted| wanted == *tag)
    }

    /// Every receive and message that may match next.
    fn choices(&self, state: &State) -> Vec<(Post, Post)> {
        let mut list = Vec::new();
        for receive in &state.receives {
            for message in state.messages.iter().filter(|m| self.fits(**m, *receive)) {
                let overtakes = state.messages.iter().any(|m| m.0 == message.0 && m.1 < message.1 && self.fits(*m, *receive));
                let is_late = state.receives.iter().any(|r| r.0 == receive.0 && r.1 < receive.1 && self.fits(*message, *r));
                if !overtakes && !is_late {
                    list.push((*receive, *message));
                }
            }
        }
        list
    }

    fn take(&self, state: &mut State, (receive, message): (Post, Post)) {
        state.receives.retain(|r| *r != receive);
        state.messages.retain(|m| *m != message);
        state.taken.insert(receive, message);
        self.settle(state);
    }

    /// One run, with `choose` to pick among so many possibilities.
    pub fn run(&self, mut choose: impl FnMut(usize) -> usize) -> Run {
        let mut state = self.begin();
        self.settle(&mut state);
        loop {
            let choices = self.choices(&state);
            if choices.is_empty() {
                return self.recorded(state);
            }
            let choice = choices[choose(choices.len()) % choices.len()];
            self.take(&mut state, choice);
        }
    }

    fn recorded(&self, state: State) -> Run {
        let of = |message: &Post| {
            let Step::Send { tag, bytes, .. } = self.program[message.0][message.1] else { unreachable!("a message is sent") };
            (message.0, tag, bytes, message.1)
        };
        let mut posted = BTreeMap::new();
        for (rank, steps) in self.program.iter().enumerate() {
            for (at, step) in steps.iter().enumerate() {
                if let Step::Send { request: Some(r), .. } | Step::Recv { request: Some(r), .. } = step {
                    posted.insert((rank, *r), at);
                }
            }
        }
        Run {
            taken: state.taken.iter().map(|(receive, message)| (*receive, of(message))).collect(),
            left: state.messages,
            returned: state.returned,
            posted,
        }
    }

    /// Whether some run leaves a rank waiting for ever.
    pub fn can_get_stuck(&self) -> bool {
        let mut start = self.begin();
        self.settle(&mut start);
        let mut seen = HashSet::from([start.clone()]);
        let mut todo = vec![start];
        while let Some(state) = todo.pop() {
            let choices = self.choices(&state);
            if choices.is_empty() && !self.is_over(&state.returned) {
                return true;
            }
            let taken = choices.into_iter().map(|choice| {
                let mut next = state.clone();
                self.take(&mut next, choice);
                next
            });
            let gone = self.early(&state).into_iter().map(|rank| {
                let mut next = state.clone();
                next.returned[rank] += 1;
                next.is_in[rank] = false;
                self.settle(&mut next);
                next
            });
            for next in taken.chain(gone) {
                if seen.insert(next.clone()) {
                    todo.push(next);
                }
            }
        }
        false
    }

    /// Whether every rank made all its steps.
    pub fn is_over(&self, returned: &[usize]) -> bool {
        returned.iter().zip(self.program).all(|(made, steps)| *made == steps.len())
    }
}
