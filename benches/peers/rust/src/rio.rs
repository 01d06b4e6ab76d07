//! `rustfs-rio`: its encrypting and decrypting readers.

use rustfs_rio::{DecryptReader, EncryptReader, WarpReader};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    runtime::{Builder, Runtime},
};

use crate::{Subject, content::Content};

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [7; 12];
/// What is read at a time.
const PIECE: usize = 64 << 10;

pub(crate) struct Rio {
    runtime: Runtime,
    content: Content,
    stored: Vec<u8>,
    piece: Vec<u8>,
}

impl Rio {
    pub(crate) fn new(content: Content) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        let mut stored = Vec::new();
        let mut reader = EncryptReader::new(WarpReader::new(content.reader()), KEY, NONCE);
        runtime.block_on(reader.read_to_end(&mut stored)).unwrap();
        drop(reader);
        Self { runtime, content, stored, piece: vec![0; PIECE] }
    }
}

impl Subject for Rio {
    fn seal(&mut self) {
        let reader = EncryptReader::new(WarpReader::new(self.content.reader()), KEY, NONCE);
        let sealed = self.runtime.block_on(drain(reader, &mut self.piece));
        assert_eq!(sealed, self.stored.len());
    }

    fn open(&mut self) {
        let reader = DecryptReader::new(WarpReader::new(&self.stored[..]), KEY, NONCE);
        let opened = self.runtime.block_on(drain(reader, &mut self.piece));
        assert_eq!(opened, self.content.length);
    }
}

async fn drain(mut reader: impl AsyncRead + Unpin, piece: &mut [u8]) -> usize {
    let mut total = 0;
    loop {
        match reader.read(piece).await.unwrap() {
            0 => return total,
            count => total += count,
        }
    }
}
