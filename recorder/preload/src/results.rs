//! What a call returned: the values of the trace, the handles that came and went, the digests of what was sent and received.
//!
//! Nothing is read that the standard leaves undefined: results only on success, statuses only of receives and of matched probes.

use std::ffi::CStr;

use traces::constant::UNDEFINED;
use traces::payload::Keep;
use traces::{Class, Direction, Function, Kind, Length, Status, mpi};
use xxhash_rust::xxh3::xxh3_64;

use crate::abi::{Abi, abi};
use crate::arguments::{Arguments, Words, is_handle};
use crate::communicators::Members;
use crate::handles::UNKNOWN;
use crate::handles::{self, Handles, measure};
use crate::payload::{Digester, Payload, Since, Taking, len_of};
use crate::pieces::{Piece, Word};
use crate::real;
use crate::requests::{Fetch, Operation, Request, Requests};
use crate::shape::{Making, Role, Shape, Step};
use crate::store::Store;

/// The results of the call at hand.
#[derive(Debug, Default)]
pub struct Results {
    /// The values.
    pub words: Words,
    /// The digests.
    pub digests: Vec<u64>,
    /// The position in the call's array of each request that completed; of a call without requests, 0.
    completed: Vec<usize>,
    /// What was sent and received, in the order of its digests.
    pieces: Vec<Piece>,
    /// Where the statuses of requests begin in `words`, if they are there.
    rows: Option<usize>,
    /// The digest of what is sent, if it had to be taken before the call.
    before: Option<u64>,
    digester: Digester,
    /// What was received, if that is kept.
    store: Option<Store>,
    /// Memory for statuses that the program did not ask for.
    statuses: Vec<u64>,
}

impl Results {
    /// Of a thread that keeps what it receives here.
    pub fn keeping(store: Option<Store>) -> Results {
        Results { store, ..Results::default() }
    }

    /// Memory for `count` statuses of `bytes` each: the program passed MPI_STATUS_IGNORE, and the source of a message is needed.
    #[inline]
    pub fn room_for_statuses(&mut self, count: usize, bytes: usize) -> usize {
        let words = (count * bytes).div_ceil(8);
        if self.statuses.len() < words {
            self.statuses.resize(words, 0);
        }
        self.statuses.as_mut_ptr() as usize
    }

    /// Takes the digest of what a call sends that will be gone when it returns.
    #[cold]
    pub fn take_before(&mut self, arguments: &Arguments, taking: Taking) {
        let blocks = arguments.sent.blocks();
        // The library has not said yet that the arguments are right: a datatype that is not committed cannot be packed.
        let can_be_read = blocks.iter().all(Payload::is_contiguous);
        self.digester.begin_call();
        let mut digest = || self.digester.digest(blocks, None, Since::Earlier, taking);
        self.before = Some(if can_be_read { digest() } else { 0 });
    }

    /// Reads what came back, and keeps the tables of handles true. Returns whether the call was a poll that found nothing.
    ///
    /// # Safety
    /// The arguments are those that the function of this shape was called with, and it has returned `code`.
    pub unsafe fn read(&mut self, shape: &Shape, a: &[usize], code: i32, arguments: &Arguments, taking: Taking) -> bool {
        self.words.begin([1 << 61 | u64::from(shape.function.0), code as u32 as u64]);
        self.digests.clear();
        let mut reader = Reader { abi: abi(), shape, a, ok: code == 0, arguments, started: 0, takes: false };
        let nothing = reader.found_nothing();
        reader.takes = reader.ok && !nothing && taking.keep != Keep::None;
        let before = self.before.take();
        if reader.takes && shape.sends_now() {
            self.digester.begin_call();
            let digest = || self.digester.digest(arguments.sent.blocks(), None, Since::Now, taking);
            reader.started = before.unwrap_or_else(digest);
            self.digests.push(reader.started);
        }
        // Most calls leave the handles as they are.
        if shape.is_plain() {
            self.words.nil_until(shape.parameters.len());
            if reader.takes && shape.receives.is_some() {
                self.digester.begin_call();
                let (blocks, bytes) = (arguments.received.blocks(), reader.bytes_of(0));
                let digest = self.digester.digest(blocks, bytes, Since::Now, taking);
                self.digests.push(digest);
                if let Some(store) = &mut self.store {
                    store.keep(digest, blocks, len_of(blocks, bytes), Since::Now, &mut self.digester);
                }
            }
        } else {
            self.take_results(&reader, nothing);
            self.take_digests(&reader, taking);
        }
        nothing
    }

