//! What an object has imported, and where the linker has written the addresses.

use std::ffi::CStr;

use crate::loader::Object;

const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_PLTRELSZ: i64 = 2;
const DT_JMPREL: i64 = 23;
const STB_WEAK: u8 = 2;

/// A function or variable that an object takes from another one.
pub struct Import<'a> {
    /// Its name.
    pub name: &'a CStr,
    /// Whether the object can do without it.
    pub is_weak: bool,
    /// The address of the word that holds its address.
    pub slot: usize,
}

/// The parts of an object's dynamic section that are needed.
#[derive(Default)]
struct Dynamic {
    strings: usize,
    symbols: usize,
    /// Address and bytes of its two tables of relocations.
    relocations: [(usize, usize); 2],
}

impl Dynamic {
    fn of(object: &Object) -> Option<Dynamic> {
        let header = object.program_headers().iter().find(|h| h.p_type == libc::PT_DYNAMIC)?;
        let mut entry = (object.base + header.p_vaddr as usize) as *const [i64; 2];
        let mut dynamic = Dynamic::default();
        // The linker has made most addresses absolute, but not in every object.
        let absolute = |value: i64| if (value as usize) < object.base { object.base + value as usize } else { value as usize };
        loop {
            // SAFETY: the dynamic section of a loaded object is mapped and ends with a zero tag.
            let [tag, value] = unsafe { *entry };
            match tag {
                0 => break,
                DT_STRTAB => dynamic.strings = absolute(value),
                DT_SYMTAB => dynamic.symbols = absolute(value),
                DT_RELA => dynamic.relocations[0].0 = absolute(value),
                DT_RELASZ => dynamic.relocations[0].1 = value as usize,
                DT_JMPREL => dynamic.relocations[1].0 = absolute(value),
                DT_PLTRELSZ => dynamic.relocations[1].1 = value as usize,
                _ => {}
            }
            // SAFETY: as above; the end has not been reached.
            entry = unsafe { entry.add(1) };
        }
        (dynamic.strings != 0 && dynamic.symbols != 0).then_some(dynamic)
    }
}

/// Looks at everything that an object imports by name.
pub fn each_import(object: &Object, mut look: impl FnMut(Import<'_>)) {
    let Some(dynamic) = Dynamic::of(object) else { return };
    for (at, bytes) in dynamic.relocations.into_iter().filter(|r| r.0 != 0) {
        let count = bytes / size_of::<libc::Elf64_Rela>();
        // SAFETY: the dynamic section says that so many relocations lie there.
        let relocations = unsafe { std::slice::from_raw_parts(at as *const libc::Elf64_Rela, count) };
        for relocation in relocations {
            let symbol = (relocation.r_info >> 32) as usize;
            // SAFETY: a relocation's symbol is in the symbol table.
            let symbol = unsafe { &*(dynamic.symbols as *const libc::Elf64_Sym).add(symbol) };
            if symbol.st_shndx == 0 && symbol.st_name != 0 {
                // SAFETY: a symbol's name is a C string in the string table.
                let name = unsafe { CStr::from_ptr((dynamic.strings + symbol.st_name as usize) as *const libc::c_char) };
                let slot = object.base + relocation.r_offset as usize;
                look(Import { name, is_weak: symbol.st_info >> 4 == STB_WEAK, slot });
            }
        }
    }
}

/// The address that a slot holds.
pub fn read_slot(slot: usize) -> usize {
    // SAFETY: slots come from `each_import`: words in the data of a loaded object.
    unsafe { (slot as *const usize).read() }
}

/// Writes another address into a slot. The page may have been made read-only after relocation.
pub fn write_slot(slot: usize, address: usize) {
    let page = slot & !4095;
    // SAFETY: the slot lies in the loaded object's data; it is aligned to a word and so lies in the one page.
    unsafe {
        if libc::mprotect(page as *mut libc::c_void, 4096, libc::PROT_READ | libc::PROT_WRITE) == 0 {
            (slot as *mut usize).write(address);
        }
    }
}
