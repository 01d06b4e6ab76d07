"""Seals and opens a stream in memory by Tink for Python, whose work C++ and BoringSSL do, for the benches
to compare with.

The arguments are the content's length and that of the block that it is made of, again and again. Requests
come line by line: `seal` or `open`, and how often. The answer is the processor time that it took on this
thread, in nanoseconds.
"""

import io
import sys
import time

import tink
from tink import streaming_aead

PIECE = 1 << 20


class Sink(io.RawIOBase):
    """Takes bytes and does nothing with them."""

    def writable(self):
        return True

    def write(self, data):
        return len(data)


class Streams:
    """What can be asked for."""

    def __init__(self, length, block):
        self.block, self.times = b"\x5a" * block, length // block
        streaming_aead.register()
        template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
        self.aead = tink.new_keyset_handle(template).primitive(streaming_aead.StreamingAead)
        stored = Kept()
        self.seal_to(stored)
        self.stored = stored.kept
        assert self.opened() == length

    def seal(self):
        self.seal_to(Sink())

    def seal_to(self, sink):
        with self.aead.new_encrypting_stream(sink, b"") as stream:
            for _ in range(self.times):
                stream.write(self.block)

    def open(self):
        self.opened()

    def opened(self):
        total = 0
        with self.aead.new_decrypting_stream(io.BytesIO(self.stored), b"") as stream:
            while piece := stream.read(PIECE):
                total += len(piece)
        return total


class Kept(io.BytesIO):
    """Keeps what was written when it is closed."""

    def close(self):
        if not self.closed:
            self.kept = self.getvalue()
        super().close()


def main():
    length, block = map(int, sys.argv[1:])
    streams = Streams(length, block)
    acts = {"seal": streams.seal, "open": streams.open}
    for request in sys.stdin:
        name, count = request.split()
        start = time.thread_time_ns()
        for _ in range(int(count)):
            acts[name]()
        print(time.thread_time_ns() - start, flush=True)


main()
