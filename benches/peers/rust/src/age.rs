//! `age`: a file for one X25519 recipient.

use std::{
    io::{Read, Write},
    iter,
};

use age::{Decryptor, Encryptor, Identity, Recipient, x25519};

use crate::{
    Subject,
    content::{Content, Sink},
};

/// What is written at a time, and read.
const PIECE: usize = 64 << 10;

pub(crate) struct Age {
    identity: x25519::Identity,
    content: Content,
    stored: Vec<u8>,
    piece: Vec<u8>,
}

impl Age {
    pub(crate) fn new(content: Content) -> Self {
        let identity = x25519::Identity::generate();
        let mut age = Self { identity, content, stored: Vec::new(), piece: vec![0; PIECE] };
        let mut stored = Vec::new();
        age.seal_to(&mut stored);
        age.stored = stored;
        age
    }

    fn seal_to(&mut self, sink: impl Write) {
        let recipient = self.identity.to_public();
        let encryptor =
            Encryptor::with_recipients(iter::once(&recipient as &dyn Recipient)).unwrap();
        let mut writer = encryptor.wrap_output(sink).unwrap();
        let mut reader = self.content.reader();
        loop {
            let count = reader.read(&mut self.piece).unwrap();
            if count == 0 {
                break;
            }
            writer.write_all(&self.piece[..count]).unwrap();
        }
        writer.finish().unwrap();
    }
}

impl Subject for Age {
    fn seal(&mut self) {
        self.seal_to(Sink);
    }

    fn open(&mut self) {
        let decryptor = Decryptor::new_buffered(&self.stored[..]).unwrap();
        let identity = iter::once(&self.identity as &dyn Identity);
        let mut reader = decryptor.decrypt(identity).unwrap();
        let mut total = 0;
        loop {
            match reader.read(&mut self.piece).unwrap() {
                0 => break,
                count => total += count,
            }
        }
        assert_eq!(total, self.content.length);
    }
}
