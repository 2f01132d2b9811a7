//! Programs that ask for MPI functions by name (Julia, ctypes) get the wrappers too: `dlsym` comes by here.
//!
//! A function that the MPI library at hand lacks is as absent as without us, though this library has them all. All other questions go to
//! the real `dlsym` by a jump, so that it sees the true caller, which RTLD_NEXT and RTLD_DEFAULT need. On other architectures than
//! x86-64 there is no such hook yet, and such programs are not recorded.

use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::loader;

/// The address of the C library's own `dlsym`.
pub extern "C" fn address_of_real() -> usize {
    static REAL: AtomicUsize = AtomicUsize::new(0);
    let known = REAL.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let versions = [c"GLIBC_2.34", c"GLIBC_2.17", c"GLIBC_2.2.5"];
    // SAFETY: dlvsym is not interposed; names and versions are C strings.
    let found = versions.iter().map(|v| unsafe { libc::dlvsym(libc::RTLD_NEXT, c"dlsym".as_ptr(), v.as_ptr()) } as usize);
    let real = found.into_iter().find(|&a| a != 0).unwrap_or(0);
    REAL.store(real, Ordering::Relaxed);
    real
}

/// Calls the real `dlsym`; 0 if there is no such symbol. RTLD_NEXT counts from this library.
pub fn real(handle: usize, name: &CStr) -> usize {
    let address = address_of_real();
    if address == 0 {
        return 0;
    }
    // SAFETY: the address is that of dlsym, whose signature this is.
    unsafe {
        let dlsym: extern "C" fn(usize, *const c_char) -> usize = std::mem::transmute(address);
        dlsym(handle, name.as_ptr())
    }
}

/// Answers for MPI functions in a certain library: the wrapper, if the library has the function.
#[cfg(target_arch = "x86_64")]
unsafe extern "C" fn wrapper_of(handle: usize, name: *const c_char) -> usize {
    // SAFETY: the caller passed a C string to dlsym.
    let name = unsafe { CStr::from_ptr(name) };
    let theirs = real(handle, name);
    if loader::is_ours(theirs) {
        // Asked of all that is loaded, as by `dlopen(NULL)`.
        return if loader::next_symbol(name).is_some() { theirs } else { 0 };
    }
    if theirs == 0 {
        return 0;
    }
    crate::real::remember_provider(handle);
    let ours = own_symbol(name);
    if ours == 0 { theirs } else { ours }
}

/// Whether a question with RTLD_DEFAULT or RTLD_NEXT would find the function in this library only: not among what is loaded for all to
/// see, nor among what the asking object was loaded with.
#[cfg(target_arch = "x86_64")]
unsafe extern "C" fn is_ours_alone(caller: usize, name: *const c_char) -> bool {
    // SAFETY: the caller passed a C string to dlsym.
    let name = unsafe { CStr::from_ptr(name) };
    if own_symbol(name) == 0 || loader::next_symbol(name).is_some() {
        return false;
    }
    let own = loader::object_of(caller).and_then(|object| loader::handle_of(&object.name));
    own.and_then(|handle| loader::symbol_in(handle, name)).is_none()
}

#[cfg(target_arch = "x86_64")]
fn own_symbol(name: &CStr) -> usize {
    use std::sync::OnceLock;
    static OURS: OnceLock<usize> = OnceLock::new();
    let handle = *OURS.get_or_init(|| {
        let object = loader::object_of(own_symbol as *const () as usize);
        object.and_then(|o| loader::handle_of(&o.name)).unwrap_or(0)
    });
    let address = if handle == 0 { 0 } else { real(handle, name) };
    if loader::is_ours(address) { address } else { 0 }
}

/// `dlsym` as the program calls it. Names that begin with neither "MPI_" nor "PMPI_" go on to the real one.
///
/// # Safety
/// As dlsym.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlsym(handle: usize, name: *const c_char) -> usize {
    std::arch::naked_asm!(
        "test rsi, rsi",
        "je 2f",
        "mov rax, rsi",
        "cmp byte ptr [rax], 0x50", // "P"
        "jne 4f",
        "inc rax",
        "4:",
        // Byte by byte: the name may end at the end of a page.
        "cmp byte ptr [rax], 0x4d", // "M"
        "jne 2f",
        "cmp byte ptr [rax + 1], 0x50", // "P"
        "jne 2f",
        "cmp byte ptr [rax + 2], 0x49", // "I"
        "jne 2f",
        "cmp byte ptr [rax + 3], 0x5f", // "_"
        "jne 2f",
        "lea rax, [rdi + 1]", // RTLD_NEXT is −1, RTLD_DEFAULT is 0.
        "cmp rax, 1",
        "ja 3f",
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "mov rdi, [rsp + 24]", // Who asks.
        "call {alone}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "test al, al",
        "je 2f",
        "xor eax, eax",
        "ret",
        "2:",
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "call {real}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "jmp rax",
        "3:",
        "jmp {wrapper}",
        alone = sym is_ours_alone,
        real = sym address_of_real,
        wrapper = sym wrapper_of,
    )
}
