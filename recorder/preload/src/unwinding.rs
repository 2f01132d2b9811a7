//! How to get from a place in a function to its caller's: where the return address lies, as the tables for exceptions say it.
//!
//! Only what nearly all compiled code does is understood: a frame that lies so far above the stack pointer or around the frame pointer. What
//! anything else does (a signal handler's frame, code without tables) is not followed. Following it reads the stack only, and only
//! through the caller's bounds.

use std::ops::Range;

use crate::loader::Object;

/// Where the registers of a function's caller are, while the function is at a certain place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The top of the function's frame, which is what the stack pointer was before it was called.
    top: Top,
    /// The frame pointer of its caller.
    base: Saved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Top {
    /// So far above the stack pointer.
    AboveStackPointer(i32),
    /// So far above the frame pointer.
    AboveBase(i32),
    /// In the word so far above the frame pointer: the stack was aligned.
    AtBase(i32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saved {
    /// It is still in its register.
    InRegister,
    /// So far from the top of the frame.
    FromTop(i32),
    /// So far from the frame pointer.
    FromBase(i32),
}

/// The registers of a function that is at a certain place: those that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// Where it goes on.
    pub place: usize,
    /// The stack pointer.
    pub stack: usize,
    /// The frame pointer, which the function may use for something else.
    pub base: usize,
    /// The word of the stack that it was read from.
    pub base_at: usize,
}

impl Registers {
    /// Those of the caller of a function that is built with frame pointers, as ours are: its frame pointer points to its caller's, and the
    /// return address is next.
    #[inline]
    pub fn of_caller(frame: usize) -> Registers {
        // SAFETY: the frame is that of a wrapper: two words on this thread's stack.
        let [base, place] = unsafe { *(frame as *const [usize; 2]) };
        Registers { place: without_signature(place), stack: frame + 16, base, base_at: frame }
    }

    /// Those of the caller. `read` gives a word of the stack, None beyond its bounds. `depends` is told of each word that decides
    /// where the caller's frame is.
    pub fn caller(
        &self,
        rule: Rule,
        read: impl Fn(usize) -> Option<usize>,
        mut depends: impl FnMut(usize, usize),
    ) -> Option<Registers> {
        let above = |address: usize, offset: i32| address.checked_add_signed(offset as isize);
        if !matches!(rule.top, Top::AboveStackPointer(_)) || matches!(rule.base, Saved::FromBase(_)) {
            depends(self.base_at, self.base);
        }
        let top = match rule.top {
            Top::AboveStackPointer(offset) => above(self.stack, offset)?,
            Top::AboveBase(offset) => above(self.base, offset)?,
            Top::AtBase(offset) => {
                let at = above(self.base, offset)?;
                let top = read(at)?;
                depends(at, top);
                top
            }
        };
        let return_at = top.checked_sub(8).filter(|&at| at >= self.stack)?;
        let place = read(return_at)?;
        depends(return_at, place);
        let base_at = match rule.base {
            Saved::InRegister => None,
            Saved::FromTop(offset) => Some(above(top, offset)?),
            Saved::FromBase(offset) => Some(above(self.base, offset)?),
        };
        let (base, base_at) = match base_at {
            Some(at) if at >= self.stack && at < return_at => (read(at)?, at),
            Some(_) => return None,
            None => (self.base, self.base_at),
        };
        Some(Registers { place: without_signature(place), stack: top, base, base_at })
    }
}

/// A return address without what signs it, on processors that do.
#[inline]
fn without_signature(place: usize) -> usize {
    if cfg!(target_arch = "aarch64") { place & ((1 << 48) - 1) } else { place }
}

/// What there is to know of the function that a return address lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its code, or the part of it that lies together.
    pub code: Range<usize>,
    /// How to get to its caller; None if it is not understood.
    pub rule: Option<Rule>,
}

/// Looks up the function that calls something and goes on at `place`, which lies in this object.
#[cfg(target_arch = "x86_64")]
pub fn function_at(object: &Object, place: usize) -> Option<Function> {
    tables::function_at(object, place)
}

/// On AArch64 every function that calls another one keeps a frame pointer, as the platform's rules want it.
#[cfg(not(target_arch = "x86_64"))]
pub fn function_at(_: &Object, place: usize) -> Option<Function> {
    let rule = Rule { top: Top::AboveBase(16), base: Saved::FromTop(-16) };
    Some(Function { code: place..place + 1, rule: cfg!(target_arch = "aarch64").then_some(rule) })
}

#[cfg(target_arch = "x86_64")]
mod tables {
    use gimli::{
        BaseAddresses, CfaRule, EhFrame, EhFrameHdr, NativeEndian, Register, RegisterRule, UnwindContext, UnwindExpression,
        UnwindSection, X86_64,
    };

