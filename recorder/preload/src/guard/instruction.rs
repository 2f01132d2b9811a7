//! What an instruction that was stopped does to memory: which bytes, as far as that can be said.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::pages::PAGE;

/// Bytes of the longest instruction.
const LONGEST: usize = 15;

/// Has the decoder make its tables, for which it needs memory.
pub fn warm_up() {
    let code = [0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x00, 0x90];
    let mut decoder = Decoder::new(64, &code, DecoderOptions::NONE);
    while decoder.can_decode() {
        std::hint::black_box(decoder.decode());
    }
}

/// The bytes that an access to `address` has: the first, and how many. None if that is not certain, as where a mask decides which of them are
/// meant.
pub fn bytes_of(code: usize, address: usize, register: impl Fn(Register) -> Option<usize>) -> Option<(usize, usize)> {
    let instruction = decoded(code)?;
    if is_masked(&instruction) {
        return None;
    }
    let width = instruction.memory_size().size();
    let operands = (0..instruction.op_count()).filter(|&operand| is_memory(instruction.op_kind(operand)));
    let begins = operands
        .filter_map(|operand| instruction.virtual_address(operand, 0, |name, _, _| register(name).map(|value| value as u64)));
    let begin = begins.map(|begin| begin as usize).find(|begin| address.wrapping_sub(*begin) < width)?;
    Some((begin, width))
}

fn decoded(code: usize) -> Option<Instruction> {
    // An instruction that ends before the page does is not followed by anything that must be there.
    let rest = (code | (PAGE - 1)) + 1 - code;
    [LONGEST.min(rest), LONGEST].into_iter().find_map(|len| {
        // SAFETY: the processor has just read the instruction, which is as long as that, or the page's rest is not all of it.
        let bytes = unsafe { std::slice::from_raw_parts(code as *const u8, len) };
        let instruction = Decoder::with_ip(64, bytes, code as u64, DecoderOptions::NONE).decode();
        (!instruction.is_invalid()).then_some(instruction)
    })
}

/// Whether not all of the bytes that an instruction names are touched, or they are in several places.
fn is_masked(instruction: &Instruction) -> bool {
    let by_vector = matches!(
        instruction.mnemonic(),
        Mnemonic::Vmaskmovps
            | Mnemonic::Vmaskmovpd
            | Mnemonic::Vpmaskmovd
            | Mnemonic::Vpmaskmovq
            | Mnemonic::Maskmovq
            | Mnemonic::Maskmovdqu
            | Mnemonic::Vmaskmovdqu
    );
    by_vector || instruction.has_op_mask() || instruction.is_vsib()
}

fn is_memory(kind: OpKind) -> bool {
    matches!(
        kind,
        OpKind::Memory
            | OpKind::MemorySegSI
            | OpKind::MemorySegESI
            | OpKind::MemorySegRSI
            | OpKind::MemorySegDI
            | OpKind::MemorySegEDI
            | OpKind::MemorySegRDI
            | OpKind::MemoryESDI
            | OpKind::MemoryESEDI
            | OpKind::MemoryESRDI
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that this code touches at 0x1000, where RAX is 0x0ff8 and RDI is 0x1000.
    fn at_1000(code: &[u8]) -> Option<(usize, usize)> {
        let mut room = [0x90u8; 32];
        room[..code.len()].copy_from_slice(code);
        bytes_of(room.as_ptr() as usize, 0x1000, |register| match register {
            Register::RAX => Some(0xff8),
            Register::RDI => Some(0x1000),
            Register::DS | Register::ES => Some(0),
            _ => None,
        })
    }

    #[test]
    fn an_access_has_the_width_of_its_instruction() {
        assert_eq!(at_1000(&[0x8b, 0x40, 0x08]), Some((0x1000, 4)), "mov eax, [rax + 8]");
        assert_eq!(at_1000(&[0xc5, 0xfe, 0x6f, 0x00]), Some((0xff8, 32)), "vmovdqu ymm0, [rax] begins before");
        assert_eq!(at_1000(&[0xf3, 0xaa]), Some((0x1000, 1)), "rep stosb, byte by byte");
        assert_eq!(at_1000(&[0x48, 0x01, 0x07]), Some((0x1000, 8)), "add [rdi], rax");
    }

    #[test]
    fn what_a_mask_or_an_unknown_register_decides_is_not_certain() {
        assert_eq!(at_1000(&[0x62, 0xf1, 0x7e, 0xc9, 0x6f, 0x07]), None, "vmovdqu32 zmm0, [rdi], as a mask has it");
        assert_eq!(at_1000(&[0x48, 0x8b, 0x03]), None, "mov rax, [rbx]");
        assert_eq!(at_1000(&[0x0f, 0xff]), None, "no instruction");
    }
}
