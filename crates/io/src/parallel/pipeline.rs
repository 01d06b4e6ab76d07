//! The ordered pipeline: two windows, one worked on while the other is moved.

use std::mem;

use object_cipher_core::{Error as CoreError, Layout};
use rayon::{ThreadPool, prelude::*};
use zeroize::Zeroizing;

use super::Parallel;
use crate::{Result, whole};

/// Chunks that a thread takes at a time, at the least.
const CHUNKS_A_TASK: usize = 4;

/// What is done to a chunk in its slot, by its index in the body.
pub(super) type Work<'a> = dyn Fn(u64, &mut [u8]) -> Result<(), CoreError> + Sync + 'a;

/// The first bad chunk, counted from the first that was worked on.
pub(super) type BadChunk = (usize, CoreError);

/// Where windows are filled from and drained to, by one thread at a time.
pub(super) trait Content: Send {
    /// Puts chunks into a cleared window, none when all have come. After an error the window has
    /// the chunks that came whole before it.
    fn fill(&mut self, window: &mut Window) -> Result<()>;

    /// Gives out a window's chunks.
    fn drain(&mut self, window: &Window) -> Result<()>;
}

/// Consecutive chunks in slots of a full sealed chunk; only a body's last fills less of its slot.
pub(super) struct Window {
    slots: Zeroizing<Box<[u8]>>,
    stride: usize,
    filled: usize,
    first: u64,
}

impl Window {
    fn new(layout: Layout, chunks: usize, first: u64) -> Self {
        let stride = whole(layout.stride());
        let slots = vec![0; stride.saturating_mul(chunks)];
        Self { slots: Zeroizing::new(slots.into_boxed_slice()), stride, filled: 0, first }
    }

    /// What is not filled yet: a whole number of slots, unless the last chunk is in.
    pub(super) fn free(&mut self) -> &mut [u8] {
        &mut self.slots[self.filled..]
    }

    /// The chunk or chunks at the beginning of [`free`](Window::free) are in, `count` bytes.
    pub(super) fn filled(&mut self, count: usize) {
        self.filled += count;
    }

    /// All chunks, one behind the other.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.slots[..self.filled]
    }

    /// The chunks by their indices.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (self.first..).zip(self.bytes().chunks(self.stride))
    }

    fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Gets ready for the chunks from index `first` on.
    fn restart(&mut self, first: u64) {
        self.filled = 0;
        self.first = first;
    }

    /// The index behind the last chunk.
    fn end(&self) -> u64 {
        self.first + self.filled.div_ceil(self.stride) as u64
    }

    /// Keeps the chunks before the `count`-th only.
    fn keep(&mut self, count: usize) {
        self.filled = self.filled.min(count * self.stride);
    }
}

impl Parallel<'_> {
    /// Sends all chunks of `content`, the first of index `first`, through `work`.
    pub(super) fn run(
        &self,
        layout: Layout,
        first: u64,
        content: &mut impl Content,
        work: &Work<'_>,
    ) -> Result<()> {
        if self.threads() == 1 {
            return run_alone(layout, first, content, work);
        }
        // On the pool's own threads, so that none is woken for each window.
        self.install(|| self.run_windows(layout, first, content, work))
    }

    fn run_windows(
        &self,
        layout: Layout,
        first: u64,
        content: &mut impl Content,
        work: &Work<'_>,
    ) -> Result<()> {
        // Chunks that came, and chunks that were worked on.
        let mut fresh = Window::new(layout, self.window, first);
        let mut ready = Window::new(layout, self.window, first);
        let mut failure = content.fill(&mut fresh).err();
        while !fresh.is_empty() {
            let next = fresh.end();
            let (worked, moved) = rayon::join(
                || self.work(layout, fresh.first, &mut fresh.slots[..fresh.filled], work),
                || -> Result<_> {
                    content.drain(&ready)?;
                    ready.restart(next);
                    Ok(if failure.is_none() { content.fill(&mut ready).err() } else { None })
                },
            );
            failure = moved?.or(failure);
            if let Err((good, error)) = worked {
                fresh.keep(good);
                ready.restart(next);
                failure = Some(error.into());
            }
            mem::swap(&mut fresh, &mut ready);
        }
        content.drain(&ready)?;
        failure.map_or(Ok(()), Err)
    }

    /// Works on consecutive chunks, all of them, whatever fails.
    pub(super) fn work(
        &self,
        layout: Layout,
        first: u64,
        slots: &mut [u8],
        work: &Work<'_>,
    ) -> Result<(), BadChunk> {
        let stride = whole(layout.stride());
        let each = |(at, slot): (usize, &mut [u8])| {
            work(first + at as u64, slot).err().map(|error| (at, error))
        };
        let bad = if self.threads() == 1 {
            slots.chunks_mut(stride).enumerate().find_map(each)
        } else {
            self.install(|| {
                let slots = slots.par_chunks_mut(stride).enumerate().with_min_len(CHUNKS_A_TASK);
                slots.filter_map(each).min_by_key(|(at, _)| *at)
            })
        };
        bad.map_or(Ok(()), Err)
    }

    fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self.pool {
            Some(pool) => pool.install(work),
            None => rayon::scope(|_| work()),
        }
    }

    fn threads(&self) -> usize {
        self.pool.map_or_else(rayon::current_num_threads, ThreadPool::current_num_threads)
    }
}

/// With one thread there is nothing to overlap: one chunk at a time, in the nearest cache.
fn run_alone(
    layout: Layout,
    first: u64,
    content: &mut impl Content,
    work: &Work<'_>,
) -> Result<()> {
    let mut window = Window::new(layout, 1, first);
    loop {
        content.fill(&mut window)?;
        if window.is_empty() {
            return Ok(());
        }
        work(window.first, &mut window.slots[..window.filled])?;
        content.drain(&window)?;
        window.restart(window.end());
    }
}
