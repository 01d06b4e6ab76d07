//! The ordered pipeline: the pool works on pieces while the caller moves bytes.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use object_cipher_core::{Error as CoreError, Layout};
use rayon::{ThreadPool, prelude::*};
use zeroize::zeroize_bytes;

use super::Parallel;
use crate::{Result, whole};

/// Chunks that a thread takes at a time when all lie in memory, at the least.
const CHUNKS_A_TASK: usize = 4;
/// Chunks that are done sooner than another thread is woken: 256 KiB.
pub(super) const CHUNKS_ALONE: u64 = 16;
/// Pieces of a window: enough that no thread waits for another's.
const PIECES: usize = 4;

/// What is done to a chunk in its slot, by its index in the body.
pub(super) type Work<'a> = dyn Fn(u64, &mut [u8]) -> Result<(), CoreError> + Send + Sync + 'a;

/// The first bad chunk, counted from the first that was worked on.
pub(super) type BadChunk = (usize, CoreError);

/// Where pieces are filled from and drained to, on the caller's thread.
pub(super) trait Content {
    /// Puts chunks into a cleared piece, none when all have come. After an error the piece has the
    /// chunks that came whole before it.
    fn fill(&mut self, piece: &mut Piece) -> Result<()>;

    /// Gives out a piece's chunks.
    fn drain(&mut self, piece: &Piece) -> Result<()>;
}

/// Consecutive chunks in slots of a full sealed chunk; only a body's last fills less of its slot.
/// Wiped on drop.
pub(super) struct Piece {
    slots: Box<[u8]>,
    stride: usize,
    filled: usize,
    first: u64,
}

impl Piece {
    fn new(layout: Layout, chunks: usize) -> Self {
        let stride = whole(layout.stride());
        let slots = vec![0; stride * chunks].into_boxed_slice();
        Self { slots, stride, filled: 0, first: 0 }
    }

    /// What is not filled yet: a whole number of slots, unless the last chunk is in.
    pub(super) fn free(&mut self) -> &mut [u8] {
        &mut self.slots[self.filled..]
    }

    /// The chunk or chunks at the beginning of [`free`](Piece::free) are in, `count` bytes.
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

    /// Gets ready for the chunks from index `first` on.
    fn restart(&mut self, first: u64) {
        self.filled = 0;
        self.first = first;
    }

    /// The index behind the last chunk.
    fn end(&self) -> u64 {
        self.first + self.filled.div_ceil(self.stride) as u64
    }

