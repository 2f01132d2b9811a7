//! What a call returned: the values of the trace, the handles that came and went, the digests of what was sent and received.
//!
//! Nothing is read that the standard leaves undefined: results only on success, statuses only of receives and of matched probes.

use traces::constant::UNDEFINED;
use traces::{Direction, Kind, Length, Status, mpi};

use crate::abi::{Abi, abi};
use crate::arguments::{Arguments, Words, is_handle};
use crate::handles::{self, Handles};
use crate::payload::{self, Payload};
use crate::requests::{Operation, Request, Requests};
use crate::shape::{Making, Role, Shape, Step};
use crate::{handles::UNKNOWN, real};

/// The results of the call at hand.
#[derive(Debug, Default)]
pub struct Results {
    /// The values.
    pub words: Words,
    /// The digests.
    pub digests: Vec<u64>,
    /// The position in the call's array of each request that completed; of a call without requests, 0.
    completed: Vec<usize>,
    /// What was sent and received, with the bytes of it where a status tells them.
    payloads: Vec<(Payload, Option<u64>)>,
    /// Memory for statuses that the program did not ask for.
    statuses: Vec<u64>,
}

/// How digests are taken.
#[derive(Clone, Copy, Debug)]
pub struct Digests {
    /// Of messages of at most so many bytes; 0 is never.
    pub limit: u64,
    /// The present, in ticks.
    pub now: u64,
}

impl Results {
    /// Memory for `count` statuses of `bytes` each: the program passed MPI_STATUS_IGNORE, and the source of a message is needed.
    #[inline]
    pub fn room_for_statuses(&mut self, count: usize, bytes: usize) -> usize {
        let words = (count * bytes).div_ceil(8);
        if self.statuses.len() < words {
            self.statuses.resize(words, 0);
        }
        self.statuses.as_mut_ptr() as usize
    }

    /// Reads what came back, and keeps the tables of handles true. Returns whether the call was a poll that found nothing.
    ///
    /// # Safety
    /// The arguments are those that the function of this shape was called with, and it has returned `code`.
    pub unsafe fn read(&mut self, shape: &Shape, a: &[usize], code: i32, arguments: &Arguments, digests: Digests) -> bool {
        self.words.begin([1 << 61 | u64::from(shape.function.0), code as u32 as u64]);
        self.digests.clear();
        self.payloads.clear();
        let reader = Reader { abi: abi(), shape, a, ok: code == 0, arguments };
        let nothing = reader.found_nothing();
        let has_digests = reader.ok && !nothing && digests.limit > 0;
        // Most calls leave the handles as they are.
        if shape.is_plain() {
            self.words.nil_until(shape.parameters.len());
            if has_digests {
                reader.own_payloads(&mut self.payloads);
            }
        } else {
            self.take_results(&reader, nothing, has_digests);
        }
        for (payload, bytes) in &self.payloads {
            self.digests.push(payload::digest(payload, *bytes, digests.limit, digests.now));
        }
        nothing
    }

    fn take_results(&mut self, reader: &Reader<'_>, nothing: bool, has_digests: bool) {
        let Reader { shape, a, .. } = *reader;
        self.completed.clear();
        if reader.ok && !nothing {
            reader.completed(&mut self.completed);
        }
        handles::with(|handles| {
            for &at in shape.results.iter().filter(|&&at| reader.ok && a[at] != 0) {
                self.words.nil_until(at);
                reader.result(at, &shape.parameters[at], self, nothing, handles);
            }
            self.words.nil_until(shape.parameters.len());
            if has_digests {
                reader.payloads(&self.completed, &handles.requests, &mut self.payloads);
            }
            if reader.ok {
                reader.retire(&self.completed, handles);
            } else {
                reader.retire_nulled(handles);
            }
        });
    }
}

struct Reader<'a> {
    abi: &'static Abi,
    shape: &'a Shape,
    a: &'a [usize],
    ok: bool,
    arguments: &'a Arguments,
}