    /// Takes the digests of what was found, and marks the statuses of those that have one without having received a message.
    fn take_digests(&mut self, reader: &Reader<'_>, taking: Taking) {
        let Results { pieces, words, digests, digester, rows, store, .. } = self;
        if pieces.is_empty() {
            return;
        }
        digester.begin_call();
        for piece in &*pieces {
            let digest = digester.digest(piece.content.blocks(), piece.bytes, piece.since, taking);
            let mark = match piece.word {
                Word::Always => None,
                Word::Fetched { row } => Some((row, Status::FETCHED)),
                Word::IfChanged { started, .. } if digest == 0 || digest == started => continue,
                Word::IfChanged { row, .. } => Some((row, Status::CHANGED)),
            };
            if let Some((row, mark)) = mark {
                // Where there is no room for statuses, nobody could tell whose digest it is.
                let Some(rows) = rows else { continue };
                words.set(*rows + 4 * row + 2, mark);
            }
            digests.push(digest);
            let is_received = reader.shape.role != Role::Starts && !matches!(piece.word, Word::IfChanged { .. });
            if let Some(store) = store.as_mut().filter(|_| is_received) {
                let blocks = piece.content.blocks();
                store.keep(digest, blocks, len_of(blocks, piece.bytes), piece.since, digester);
            }
        }
        if reader.shape.role == Role::Starts {
            reader.note_started(digests);
        }
    }

    fn take_results(&mut self, reader: &Reader<'_>, nothing: bool) {
        let Reader { shape, a, .. } = *reader;
        self.completed.clear();
        self.pieces.clear();
        self.rows = None;
        if reader.ok && !nothing {
            reader.completed(&mut self.completed);
        }
        handles::with(|handles| {
            for &at in shape.results.iter().filter(|&&at| reader.ok && a[at] != 0) {
                self.words.nil_until(at);
                reader.result(at, &shape.parameters[at], self, nothing, handles);
            }
            self.words.nil_until(shape.parameters.len());
            if reader.takes {
                reader.pieces(&self.completed, handles, &mut self.pieces);
            }
            match reader.ok {
                true if !nothing => reader.retire(&self.completed, handles),
                true => {}
                false => {
                    reader.doubt(handles);
                    reader.retire_nulled(handles);
                }
            }
        });
    }
}