    /// Works on the chunks up to the first bad one, and keeps those before it.
    fn work(&mut self, work: &Work<'_>) -> Result<(), CoreError> {
        let chunks = self.slots[..self.filled].chunks_mut(self.stride);
        for (at, chunk) in chunks.enumerate() {
            if let Err(error) = work(self.first + at as u64, chunk) {
                self.filled = at * self.stride;
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        zeroize_bytes(&mut self.slots);
    }
}

/// A piece that was worked on.
type Worked = (Piece, Result<(), CoreError>);

/// Pieces to be worked on, by their numbers: by jobs of the pool, or by the caller when it would
/// wait. Nobody waits for a job that has not begun: it may come late, and finds nothing.
struct Queue(Mutex<Waiting>);

struct Waiting {
    pieces: VecDeque<(u64, Piece)>,
    /// Jobs that the pool has not begun: as many as pieces, or more. Each takes one, so that other
    /// users of the pool have their turn.
    jobs: usize,
    /// None once the caller is gone.
    work: Option<Arc<Work<'static>>>,
}

impl Queue {
    fn new(work: Arc<Work<'static>>) -> Self {
        Self(Mutex::new(Waiting { pieces: VecDeque::new(), jobs: 0, work: Some(work) }))
    }

    /// Adds a piece, and tells whether the pool needs another job.
    fn push(&self, number: u64, piece: Piece) -> bool {
        let mut waiting = self.lock();
        waiting.pieces.push_back((number, piece));
        let more = waiting.jobs < waiting.pieces.len();
        waiting.jobs += usize::from(more);
        more
    }

    /// Works on the next piece, if there is one, as a job of the pool or as the caller.
    fn work_on_next(&self, by_job: bool) -> Option<(u64, Worked)> {
        let mut waiting = self.lock();
        waiting.jobs -= usize::from(by_job);
        let (number, mut piece) = waiting.pieces.pop_front()?;
        let work = waiting.work.clone()?;
        drop(waiting);
        let result = piece.work(&*work);
        Some((number, (piece, result)))
    }

    fn close(&self) {
        let mut waiting = self.lock();
        waiting.pieces.clear();
        waiting.work = None;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pieces on their way.
struct Pipeline<'p> {
    pool: Option<&'p ThreadPool>,
    queue: Arc<Queue>,
    free: Vec<Piece>,
    /// What was handed out, in order; those that have come back.
    out: VecDeque<Option<Worked>>,
    /// The number of the first piece in `out`.
    first_out: u64,
    done: Sender<thread::Result<(u64, Worked)>>,
    back: Receiver<thread::Result<(u64, Worked)>>,
}

impl<'p> Pipeline<'p> {
    fn new(pool: Option<&'p ThreadPool>, work: Arc<Work<'static>>, free: Vec<Piece>) -> Self {
        let (done, back) = channel();
        let out = VecDeque::with_capacity(free.len());
        Self { pool, queue: Arc::new(Queue::new(work)), free, out, first_out: 0, done, back }
    }

    /// Sends all chunks of `content`, from index `next` on, through the pool.
    fn run(&mut self, mut next: u64, content: &mut impl Content) -> Result<()> {
        let mut failure = None;
        let mut ended = false;
        loop {
            while !ended && let Some(mut piece) = self.free.pop() {
                piece.restart(next);
                failure = content.fill(&mut piece).err();
                next = piece.end();
                ended = failure.is_some() || piece.filled == 0;
                if piece.filled > 0 {
                    self.hand_out(piece);
                }
                // Do not let a slow source keep back what is ready.
                while let Ok(worked) = self.back.try_recv() {
                    self.take_back(worked, content)?;
                }
            }
            if self.out.is_empty() {
                return failure.map_or(Ok(()), Err);
            }
            // Help, and wait only when all pieces are being worked on.
            let worked = self.queue.work_on_next(false).map(Ok);
            if let Some(worked) = worked.or_else(|| self.back.recv().ok()) {
                self.take_back(worked, content)?;
            }
        }
    }

    fn hand_out(&mut self, piece: Piece) {
        let number = self.first_out + self.out.len() as u64;
        self.out.push_back(None);
        if !self.queue.push(number, piece) {
            return;
        }
        let (queue, done) = (Arc::clone(&self.queue), self.done.clone());
        let job = move || {
            let worked = catch_unwind(AssertUnwindSafe(|| queue.work_on_next(true)));
            if let Some(worked) = worked.transpose() {
                // The caller is gone only if it failed; the piece is then wiped.
                let _ = done.send(worked);
            }
        };
        match self.pool {
            Some(pool) => pool.spawn(job),
            None => rayon::spawn(job),
        }
    }

    /// Gives out, in order, what has come back; the first bad chunk by position ends it.
    fn take_back(
        &mut self,
        worked: thread::Result<(u64, Worked)>,
        content: &mut impl Content,
    ) -> Result<()> {
        let (number, worked) = worked.unwrap_or_else(|panic| resume_unwind(panic));
        let at = usize::try_from(number - self.first_out).unwrap_or(usize::MAX);
        if let Some(place) = self.out.get_mut(at) {
            *place = Some(worked);
        }
        while let Some((piece, result)) = self.out.front_mut().and_then(Option::take) {
            self.out.pop_front();
            self.first_out += 1;
            content.drain(&piece)?;
            result?;
            self.free.push(piece);
        }
        Ok(())
    }
}

impl Drop for Pipeline<'_> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Parallel<'_> {
    /// Sends all chunks of `content`, the first of index `first`, through `work`. When it has
    /// succeeded, nobody holds `work` any more.
    pub(super) fn run(
        &self,
        layout: Layout,
        first: u64,
        content: &mut impl Content,
        work: Arc<Work<'static>>,
    ) -> Result<()> {
        if self.threads() == 1 || self.is_inside() {
            return run_alone(layout, first, content, &*work, self.piece());
        }
        let chunks = self.piece();
        let pieces = 2 * self.window.div_ceil(chunks);
        let free = (0..pieces).map(|_| Piece::new(layout, chunks)).collect();
        Pipeline::new(self.pool, work, free).run(first, content)
    }

    /// Works on consecutive chunks in memory, all of them, whatever fails.
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
        let bad = if self.threads() == 1 || slots.len() <= whole(CHUNKS_ALONE) * stride {
            slots.chunks_mut(stride).enumerate().find_map(each)
        } else {
            self.install(|| {
                let slots = slots.par_chunks_mut(stride).enumerate().with_min_len(CHUNKS_A_TASK);
                slots.filter_map(each).min_by_key(|(at, _)| *at)
            })
        };
        bad.map_or(Ok(()), Err)
    }

    /// Chunks of a piece.
    pub(super) fn piece(&self) -> usize {
        self.window.div_ceil(PIECES)
    }

    fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    fn threads(&self) -> usize {
        if self.is_alone {
            return 1;
        }
        self.pool.map_or_else(rayon::current_num_threads, ThreadPool::current_num_threads)
    }

    /// Whether the caller is a thread of the pool, which must not wait for others of it.
    fn is_inside(&self) -> bool {
        self.pool
            .map_or_else(rayon::current_thread_index, ThreadPool::current_thread_index)
            .is_some()
    }
}

/// With one thread, or little to do, nothing overlaps: one piece at a time. Files are written faster in
/// long pieces than chunk by chunk.
pub(super) fn run_alone(
    layout: Layout,
    first: u64,
    content: &mut impl Content,
    work: &Work<'_>,
    chunks: usize,
) -> Result<()> {
    let mut piece = Piece::new(layout, chunks);
    piece.restart(first);
    loop {
        // What came whole before a failure, or before a bad chunk, is given out as ever.
        let filled = content.fill(&mut piece);
        if filled.is_ok() && piece.filled == 0 {
            return Ok(());
        }
        let worked = piece.work(work);
        content.drain(&piece)?;
        worked?;
        filled?;
        piece.restart(piece.end());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::Arc,
    };

    use object_cipher_core::{Layout, Suite};

    use super::{Content, Parallel, Piece};
    use crate::Result;

    struct Endless;

    impl Content for Endless {
        fn fill(&mut self, piece: &mut Piece) -> Result<()> {
            let count = piece.free().len();
            piece.filled(count);
            Ok(())
        }

        fn drain(&mut self, _: &Piece) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_at_work_reaches_the_caller() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let parallel = Parallel::new().with_pool(&pool);
        let layout = Layout::new(Suite::OneLayer);
        let run = AssertUnwindSafe(|| {
            let work = |index, _: &mut [u8]| match index {
                100 => panic!("out of luck"),
                _ => Ok(()),
            };
            parallel.run(layout, 0, &mut Endless, Arc::new(work))
        });
        assert_eq!(catch_unwind(run).unwrap_err().downcast_ref(), Some(&"out of luck"));
    }
}
