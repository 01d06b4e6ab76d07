//! Requests to valgrind, which runs this program. Without it they do nothing.

const RUNNING_ON_VALGRIND: u64 = 0x1001;
const COUNT_ERRORS: u64 = 0x1201;
const MAKE_MEM_UNDEFINED: u64 = (0x4D << 24 | 0x43 << 16) + 1;
const MAKE_MEM_DEFINED: u64 = MAKE_MEM_UNDEFINED + 1;

/// Whether valgrind runs this program.
pub fn is_here() -> bool {
    request(RUNNING_ON_VALGRIND, &[]) != 0
}

/// How many uses of undefined values it has seen so far in branches and addresses.
pub fn errors() -> u64 {
    request(COUNT_ERRORS, &[])
}

/// Makes bytes undefined: what hangs on them from now on is seen.
pub fn poison(bytes: &[u8]) {
    request(MAKE_MEM_UNDEFINED, bytes);
}

/// Makes bytes defined again: public by now.
pub fn publish(bytes: &[u8]) {
    request(MAKE_MEM_DEFINED, bytes);
}

/// The special sequence of valgrind.h for x86-64.
#[cfg(target_arch = "x86_64")]
fn request(code: u64, bytes: &[u8]) -> u64 {
    let arguments = [code, bytes.as_ptr().addr() as u64, bytes.len() as u64, 0, 0, 0];
    let mut answer = 0_u64;
    // SAFETY: the rotations make a whole turn and the exchange changes nothing, so that a processor does
    // nothing; valgrind reads the six arguments and writes the answer.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") arguments.as_ptr(), inout("rdx") answer,
        );
    }
    answer
}

/// Valgrind is not asked on other processors, and so is never here.
#[cfg(not(target_arch = "x86_64"))]
fn request(_: u64, _: &[u8]) -> u64 {
    0
}