impl Reader<'_> {
    /// An int result.
    fn int(&self, at: usize) -> i32 {
        // SAFETY: an out parameter of this kind is the address of an int, and the call succeeded.
        unsafe { (self.a[at] as *const i32).read_unaligned() }
    }

    /// Whether this is a poll whose flag is false or whose count is zero.
    fn found_nothing(&self) -> bool {
        self.ok && self.shape.found.is_some_and(|at| self.int(at) == 0)
    }

    /// The positions of the requests that completed.
    fn completed(&self, into: &mut Vec<usize>) {
        match self.shape.role {
            Role::CompletesAll => into.extend(0..self.arguments.requests.len()),
            Role::CompletesAny(at) => into.extend(usize::try_from(self.int(at)).ok()),
            Role::CompletesSome(count, indices) => {
                let count = usize::try_from(self.int(count)).unwrap_or(0);
                // SAFETY: `outcount` indices were written.
                into.extend((0..count).map(|i| unsafe { (self.a[indices] as *const i32).add(i).read_unaligned() } as usize));
            }
            _ => into.push(0),
        }
    }

    fn result(&self, at: usize, step: &Step, into: &mut Results, nothing: bool, handles: &mut Handles) {
        match step.kind {
            Kind::Status if !nothing && self.a[at] != self.abi.status_ignore => self.statuses(at, into, &handles.requests),
            Kind::Request => self.request(at, into, handles),
            Kind::Comm if step.direction == Direction::Out => self.communicator(at, into, handles),
            Kind::Type if step.direction == Direction::Out && step.length == Length::Scalar => {
                // SAFETY: the library has just given this datatype.
                let handle = unsafe { self.abi.handle_at(Kind::Type, self.a[at], 0) };
                handles::change();
                into.words.int(handles.add_datatype(handle, || measure(handle as usize)));
            }
            Kind::Win | Kind::File if self.shape.comm.is_some() && step.direction == Direction::Out => {
                handles::change();
                into.words.int(self.made_by_all(at, step.kind, handles));
            }
            kind if is_handle(kind) && step.direction == Direction::Out && step.length == Length::Scalar => {
                // SAFETY: as above, of another kind.
                let handle = unsafe { self.abi.handle_at(kind, self.a[at], 0) };
                handles::change();
                into.words.int(handles.objects(kind).add(kind, handle));
            }
            Kind::String if self.is_given(at) => {
                // SAFETY: the library has just written this string, which ends with a zero.
                into.words.text(unsafe { std::ffi::CStr::from_ptr(self.a[at] as *const libc::c_char) }.to_bytes());
            }
            Kind::Attribute if self.is_given(at) => into.words.int(self.attribute(at)),
            // SAFETY: the library has just written an address here.
            Kind::Base => into.words.int(unsafe { (self.a[at] as *const i64).read_unaligned() }),
            Kind::Status | Kind::Pointer | Kind::String | Kind::Attribute => into.words.nil(),
            kind if is_handle(kind) => into.words.nil(),
            kind => self.numbers(at, kind, step.length, into),
        }
    }

    fn numbers(&self, at: usize, kind: Kind, length: Length, into: &mut Results) {
        // SAFETY: out parameters have as many elements as their length says, of the size of their kind.
        let one = |i: usize| unsafe {
            let small = || (self.a[at] as *const i32).add(i).read_unaligned();
            match kind {
                Kind::Long | Kind::Lcount => (self.a[at] as *const i64).add(i).read_unaligned(),
                Kind::Rank => self.abi.rank(small()),
                Kind::Tag => self.abi.tag(small()),
                Kind::Level => self.abi.word(kind, small()),
                Kind::Keyval => self.abi.keyval(small()).0,
                Kind::Amode => self.abi.flags(kind, small()),
                _ => i64::from(small()),
            }
        };
        let is_out = |p: usize| self.shape.parameters[p].direction != Direction::In;
        match length {
            Length::Scalar => into.words.int(one(0)),
            Length::Parameter(p) => {
                let len = if is_out(p) { self.int(p) } else { self.a[p] as i32 };
                let len = usize::try_from(len).unwrap_or(0);
                into.words.ints(len, (0..len).map(one));
            }
            _ => into.words.nil(),
        }
    }

    /// Whether a string or an attribute has come back: not if `flag` is false, or if it was given no room.
    fn is_given(&self, at: usize) -> bool {
        let function = self.shape.function;
        let is_set = function.parameter("flag").is_none_or(|flag| self.int(flag) != 0);
        let room = ["buflen", "pset_len"].iter().find_map(|name| function.parameter(name));
        let had_room = || room.is_none_or(|room| self.arguments.words.values(false)[room].int().is_some_and(|n| n > 0));
        self.a[at] != 0 && is_set && had_room()
    }

    /// The value of an attribute: of a predefined one what it points to, but for the address of a window.
    fn attribute(&self, at: usize) -> i64 {
        const WIN_BASE: i64 = 601;
        const WIN_SIZE: i64 = 603;
        let key = self.shape.parameters.iter().position(|step| step.kind == Kind::Keyval);
        let (number, is_predefined) = key.map_or((0, false), |key| self.abi.keyval(self.a[key] as i32));
        // SAFETY: the library has just written a pointer here; those of predefined attributes point to an int, or to an MPI_Aint.
        unsafe {
            let value = (self.a[at] as *const usize).read_unaligned();
            match number {
                _ if !is_predefined || number == WIN_BASE => value as i64,
                _ if value == 0 => 0,
                WIN_SIZE => (value as *const i64).read_unaligned(),
                _ => i64::from((value as *const i32).read_unaligned()),
            }
        }
    }

    /// The number of a window or a file, which all members of a communicator have made together.
    fn made_by_all(&self, at: usize, kind: Kind, handles: &mut Handles) -> i64 {
        // SAFETY: the library has just written this handle.
        let handle = unsafe { self.abi.handle_at(kind, self.a[at], 0) };
        if let Some(predefined) = self.abi.predefined(kind, handle) {
            return predefined;
        }
        let parent = self.shape.comm.map_or(0, |c| self.abi.handle(Kind::Comm, self.a[c]));
        match handles.communicators.number_child(parent, kind) {
            Some(number) => handles.objects(kind).add_numbered(handle, number),
            None => handles.objects(kind).add(kind, handle),
        }
    }

    /// A status for each operation that completed; it means something for receives and probes.
    fn statuses(&self, at: usize, into: &mut Results, requests: &Requests) {
        let meaningless = Status { source: UNDEFINED, tag: UNDEFINED, bytes: -1, cancelled: false };
        let Results { words, completed, .. } = into;
        let row = completed.iter().enumerate().map(|(nth, &position)| {
            // SAFETY: the library has filled one status for each completed operation.
            let status = unsafe { self.abi.status_at(self.a[at], nth) };
            match self.operation(position, requests) {
                Operation::Receive => status,
                Operation::Send => Status { cancelled: status.cancelled, ..meaningless },
                Operation::Other => meaningless,
            }
        });
        words.rows(row.map(|s| [s.source, s.tag, s.bytes, i64::from(s.cancelled)]));
    }

    /// What the operation at this position of the requests was. A call without requests is a receive or a probe, if it has a status.
    #[inline]
    fn operation(&self, position: usize, requests: &Requests) -> Operation {
        if self.shape.has_request {
            let named = self.arguments.requests.get(position);
            named.and_then(|named| requests.get(named)).map_or(Operation::Other, |request| request.operation)
        } else {
            Operation::Receive
        }
    }

    fn request(&self, at: usize, into: &mut Results, handles: &mut Handles) {
        let Role::Makes(operation, persistent) = self.shape.role else { return into.words.nil() };
        // SAFETY: the library has just written this request.
        let handle = unsafe { self.abi.handle_at(Kind::Request, self.a[at], 0) };
        let payload = match operation {
            Operation::Receive => self.arguments.received,
            Operation::Send | Operation::Other => self.arguments.sent,
        };
        let request = Request { operation, persistent, payload: payload.unwrap_or_default() };
        into.words.int(handles.requests.add(handle, self.a[at], request));
    }

    fn communicator(&self, at: usize, into: &mut Results, handles: &mut Handles) {
        handles::change();
        let parent = self.shape.comm.map_or(0, |c| self.abi.handle(Kind::Comm, self.a[c]));
        let counted = matches!(self.shape.makes, Some(Making::ByParent | Making::ByParentLater | Making::Otherwise));
        let nth = if counted { handles.communicators.count_child(parent) } else { 0 };
        // SAFETY: the library has just written this communicator.
        let handle = unsafe { self.abi.handle_at(Kind::Comm, self.a[at], 0) };
        let predefined = self.abi.predefined(Kind::Comm, handle);
        match (predefined, self.shape.makes) {
            (Some(number), _) => into.words.int(number),
            (None, None) => into.words.int(handles.communicators.get(handle).map_or(UNKNOWN, |c| c.id)),
            (None, Some(how)) => {
                let tag = self.shape.function.parameter("tag").map_or(0, |t| i64::from(self.a[t] as i32));
                let (id, members) = handles.communicators.add(handle, parent, how, nth, tag, self.shape.function);
                let mut list = vec![id, members.local.len() as i64];
                list.extend(members.local.iter().chain(&members.remote));
                into.words.ints(list.len(), list.into_iter());
            }
        }
    }

    /// Requests that are no more, and other handles that the call took away.
    fn retire(&self, completed: &[usize], handles: &mut Handles) {
        match self.shape.role {
            Role::Frees => self.arguments.requests.iter().for_each(|named| handles.requests.remove(named)),
            Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..) => {
                for named in completed.iter().filter_map(|&position| self.arguments.requests.get(position)) {
                    if handles.requests.get(named).is_some_and(|request| !request.persistent) {
                        handles.requests.remove(named);
                    }
                }
            }
            Role::None | Role::Makes(..) | Role::Starts | Role::Looks => {}
        }
        if self.shape.frees {
            handles::change();
            for &(_, kind, handle) in &self.arguments.freed {
                handles.free(kind, handle);
            }
        }
    }

    /// A completion call that fails may have completed requests all the same, as where the callback of a generalized one, or a message that
    /// is too long, is what failed. Those are null now, and their handles will come again.
    #[cold]
    fn retire_nulled(&self, handles: &mut Handles) {
        let completes =
            matches!(self.shape.role, Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..) | Role::Frees);
        let Some(at) = self.shape.names.filter(|_| completes) else { return };
        for (nth, named) in self.arguments.requests.iter().enumerate().filter(|(_, named)| named.is_known()) {
            // SAFETY: the call named so many requests at this address.
            let handle = unsafe { self.abi.handle_at(Kind::Request, self.a[at], nth) };
            if handle == self.abi.request_null {
                handles.requests.remove(named);
            }
        }
    }

    /// What the call itself has sent and received.
    #[inline]
    fn own_payloads(&self, into: &mut Vec<(Payload, Option<u64>)>) {
        into.extend(self.arguments.sent.map(|sent| (sent, None)));
        into.extend(self.arguments.received.map(|received| (received, self.bytes_of(0))));
    }

    /// What is sent from now on, and what has been received.
    fn payloads(&self, completed: &[usize], requests: &Requests, into: &mut Vec<(Payload, Option<u64>)>) {
        match self.shape.role {
            Role::Starts => {
                let started = self.arguments.requests.iter().filter_map(|named| requests.get(named));
                into.extend(started.filter(|r| r.operation == Operation::Send).map(|r| (r.payload, None)));
            }
            Role::Makes(_, true) | Role::Looks | Role::Frees => {}
            Role::Makes(_, false) => into.extend(self.arguments.sent.map(|sent| (sent, None))),
            Role::None => self.own_payloads(into),
            Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..) => {
                for (nth, &position) in completed.iter().enumerate() {
                    let request = self.arguments.requests.get(position).and_then(|named| requests.get(named));
                    if let Some(request) = request.filter(|r| r.operation == Operation::Receive) {
                        into.push((request.payload, self.bytes_of(nth)));
                    }
                }
            }
        }
    }

    /// The bytes that the `nth` status says were received.
    fn bytes_of(&self, nth: usize) -> Option<u64> {
        let at = self.shape.statuses.filter(|&at| self.a[at] != self.abi.status_ignore)?;
        // SAFETY: the library has filled one status for each completed operation.
        u64::try_from(unsafe { self.abi.status_at(self.a[at], nth) }.bytes).ok()
    }
}

/// The bytes of data in an element of a datatype, and whether elements lie side by side.
fn measure(datatype: usize) -> (u64, bool) {
    let mut size = 0i32;
    let (mut low, mut extent, mut true_low, mut true_extent) = (0isize, 0isize, 0isize, 0isize);
    let address = |word: &mut isize| std::ptr::from_mut(word) as usize;
    // SAFETY: the library has just given this datatype; results are an int and four MPI_Aints.
    let codes = unsafe {
        [
            real::pmpi(mpi::TYPE_SIZE, [datatype, (&raw mut size) as usize]),
            real::pmpi(mpi::TYPE_GET_EXTENT, [datatype, address(&mut low), address(&mut extent)]),
            real::pmpi(mpi::TYPE_GET_TRUE_EXTENT, [datatype, address(&mut true_low), address(&mut true_extent)]),
        ]
    };
    let bytes = u64::try_from(size).unwrap_or(0);
    let whole = codes == [Some(0); 3] && low == 0 && true_low == 0;
    (bytes, whole && extent as u64 == bytes && true_extent as u64 == bytes)
}
