//! What the dynamic linker knows: which objects are loaded, and which symbols they have.
//!
//! It loads nothing: handles come from RTLD_NOLOAD.

use std::ffi::{CStr, CString, c_void};
use std::os::raw::c_int;
use std::path::PathBuf;

use crate::dlsym;

/// A loaded object: the program or a shared library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What to add to the addresses in the file.
    pub base: usize,
    /// As the linker names it; empty for the program.
    pub name: CString,
    /// Its program headers, which stay where they are as long as the object is loaded.
    pub headers: (usize, u16),
}

impl Object {
    /// Its program headers.
    pub fn program_headers(&self) -> &[libc::Elf64_Phdr] {
        let (at, count) = self.headers;
        // SAFETY: the linker gave address and count; the object is loaded, callers use them at once.
        unsafe { std::slice::from_raw_parts(at as *const libc::Elf64_Phdr, usize::from(count)) }
    }

    /// Whether this address lies in one of its segments.
    pub fn contains(&self, address: usize) -> bool {
        let headers = self.program_headers().iter().filter(|h| h.p_type == libc::PT_LOAD);
        headers.into_iter().any(|h| address.wrapping_sub(self.base + h.p_vaddr as usize) < h.p_memsz as usize)
    }

    /// Its code: where it begins, and how many bytes it is.
    #[cfg(target_arch = "x86_64")]
    pub fn code(&self) -> Option<(usize, usize)> {
        let mut headers = self.program_headers().iter();
        let header = headers.find(|h| h.p_type == libc::PT_LOAD && h.p_flags & libc::PF_X != 0)?;
        Some((self.base + header.p_vaddr as usize, header.p_memsz as usize))
    }

    /// The path of its file.
    pub fn path(&self) -> PathBuf {
        if self.name.is_empty() {
            std::env::current_exe().unwrap_or_default()
        } else {
            self.name.to_string_lossy().as_ref().into()
        }
    }

    /// Its build-id in hexadecimal; empty if it has none.
    pub fn build_id(&self) -> String {
        const NT_GNU_BUILD_ID: u32 = 3;
        for header in self.program_headers().iter().filter(|h| h.p_type == libc::PT_NOTE) {
            let at = self.base + header.p_vaddr as usize;
            // SAFETY: a PT_NOTE segment of a loaded object is mapped and readable.
            let mut notes = unsafe { std::slice::from_raw_parts(at as *const u8, header.p_memsz as usize) };
            while let Some((head, rest)) = notes.split_at_checked(12) {
                let word = |i: usize| u32::from_ne_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]);
                let (name, text) = ((word(0) as usize).next_multiple_of(4), (word(4) as usize).next_multiple_of(4));
                let Some((note, rest)) = rest.split_at_checked(name + text) else { break };
                if word(8) == NT_GNU_BUILD_ID && note.starts_with(b"GNU\0") {
                    return note[name..name + word(4) as usize].iter().map(|b| format!("{b:02x}")).collect();
                }
                notes = rest;
            }
        }
        String::new()
    }
}

/// Every loaded object, the program first.
pub fn objects() -> Vec<Object> {
    unsafe extern "C" fn collect(info: *mut libc::dl_phdr_info, _: usize, list: *mut c_void) -> c_int {
        // SAFETY: the linker passes a valid entry, and `list` is what is passed below.
        let (info, list) = unsafe { (&*info, &mut *list.cast::<Vec<Object>>()) };
        let name = if info.dlpi_name.is_null() {
            c""
        } else {
            // SAFETY: the linker's names are C strings.
            unsafe { CStr::from_ptr(info.dlpi_name) }
        };
        list.push(Object {
            base: info.dlpi_addr as usize,
            name: name.to_owned(),
            headers: (info.dlpi_phdr as usize, info.dlpi_phnum),
        });
        0
    }
    let mut list: Vec<Object> = Vec::with_capacity(64);
    // SAFETY: the callback matches what the linker calls, and `list` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(collect), (&raw mut list).cast()) };
    list
}

/// How many objects have been loaded so far: it changes whenever `objects` might.
pub fn loads() -> u64 {
    unsafe extern "C" fn read(info: *mut libc::dl_phdr_info, _: usize, count: *mut c_void) -> c_int {
        // SAFETY: as in `objects`.
        unsafe { *count.cast::<u64>() = (*info).dlpi_adds };
        1
    }
    let mut count = 0u64;
    // SAFETY: as in `objects`.
    unsafe { libc::dl_iterate_phdr(Some(read), (&raw mut count).cast()) };
    count
}

/// The object that this address lies in.
pub fn object_of(address: usize) -> Option<Object> {
    objects().into_iter().find(|o| o.contains(address))
}

/// Whether an address lies in this library itself.
pub fn is_ours(address: usize) -> bool {
    use std::sync::OnceLock;
    static OURS: OnceLock<Option<Object>> = OnceLock::new();
    OURS.get_or_init(|| object_of(is_ours as *const () as usize)).as_ref().is_some_and(|o| o.contains(address))
}

/// A handle of a loaded object, for [`symbol_in`]. It holds the object in memory.
pub fn handle_of(name: &CStr) -> Option<usize> {
    // SAFETY: dlopen with RTLD_NOLOAD loads nothing and runs no code of the object.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    (!handle.is_null()).then_some(handle as usize)
}

/// The address of a symbol as seen from this handle; never one of ours.
pub fn symbol_in(handle: usize, name: &CStr) -> Option<usize> {
    let address = dlsym::real(handle, name);
    (address != 0 && !is_ours(address)).then_some(address)
}

/// The address of a symbol in the objects after this library in the search order.
pub fn next_symbol(name: &CStr) -> Option<usize> {
    symbol_in(libc::RTLD_NEXT as usize, name)
}

/// The address of a symbol as the program sees it: where the program has a copy of a library's variable, the copy.
pub fn program_symbol(name: &CStr) -> Option<usize> {
    symbol_in(libc::RTLD_DEFAULT as usize, name)
}
