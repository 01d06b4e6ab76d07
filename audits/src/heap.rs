//! `free` and `realloc` of this process, in the place of the C library's: Rust's heap and all C code that
//! is linked in call these.

use std::{ffi::c_void, ptr, slice};

use crate::MEMORY;

// What glibc calls its own functions when they are replaced.
unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn malloc_usable_size(block: *mut c_void) -> usize;
}

/// Searches a block, wipes it, so that no later search meets what this one found, and frees it.
///
/// # Safety
/// As for `free` of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: the caller gives back a block of the C library's, which is this long; what it never wrote to
    // holds what the system or an earlier owner left there.
    unsafe {
        let length = malloc_usable_size(block);
        MEMORY.search(slice::from_raw_parts(block.cast::<u8>(), length));
        ptr::write_bytes(block.cast::<u8>(), 0, length);
        __libc_free(block);
    }
}

/// Always moves the block, so that what it leaves behind is searched.
///
/// # Safety
/// As for `realloc` of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promises are those of the C library's; both blocks are as long as is copied.
    unsafe {
        let moved = __libc_malloc(size);
        if !moved.is_null() && !block.is_null() {
            let length = malloc_usable_size(block).min(size);
            ptr::copy_nonoverlapping(block.cast::<u8>(), moved.cast::<u8>(), length);
            free(block);
        }
        moved
    }
}

/// Leaves a copy of a secret in a block that C code would have allocated, and gives the block back.
///
/// # Panics
/// When there is no memory.
pub fn leave_in_c_memory(secret: &[u8]) {
    // SAFETY: the block is as long as what is written to it, and is not used after it is freed.
    unsafe {
        let block = __libc_malloc(secret.len());
        assert!(!block.is_null());
        ptr::copy_nonoverlapping(secret.as_ptr(), block.cast::<u8>(), secret.len());
        free(block);
    }
}
