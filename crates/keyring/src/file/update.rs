//! A change of a keyring file, from the lock to the bytes on disk: [`Update`].

use std::{path::PathBuf, sync::Arc};

use object_cipher_core::{CryptoBackend, SourceKey};
use zeroize::Zeroizing;

use super::{KeyringFile, State};
use crate::{
    Error, MAX_WRAPS, Result,
    disk::{self, WriterLock},
    format,
    record::{Content, Record},
};

/// A change under way: holds the lock, and the file as it is.
pub(super) struct Update<'a, B> {
    file: &'a KeyringFile<B>,
    pub(super) state: State,
    pub(super) records: Vec<Record>,
    old: Zeroizing<Vec<u8>>,
    _lock: WriterLock,
}

impl<'a, B: CryptoBackend> Update<'a, B> {
    pub(super) fn begin(file: &'a KeyringFile<B>) -> Result<Self> {
        // Before the turn: it may take long, and readers need only the turn.
        let lock = WriterLock::acquire(&file.path)?;
        let turn = file.turn();
        let (old, state) = file.read()?;
        drop(turn);
        let records = state.keyring.records().to_vec();
        Ok(Self { file, state, records, old, _lock: lock })
    }

    pub(super) fn enabled(&self) -> Result<&Record> {
        let none = || Error::EnabledCount { keyring: self.state.keyring.id().clone() };
        self.records.iter().find(|record| record.is_enabled()).ok_or_else(none)
    }

    pub(super) fn add(&mut self, created: u64) -> Result<u32> {
        let newest = self.records.last().map_or(0, |record| record.number);
        let full = || Error::TooManyVersions { keyring: self.state.keyring.id().clone() };
        let number = newest.checked_add(1).ok_or_else(full)?;
        let content = Content::Waiting(draw(&self.file.backend)?);
        self.records.push(Record { number, created, wraps: 0, content });
        Ok(number)
    }

    pub(super) fn rotate(&mut self, created: u64) -> Result<u32> {
        let number = match self.records.iter().rev().find(|record| record.is_waiting()) {
            Some(record) => record.number,
            None => self.add(created)?,
        };
        self.promote(number);
        Ok(number)
    }

    pub(super) fn promote(&mut self, number: u32) {
        for record in &mut self.records {
            record.follow_promotion(number);
        }
    }

    pub(super) fn destroy(&mut self, number: u32) {
        for record in self.records.iter_mut().filter(|record| record.number == number) {
            record.content = Content::Destroyed;
        }
    }

    /// Reserves the next block of the enabled version, `taken` wraps of which are the caller's.
    pub(super) fn reserve(mut self, taken: u64) -> Result<()> {
        let enabled = Arc::clone(self.state.keyring.enabled());
        let mut block = 0;
        for record in self.records.iter_mut().filter(|record| record.is_enabled()) {
            block = self.file.wrap_block.min(MAX_WRAPS.saturating_sub(record.wraps));
            record.wraps = record.wraps.saturating_add(block);
        }
        if block == 0 {
            return Err(enabled.wrap_limit());
        }
        // The previous generation stays: it is the one before the last change of a key.
        self.put(&self.encode()?)?;
        // Still under the lock: the next thread finds the block and reserves no other.
        enabled.counter().grant(block.saturating_sub(taken));
        Ok(())
    }

    /// Writes the next generation of the keys, and keeps the one before it.
    pub(super) fn commit(self) -> Result<()> {
        let bytes = self.encode()?;
        disk::put(&self.previous(), &self.old)?;
        self.put(&bytes)
    }

    /// Writes the next generation of the keys, and keeps none before it. What is there of older
    /// ones goes first, so that it cannot be left behind.
    pub(super) fn commit_and_forget(self) -> Result<()> {
        let bytes = self.encode()?;
        disk::remove_all(&self.previous())?;
        self.put(&bytes)
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let keyring = &self.state.keyring;
        let generation = keyring.generation().saturating_add(1);
        format::encode(keyring.id(), generation, &self.records, &self.state.key, &self.file.backend)
    }

    fn put(&self, bytes: &[u8]) -> Result<()> {
        let _turn = self.file.turn();
        disk::put(&self.file.path, bytes)?;
        // Taken over as any reader would: from the bytes.
        self.file.take_over(bytes, &self.state.key).map(drop)
    }

    fn previous(&self) -> PathBuf {
        disk::beside(&self.file.path, disk::PREVIOUS)
    }
}

/// A new random key.
pub(super) fn draw<B: CryptoBackend>(backend: &B) -> Result<Arc<SourceKey>> {
    Ok(SourceKey::try_fill(|bytes| backend.random(bytes))
        .map_err(object_cipher_core::Error::from)?)
}
