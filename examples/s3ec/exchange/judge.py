"""An independent reader of the S3 Encryption Client's formats V2 and V3, and its rules for who writes them.

It shares no code with our crates or with Amazon's clients, and knows no servers: an object is what a
bucket keeps of it.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import constant_time, hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

SUITE = b"\0\x73"
NONCE = b"\1" * 12
# What a data key is wrapped for: the content's algorithm, in each version's spelling.
BOUND = {"V2": "AES/GCM/NoPadding", "V3": "115"}
SHORT = {"AES/GCM": "02", "kms+context": "12", "RSA-OAEP-SHA1": "22"}
KMS_BOUND = "aws:x-amz-cek-alg"

V2 = {
    "x-amz-key-v2", "x-amz-iv", "x-amz-wrap-alg", "x-amz-cek-alg", "x-amz-tag-len", "x-amz-matdesc",
}
V1_AND_V2 = V2 | {"x-amz-key"}
# What of V3 stays on the object, and what may be in an instruction file.
V3_CONTENT = {"x-amz-c", "x-amz-d", "x-amz-i"}
V3_KEY = {"x-amz-3", "x-amz-w"}
V3 = V3_CONTENT | V3_KEY | {"x-amz-m", "x-amz-t"}
LENGTH = "x-amz-unencrypted-content-length"
MARK = "x-amz-crypto-instr-file"


class Refused(Exception):
    """A reader refuses an object."""


@dataclass
class Stored:
    """An object as a bucket keeps it, with the body and metadata of its instruction file."""

    metadata: dict
    body: bytes
    instruction: bytes | None = None
    mark: dict = field(default_factory=dict)


class Local:
    """A wrapping key that is here: bytes for AES, a private key for RSA."""

    def __init__(self, key):
        self.key = key
        self.algorithm = "AES/GCM" if isinstance(key, bytes) else "RSA-OAEP-SHA1"
        self.words = "x-amz-m"

    def unwrap(self, blob, bound, _words):
        bound = bound.encode()
        if self.algorithm == "AES/GCM":
            try:
                return AESGCM(self.key).decrypt(blob[:12], blob[12:], bound)
            except (InvalidTag, ValueError) as error:
                raise Refused("the wrapped key's tag") from error
        try:
            payload = self.key.decrypt(blob, oaep())
        except ValueError as error:
            raise Refused("the wrapped key's padding") from error
        length, key, rest = payload[:1], payload[1:33], payload[33:]
        if length != b"\x20" or not constant_time.bytes_eq(rest, bound):
            raise Refused("the wrapped key is for another algorithm")
        return key


class Kms:
    """A key in a KMS, which `decrypt` asks: wrapped key and context to the data key."""

    algorithm = "kms+context"
    words = "x-amz-t"

    def __init__(self, decrypt):
        self.decrypt = decrypt

    def unwrap(self, blob, bound, words):
        if words.get(KMS_BOUND) != bound:
            raise Refused("the context is for another algorithm")
        return self.decrypt(blob, words)


def oaep():
    return padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


def derive(data_key, message_id):
    """The content key and the commitment of V3."""
    extract = hmac.HMAC(message_id, hashes.SHA512())
    extract.update(data_key)
    secret = extract.finalize()
    content_key = HKDFExpand(hashes.SHA512(), 32, SUITE + b"DERIVEKEY").derive(secret)
    return content_key, HKDFExpand(hashes.SHA512(), 28, SUITE + b"COMMITKEY").derive(secret)


def fields(stored):
    """The version and its fields, from the places where they belong."""
    found = {name: value for name, value in stored.metadata.items() if name in V1_AND_V2 | V3}
    if not {"x-amz-key", "x-amz-key-v2", "x-amz-3"} & set(found):
        if stored.instruction is None:
            raise Refused("no wrapped key and no instruction file")
        beside = words_of(stored.instruction)
        if V3_CONTENT & set(beside) or set(found) - V3_CONTENT:
            raise Refused("a field is where it does not belong")
        found |= {name: value for name, value in beside.items() if name in V1_AND_V2 | V3}
    if set(found) & V1_AND_V2 and set(found) & V3:
        raise Refused("fields of two versions")
    if "x-amz-key" in found:
        raise Refused("version 1")
    version = "V2" if "x-amz-key-v2" in found else "V3"
    missing = (V2 if version == "V2" else V3_CONTENT | V3_KEY) - set(found)
    if missing:
        raise Refused(f"no {sorted(missing)[0]}")
    return version, found


def read(stored, key):
    """The plaintext, or Refused."""
    version, found = fields(stored)
    nonce, associated, suite = NONCE, SUITE, found.get("x-amz-c")
    wrapping, words = found.get("x-amz-w"), found.get(key.words, "{}")
    algorithm = SHORT[key.algorithm]
    if version == "V2":
        nonce, associated, suite = sized(found["x-amz-iv"], 12), None, found["x-amz-cek-alg"]
        wrapping, words = found["x-amz-wrap-alg"], found["x-amz-matdesc"]
        algorithm = key.algorithm
        if found["x-amz-tag-len"] != "128":
            raise Refused("the tag's length")
    if suite != BOUND[version] or wrapping != algorithm:
        raise Refused("an algorithm")
    blob = decoded(found["x-amz-key-v2" if version == "V2" else "x-amz-3"])
    content_key = key.unwrap(blob, BOUND[version], words_of(words))
    if len(content_key) != 32:
        raise Refused("the data key's length")
    if version == "V3":
        message_id = sized(found["x-amz-i"], 28)
        content_key, commitment = derive(content_key, message_id)
        if not constant_time.bytes_eq(commitment, decoded(found["x-amz-d"])):
            raise Refused("the commitment")
    try:
        return AESGCM(content_key).decrypt(nonce, stored.body, associated)
    except (InvalidTag, ValueError) as error:
        raise Refused("the content's tag") from error


def sized(text, length):
    """Bytes of this length, which somebody filled."""
    raw = decoded(text)
    if len(raw) != length or not any(raw):
        raise Refused("an IV or a message id")
    return raw


def decoded(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("base64") from error


def words_of(text):
    """A JSON object of strings, no name twice."""
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)
    except ValueError as error:
        raise Refused("JSON") from error
    # An object within is a tuple as well, and a list is not.
    if not isinstance(pairs, tuple) or not all(isinstance(value, str) for _, value in pairs):
        raise Refused("no JSON object of strings")
    if len(dict(pairs)) != len(pairs):
        raise Refused("a name twice")
    return dict(pairs)


def written_well(stored, version, key, words, storage, length):
    """What a writer owes beyond being readable: these fields, there, and no others."""
    described = ({key.words} if words or key.words == "x-amz-t" else set()) if version == "V3" else set()
    beside = V3_KEY | described if version == "V3" else V2
    on_object = V3_CONTENT if version == "V3" else set()
    if storage == "metadata":
        on_object, beside = on_object | beside, set()
    metadata = dict(stored.metadata)
    if version == "V2" and storage == "metadata" and LENGTH in metadata:
        assert metadata.pop(LENGTH) == str(length), "a wrong length"
    assert set(metadata) == on_object, f"on the object {sorted(metadata)}, not {sorted(on_object)}"
    assert all(value.isascii() for value in metadata.values()), "metadata is not ASCII"
    found = metadata
    if storage == "metadata":
        assert stored.instruction is None, "an instruction file nobody asked for"
    else:
        assert stored.instruction is not None, "no instruction file"
        assert stored.mark in ({}, {MARK: ""}), f"on the instruction file {stored.mark}"
        inside = words_of(stored.instruction)
        assert set(inside) == beside, f"in the file {sorted(inside)}, not {sorted(beside)}"
        found = metadata | inside
    name = "x-amz-matdesc" if version == "V2" else key.words
    assert found.get(name, "{}").isascii(), f"{name} is not ASCII"
    bound = {KMS_BOUND: BOUND[version]} if key.algorithm == "kms+context" else {}
    assert words_of(found.get(name, "{}")) == words | bound, f"{name} is {found.get(name)}"
    assert len(stored.body) == length + 16, "the body's length"