/// A call that has returned.
pub struct Reader<'a> {
    pub abi: &'static Abi,
    pub shape: &'a Shape,
    pub a: &'a [usize],
    pub ok: bool,
    pub arguments: &'a Arguments,
    /// The digest of what it has sent or begun to send; 0 if it was not taken.
    pub started: u64,
    /// Whether digests are taken.
    pub takes: bool,
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
            _ => self.rarer_result(at, step, into, handles),
        }
    }

    /// Any other result. By itself, as the work on those that nearly every call has is slower with all this in its midst.
    #[inline(never)]
    fn rarer_result(&self, at: usize, step: &Step, into: &mut Results, handles: &mut Handles) {
        match step.kind {
            Kind::Comm if step.direction == Direction::Out => self.communicator(at, into, handles),
            Kind::Type if step.direction == Direction::Out && step.length == Length::Scalar => {
                // SAFETY: the library has just given this datatype.
                let handle = unsafe { self.abi.handle_at(Kind::Type, self.a[at], 0) };
                handles::change();
                into.words.int(handles.add_datatype(handle, || measure(handle as usize)));
            }
            Kind::Type if step.direction == Direction::Out => {
                into.words.nil();
                self.take_contents(at, handles);
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

    /// MPI_Type_get_contents gives the datatypes that another one was made of, and one reference more to each that is not predefined.
    fn take_contents(&self, at: usize, handles: &mut Handles) {
        handles::change();
        for i in 0..datatypes_in(self.shape.function, self.a[0]) {
            // SAFETY: the library has just written so many handles there, which are datatypes.
            let handle = unsafe { self.abi.handle_at(Kind::Type, self.a[at], i) };
            handles.add_datatype(handle, || measure(handle as usize));
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
        let Results { words, completed, rows, .. } = into;
        let row = completed.iter().enumerate().map(|(nth, &position)| {
            // SAFETY: the library has filled one status for each completed operation.
            let status = unsafe { self.abi.status_at(self.a[at], nth) };
            match self.operation(position, requests) {
                // What blocks cannot be cancelled, and MPICH's MPI_Probe leaves that bit as it was.
                Operation::Receive => Status { cancelled: status.cancelled && self.shape.has_request, ..status },
                Operation::Send => Status { cancelled: status.cancelled, ..meaningless },
                Operation::Fetch | Operation::Other => meaningless,
            }
        });
        *rows = words.rows(row.map(|s| [s.source, s.tag, s.bytes, i64::from(s.cancelled)]));
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
            Operation::Receive => self.arguments.received.one(),
            Operation::Send => self.arguments.sent.one(),
            Operation::Fetch | Operation::Other => None,
        };
        let payload = payload.unwrap_or_default();
        let started = if persistent { 0 } else { self.started };
        let number = handles.requests.add(handle, self.a[at], Request { operation, persistent, payload, started });
        if operation == Operation::Fetch && self.takes {
            self.note_fetch(number, handles);
        }
        into.words.int(number);
    }

    #[cold]
    fn note_fetch(&self, request: i64, handles: &mut Handles) {
        let Arguments { sent, received, .. } = self.arguments;
        let is_counted = self.shape.function.class() == Class::Io;
        handles.requests.note_fetch(request, Fetch { sent: sent.clone(), received: received.clone(), is_counted });
    }

    fn communicator(&self, at: usize, into: &mut Results, handles: &mut Handles) {
        handles::change();
        let parent = self.shape.comm.map_or(0, |c| self.abi.handle(Kind::Comm, self.a[c]));
        let counted = matches!(self.shape.makes, Some(Making::ByParent | Making::ByParentLater | Making::Spawning));
        let nth = if counted { handles.communicators.count_child(parent) } else { 0 };
        // SAFETY: the library has just written this communicator.
        let handle = unsafe { self.abi.handle_at(Kind::Comm, self.a[at], 0) };
        let predefined = self.abi.predefined(Kind::Comm, handle);
        match (predefined, self.shape.makes) {
            (Some(number), _) => into.words.int(number),
            (None, None) => match handles.communicators.known_members(handle) {
                Some((id, members)) if self.shape.function == mpi::COMM_GET_PARENT => new_communicator(id, &members, into),
                Some((id, _)) => into.words.int(id),
                None => into.words.int(UNKNOWN),
            },
            (None, Some(how)) => {
                let tag = self.tag();
                let (id, members) = handles.communicators.add(handle, parent, how, nth, tag, self.shape.function);
                new_communicator(id, &members, into);
            }
        }
    }

    /// What the call names a new communicator by, beside those who make it: a tag or a string.
    fn tag(&self) -> u64 {
        let parameter = |name| self.shape.function.parameter(name).map(|at| self.a[at]);
        let text = |at: usize| {
            // SAFETY: a string argument is a C string, and the library has accepted it.
            xxh3_64(unsafe { CStr::from_ptr(at as *const libc::c_char) }.to_bytes())
        };
        parameter("tag").map(|tag| i64::from(tag as i32) as u64).or_else(|| parameter("stringtag").map(text)).unwrap_or(0)
    }

    /// Requests that are no more, and other handles that the call took away.
    fn retire(&self, completed: &[usize], handles: &mut Handles) {
        match self.shape.role {
            Role::Frees => self.arguments.requests.iter().for_each(|named| handles.requests.remove(named)),
            Role::CompletesAll | Role::CompletesAny(_) | Role::CompletesSome(..) => {
                for named in completed.iter().filter_map(|&position| self.arguments.requests.get(position)) {
                    match handles.requests.get(named).map(|request| request.persistent) {
                        Some(false) => handles.requests.remove(named),
                        // Until it is started again, its buffer is the program's.
                        Some(true) => handles.requests.note_started(named, 0),
                        None => {}
                    }
                }
            }
            // A request that was seen to be complete lives on, but its buffer is the program's.
            Role::Looks => self.arguments.requests.iter().for_each(|named| handles.requests.note_started(named, 0)),
            Role::None | Role::Makes(..) | Role::Starts | Role::Fetches | Role::CompletesFetches(_) => {}
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
}

/// A communicator that the program did not have before.
fn new_communicator(id: i64, members: &Members, into: &mut Results) {
    let head = [id, members.local.len() as i64];
    let len = head.len() + members.local.len() + members.remote.len();
    into.words.ints(len, head.iter().chain(&members.local).chain(&members.remote).copied());
}

/// How many datatypes MPI_Type_get_contents, or its form for large counts, gives of one.
fn datatypes_in(function: Function, datatype: usize) -> usize {
    let mut numbers = [0i64; 5];
    let [a, b, c, d, e] = numbers.each_mut().map(|number| std::ptr::from_mut(number) as usize);
    // SAFETY: the library has just given the contents of this datatype; each result has room for any integer.
    let (code, at) = unsafe {
        if function == mpi::TYPE_GET_CONTENTS {
            (real::pmpi(mpi::TYPE_GET_ENVELOPE, [datatype, a, b, c, d]), 2)
        } else {
            (real::pmpi(mpi::TYPE_GET_ENVELOPE_C, [datatype, a, b, c, d, e]), 3)
        }
    };
    // Low bytes come first: an int is the lower half of the number that it was written to.
    if code == Some(0) { usize::try_from(numbers[at]).unwrap_or(0) } else { 0 }
}
