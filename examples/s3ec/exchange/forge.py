"""Writes objects of the formats V2 and V3 without any client, well or with one thing wrong."""

import base64
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from judge import BOUND, NONCE, SHORT, SUITE, V3_CONTENT, Stored, derive, oaep


def forge(content, version, key, words, storage="metadata", **wrong):
    """An object for a wrapping key that is here; what is wrong with it takes the place of what is right."""
    seal = seal_v2 if version == "V2" else seal_v3
    stored = seal(content, key, words, **wrong)
    return stored if storage == "metadata" else to_instruction_file(stored)


def seal_v2(content, key, words, data_key=None, blob=None, iv=None, associated=None, tag=16):
    data_key = data_key or os.urandom(32)
    iv = os.urandom(12) if iv is None else iv
    body = AESGCM(data_key).encrypt(iv, content, associated)
    metadata = {
        "x-amz-key-v2": text(blob or wrap(key, data_key, BOUND["V2"])),
        "x-amz-iv": text(iv),
        "x-amz-wrap-alg": key.algorithm,
        "x-amz-cek-alg": BOUND["V2"],
        "x-amz-tag-len": str(tag * 8),
        "x-amz-matdesc": json.dumps(words),
    }
    return Stored(metadata, body[: len(content) + tag])


def seal_v3(
    content, key, words, data_key=None, blob=None, message_id=None, nonce=NONCE, associated=SUITE,
    commitment=None,
):
    data_key = data_key or os.urandom(32)
    message_id = message_id or os.urandom(28)
    content_key, committed = derive(data_key, message_id)
    metadata = {
        "x-amz-c": BOUND["V3"],
        "x-amz-3": text(blob or wrap(key, data_key, BOUND["V3"])),
        "x-amz-w": SHORT[key.algorithm],
        "x-amz-d": text(commitment(committed) if commitment else committed),
        "x-amz-i": text(message_id),
    }
    if words:
        metadata["x-amz-m"] = json.dumps(words)
    return Stored(metadata, AESGCM(content_key).encrypt(nonce, content, associated))


def wrap(key, data_key, bound):
    bound = bound.encode()
    if key.algorithm == "AES/GCM":
        iv = os.urandom(12)
        return iv + AESGCM(key.key).encrypt(iv, data_key, bound)
    return encrypt(key, bytes([len(data_key)]) + data_key + bound)


def encrypt(key, payload, scheme=None):
    """By the public half."""
    return key.key.public_key().encrypt(payload, scheme or oaep())


def to_instruction_file(stored):
    """The same object with what can be in an instruction file moved into one."""
    stays = {n: value for n, value in stored.metadata.items() if n in V3_CONTENT}
    moved = {n: value for n, value in stored.metadata.items() if n not in V3_CONTENT}
    return Stored(stays, stored.body, json.dumps(moved).encode())


def forgeries(content, version, key, words):
    """Each object has one thing wrong and all else done with the right key."""
    data_key = os.urandom(32)
    right, other = BOUND[version].encode(), BOUND["V3" if version == "V2" else "V2"].encode()

    def made(**wrong):
        return forge(content, version, key, words, **{"data_key": data_key} | wrong)

    yield "wrapped for the other version", made(blob=wrap(key, data_key, other.decode()))
    if key.algorithm == "AES/GCM":
        for name, bound in [("for nothing", b""), ("for a longer name", right + b"0")]:
            yield f"wrapped {name}", made(blob=wrap(key, data_key, bound.decode()))
        yield "wrapped without its tag", made(blob=wrap(key, data_key, right.decode())[:-16])
    else:
        payloads = {
            "the bare data key": data_key,
            "no algorithm": b"\x20" + data_key,
            "half the algorithm": b"\x20" + data_key + right[:-1],
            "more than the algorithm": b"\x20" + data_key + right + b"0",
            "a length of 16": b"\x10" + data_key + right,
            "a length of 255": b"\xff" + data_key + right,
            "nothing": b"",
        }
        for name, payload in payloads.items():
            yield f"wrapped with {name}", made(blob=encrypt(key, payload))
        good = b"\x20" + data_key + right
        sha256 = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        mixed = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), None)
        labelled = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), b"label")
        yield "wrapped with OAEP of SHA-256", made(blob=encrypt(key, good, sha256))
        yield "wrapped with OAEP of two hashes", made(blob=encrypt(key, good, mixed))
        yield "wrapped with a label", made(blob=encrypt(key, good, labelled))
        yield "wrapped with PKCS #1 1.5", made(blob=encrypt(key, good, padding.PKCS1v15()))
    for length in (16, 24):
        yield f"a data key of {length} bytes", made(data_key=os.urandom(length))
    if version == "V2":
        yield "an IV of 16 bytes", made(iv=os.urandom(16))
        yield "an IV of zeros", made(iv=bytes(12))
        yield "data authenticated beside the content", made(associated=SUITE)
        yield "a tag of 12 bytes", made(tag=12)
        return
    yield "the IV of snapshots, zeros", made(nonce=bytes(12))
    yield "nothing authenticated beside the content", made(associated=None)
    yield "a message id of 27 bytes", made(message_id=os.urandom(27))
    yield "a message id of 32 bytes", made(message_id=os.urandom(32))
    yield "a message id of zeros", made(message_id=bytes(28))
    yield "half a commitment", made(commitment=lambda whole: whole[:14])
    yield "a commitment and a byte", made(commitment=lambda whole: whole + b"\0")
    yield "an empty commitment", made(commitment=lambda whole: b"")


def text(raw):
    return base64.b64encode(raw).decode()
