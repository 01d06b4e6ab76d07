//! What all streams do with their buffer: [`UnitStream`].

use core::ops::Range;

use crate::{BodyStream, Error, Result, wiped::Buffer};

/// A [`BodyStream`] with one buffer: input gathers there until it makes a unit, and what becomes of
/// the unit, in place, waits there to be taken. It wipes the buffer when it fails, and stays failed.
pub(crate) struct UnitStream<U> {
    units: U,
    buffer: Buffer,
    /// Bytes of the next unit that are in.
    filled: usize,
    output: Range<usize>,
    status: Status,
}

/// What a stream works on at a time: headers, a chunk, a piece of a message.
pub(crate) trait Units: Send {
    /// Where the next unit lies in the buffer.
    fn room(&self) -> Range<usize>;

    /// Whether so many bytes more may come in.
    fn admit(&mut self, _count: usize) -> Result<()> {
        Ok(())
    }

    /// The unit is whole: makes output of it, and gives where that lies.
    fn whole(&mut self, buffer: &mut [u8]) -> Result<Range<usize>>;

    /// All output was taken: gives how many bytes of the next unit are in its room already.
    fn next(&mut self, _buffer: &mut [u8]) -> usize {
        0
    }

    /// Whether the input may end now, with or without output that waits.
    fn may_end(&self, waiting: bool) -> Result<()> {
        end_without_output(waiting)
    }

    /// The input has ended behind the first `filled` bytes of a unit: makes output of them.
    fn end(&mut self, buffer: &mut [u8], filled: usize) -> Result<Range<usize>>;
}

/// Whether a stream goes on.
enum Status {
    Running,
    Ended,
    Failed(Error),
}

impl<U: Units> UnitStream<U> {
    /// The buffer has room for every unit, and for what becomes of it.
    pub(crate) fn new(units: U, buffer: Buffer) -> Self {
        Self { units, buffer, filled: 0, output: 0..0, status: Status::Running }
    }

    /// The units, once the stream is done.
    pub(crate) fn into_ended(self) -> Result<U> {
        self.check()?;
        if !self.is_done() {
            return Err(Error::Misuse("call `end` and take all output before `finish`"));
        }
        Ok(self.units)
    }

    fn take_in(&mut self, count: usize) -> Result<()> {
        if count > self.input().len() {
            return Err(Error::Misuse("more input than there was room"));
        }
        if count == 0 {
            return Ok(());
        }
        self.units.admit(count)?;
        self.filled += count;
        if self.filled == self.units.room().len() {
            self.filled = 0;
            self.output = self.units.whole(&mut self.buffer)?;
        }
        Ok(())
    }

    fn take_end(&mut self) -> Result<()> {
        self.units.may_end(!self.output.is_empty())?;
        if self.is_running() {
            self.output = self.units.end(&mut self.buffer, self.filled)?;
            self.status = Status::Ended;
        }
        Ok(())
    }

    /// Makes an error final.
    fn note(&mut self, result: Result<()>) -> Result<()> {
        if let Err(error) = &result {
            self.buffer.wipe();
            self.status = Status::Failed(error.clone());
        }
        result
    }
}

impl<U> UnitStream<U> {
    pub(crate) fn units(&self) -> &U {
        &self.units
    }

    pub(crate) fn units_mut(&mut self) -> &mut U {
        &mut self.units
    }

    fn is_running(&self) -> bool {
        matches!(self.status, Status::Running)
    }

    fn check(&self) -> Result<()> {
        match &self.status {
            Status::Failed(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

impl<U: Units> BodyStream for UnitStream<U> {
    fn input(&mut self) -> &mut [u8] {
        if !self.is_running() || !self.output.is_empty() {
            return &mut [];
        }
        let Range { start, end } = self.units.room();
        &mut self.buffer[start + self.filled..end]
    }

    fn filled(&mut self, count: usize) -> Result<()> {
        self.check()?;
        let taken_in = self.take_in(count);
        self.note(taken_in)
    }

    fn end(&mut self) -> Result<()> {
        self.check()?;
        let ended = self.take_end();
        self.note(ended)
    }

    fn output(&self) -> &[u8] {
        match self.status {
            Status::Failed(_) => &[],
            _ => &self.buffer[self.output.clone()],
        }
    }

    fn taken(&mut self, count: usize) {
        let waiting = !self.output.is_empty();
        self.output.start = self.output.end.min(self.output.start.saturating_add(count));
        if waiting && self.output.is_empty() && self.is_running() {
            self.filled = self.units.next(&mut self.buffer);
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.status, Status::Ended) && self.output.is_empty()
    }
}

/// The input does not end while output waits.
pub(crate) fn end_without_output(waiting: bool) -> Result<()> {
    if waiting { Err(Error::Misuse("output must be taken before the stream ends")) } else { Ok(()) }
}

/// Implements [`BodyStream`] for a type by forwarding every call to the [`UnitStream`] in it.
macro_rules! forward_body_stream {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> $crate::BodyStream for $type {
            fn input(&mut self) -> &mut [u8] {
                self.0.input()
            }

            fn filled(&mut self, count: usize) -> $crate::Result<()> {
                self.0.filled(count)
            }

            fn end(&mut self) -> $crate::Result<()> {
                self.0.end()
            }

            fn output(&self) -> &[u8] {
                self.0.output()
            }

            fn taken(&mut self, count: usize) {
                self.0.taken(count);
            }

            fn is_done(&self) -> bool {
                self.0.is_done()
            }
        }
    };
}

pub(crate) use forward_body_stream;