    use super::{Function, Rule, Saved, Top};
    use crate::loader::Object;

    /// The type of the segment that holds `.eh_frame_hdr`.
    const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
    /// Pointers are of 8 bytes.
    const POINTER: u8 = 8;

    type Slice<'a> = gimli::EndianSlice<'a, NativeEndian>;

    pub fn function_at(object: &Object, place: usize) -> Option<Function> {
        let header = object.program_headers().iter().find(|header| header.p_type == PT_GNU_EH_FRAME)?;
        let at = object.base + header.p_vaddr as usize;
        let bytes = bytes_from(object, at)?;
        let bases = BaseAddresses::default().set_eh_frame_hdr(at as u64);
        let parsed = EhFrameHdr::new(bytes, NativeEndian).parse(&bases, POINTER).ok()?;
        let gimli::Pointer::Direct(frames_at) = parsed.eh_frame_ptr() else { return None };
        let bases = bases.set_eh_frame(frames_at);
        let frames = EhFrame::new(bytes_from(object, frames_at as usize)?, NativeEndian);
        // The return address may belong to the next function: the byte before it is in the call.
        let call = place as u64 - 1;
        let function = parsed.table()?.fde_for_address(&frames, &bases, call, EhFrame::cie_from_offset).ok()?;
        let code = function.initial_address() as usize..function.end_address() as usize;
        let mut context = UnwindContext::new();
        let row = function.unwind_info_for_address(&frames, &bases, &mut context, call).ok();
        let is_ordinary = !function.is_signal_trampoline() && function.cie().return_address_register() == X86_64::RA;
        let rule = row.filter(|_| is_ordinary).and_then(|row| {
            let base = saved(&frames, row.register(X86_64::RBP))?;
            let returns = row.register(X86_64::RA) == Some(RegisterRule::Offset(-8));
            returns.then_some(Rule { top: top(&frames, row.cfa())?, base })
        });
        Some(Function { code, rule })
    }

    /// What an object has in memory from an address on, to the end of its segment.
    fn bytes_from(object: &Object, at: usize) -> Option<&[u8]> {
        let ends = object.program_headers().iter().filter(|h| h.p_type == libc::PT_LOAD).filter_map(|header| {
            let begin = object.base + header.p_vaddr as usize;
            (begin..begin + header.p_filesz as usize).contains(&at).then_some(begin + header.p_filesz as usize)
        });
        let end = ends.into_iter().next()?;
        // SAFETY: the segment is mapped and readable, and its tables are never written after it was loaded.
        Some(unsafe { std::slice::from_raw_parts(at as *const u8, end - at) })
    }

    fn top(frames: &EhFrame<Slice<'_>>, rule: &CfaRule<usize>) -> Option<Top> {
        match *rule {
            CfaRule::RegisterAndOffset { register: X86_64::RSP, offset } => Some(Top::AboveStackPointer(offset.try_into().ok()?)),
            CfaRule::RegisterAndOffset { register: X86_64::RBP, offset } => Some(Top::AboveBase(offset.try_into().ok()?)),
            CfaRule::RegisterAndOffset { .. } => None,
            CfaRule::Expression(expression) => match from_base(frames, expression)? {
                (offset, true) => Some(Top::AtBase(offset)),
                (_, false) => None,
            },
        }
    }

    fn saved(frames: &EhFrame<Slice<'_>>, rule: Option<RegisterRule<usize>>) -> Option<Saved> {
        match rule {
            None | Some(RegisterRule::SameValue) => Some(Saved::InRegister),
            Some(RegisterRule::Offset(offset)) => Some(Saved::FromTop(offset.try_into().ok()?)),
            Some(RegisterRule::Expression(expression)) => match from_base(frames, expression)? {
                (offset, false) => Some(Saved::FromBase(offset)),
                (_, true) => None,
            },
            _ => None,
        }
    }

    /// An expression that adds to the frame pointer, and whether it then takes the word there; None if it is another one.
    fn from_base(frames: &EhFrame<Slice<'_>>, expression: UnwindExpression<usize>) -> Option<(i32, bool)> {
        use gimli::Operation as Op;
        let encoding = gimli::Encoding { address_size: POINTER, format: gimli::Format::Dwarf32, version: 4 };
        let mut operations = expression.get(frames).ok()?.operations(encoding);
        let offset = match operations.next().ok()?? {
            Op::RegisterOffset { register: Register(6), offset, .. } => i32::try_from(offset).ok()?,
            _ => return None,
        };
        match (operations.next().ok()?, operations.next().ok().flatten()) {
            (None, _) => Some((offset, false)),
            (Some(Op::Deref { size: POINTER, space: false, .. }), None) => Some((offset, true)),
            _ => None,
        }
    }
}
