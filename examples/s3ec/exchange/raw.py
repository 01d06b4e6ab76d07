"""Raw keys, AES and RSA, which Amazon's client for Python does not have: an independent reader and writer
stand in for it.
"""

import functools
import itertools
import os
import pathlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from attacks import SIZE
from exchange import FOREIGN
from forge import forge, forgeries
from judge import Local, read, written_well
from sides import CONTENT, READER, WRITER, refused, same
from tamper import changes, mixtures

STORAGES = ("metadata", "instruction")
# Material descriptions, each with a size of content.
WORDS = {
    "no words": (None, 0),
    "words": ({"key-name": "alpha", "version": "1"}, 1000),
    "words that are not ASCII": (FOREIGN, 65537),
}


@dataclass
class Key:
    local: Local
    wrap: str
    # What suffices to write.
    public: str


class Raw:
    def __init__(self, bucket, ours, folder):
        self.bucket, self.ours, self.folder = bucket, ours, folder
        self.keys = {f"AES-{bits}": self.aes(f"aes{bits}", bits // 8) for bits in (128, 192, 256)}
        self.keys |= {f"RSA-{bits}": self.rsa(f"rsa{bits}", bits) for bits in (2048, 3072)}
        self.others = {"AES-256": self.aes("aes-other", 32), "RSA-2048": self.rsa("rsa-other", 2048)}

    def aes(self, name, length):
        key = os.urandom(length)
        wrap = f"aes:{self.file(name, key.hex().encode())}"
        return Key(Local(key), wrap, wrap)

    def rsa(self, name, bits):
        key = rsa.generate_private_key(65537, bits)
        pem, unsealed = serialization.Encoding.PEM, serialization.NoEncryption()
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unsealed)
        public = serialization.PublicFormat.SubjectPublicKeyInfo
        public = self.file(f"{name}-public", key.public_key().public_bytes(pem, public))
        return Key(Local(key), f"rsa:{self.file(name, private)}", f"rsa:{public}")

    def file(self, name, content):
        path = pathlib.Path(self.folder, name)
        path.write_bytes(content)
        return path

    def run(self, rounds):
        rounds.group("the judge reads s3ec's objects of raw keys", self.table(self.ours_before_judge))
        rounds.group("s3ec reads the forger's objects of raw keys", self.table(self.forged_before_ours))
        rounds.group("s3ec before the forger's faulty objects", self.faulty())
        rounds.group("s3ec before the forger's changed objects", self.changed())
        rounds.group("the judge before s3ec's changed objects", self.judged())
        rounds.group("s3ec with keys that do not fit", self.unfit())

    def table(self, call):
        for key in self.keys:
            for version in WRITER:
                for storage in STORAGES:
                    for words in WORDS:
                        name = f"{key}, {version} in {storage}, {words}"
                        yield name, call, name, self.keys[key], version, storage, *WORDS[words]

    def ours_before_judge(self, name, key, version, storage, words, size):
        content = CONTENT[:size]
        # Some by the public half alone.
        wrap = key.public if words else key.wrap
        self.ours.put(name, content, WRITER[version], wrap, storage=storage, matdesc=words)
        stored = self.bucket.load(name)
        written_well(stored, version, key.local, words or {}, storage, size)
        same(read(stored, key.local), content)

    def forged_before_ours(self, name, key, version, storage, words, size):
        name, content = f"forged {name}", CONTENT[:size]
        self.bucket.save(name, forge(content, version, key.local, words or {}, storage))
        same(self.ours.get(name, READER, key.wrap, storage=storage), content)
        strict = functools.partial(self.ours.get, name, WRITER["V3"], key.wrap, storage=storage)
        if version == "V2":
            refused(strict)
        else:
            same(strict(), content)

    def refuses(self, name, key, stored, storage="metadata", **options):
        refused(read, stored, key.local)
        self.bucket.save(name, stored)
        refused(self.ours.get, name, READER, key.wrap, storage=storage, **options)

    def faulty(self):
        for kind in ("AES-128", "AES-256", "RSA-2048"):
            for version in WRITER:
                for fault, stored in forgeries(CONTENT[:SIZE], version, self.keys[kind].local, {}):
                    name = f"{kind}, {version}, {fault}"
                    yield name, self.refuses, f"faulty {name}", self.keys[kind], stored

    def changed(self):
        # What differs in an instruction file has nothing to do with the kind of key.
        kinds = [("AES-256", "metadata"), ("AES-256", "instruction"), ("RSA-2048", "metadata")]
        for (kind, storage), version in itertools.product(kinds, WRITER):
            key, what = self.keys[kind], f"{kind}, {version} in {storage}"
            made = functools.partial(forge, CONTENT[:SIZE], version, key.local, {}, storage)
            stored, sibling = made(), made()
            tampered = dict([*changes(stored, sibling, False), *mixtures(stored)])
            for change, one in tampered.items():
                yield f"{what}, {change}", self.refuses, f"changed {what}, {change}", key, one, storage
            if version == "V3" or storage == "instruction":
                continue
            # Read as one of V1 it has a random key, whose padding may be good by chance.
            tampered.pop("relabelled as V1 of old")
            for change, one in tampered.items():
                name, refuses = f"{what}, {change}", functools.partial(self.refuses, legacy=True)
                yield f"{name}, with legacy modes", refuses, f"legacy {name}", key, one

    def judged(self):
        for kind in self.others:
            for version, policy in WRITER.items():
                for storage in STORAGES:
                    key, what, pair = self.keys[kind], f"{kind}, {version} in {storage}", []
                    for _ in range(2):
                        self.ours.put(what, CONTENT[:SIZE], policy, key.wrap, storage=storage)
                        pair.append(self.bucket.load(what))
                    for change, tampered in changes(*pair, False):
                        yield f"{what}, {change}", refused, read, tampered, key.local

    def unfit(self):
        wraps = {kind: key.wrap for kind, key in self.keys.items()}
        wraps |= {f"another {kind}": key.wrap for kind, key in self.others.items()}
        wraps |= {"the public half": self.keys["RSA-2048"].public}
        for name, kind, content in [
            ("half a key", "aes", b"00" * 8), ("five quarters of a key", "aes", b"00" * 20),
            ("no digits", "aes", b"x" * 64), ("no key", "aes", b""), ("no PEM", "rsa", b"00" * 32),
        ]:
            wraps[name] = f"{kind}:{self.file(name, content)}"
        wraps["no file"] = f"aes:{self.folder}/nothing"
        for kind in self.others:
            for version in WRITER:
                stored = forge(CONTENT[:SIZE], version, self.keys[kind].local, {})
                for name, wrap in wraps.items():
                    if name != kind:
                        what = f"{name} for {kind}, {version}"
                        yield what, self.does_not_open, f"unfit {what}", stored, wrap

    def does_not_open(self, key, stored, wrap):
        self.bucket.save(key, stored)
        refused(self.ours.get, key, READER, wrap)
