#!/usr/bin/env python3
"""Judges the test vectors by a reader that was written from SPEC.md alone.

    python vectors/reference.py vectors [--causes]

The reader is in `reader/`, its functions in the order of SPEC.md: `sealing.py`, `records.py`,
`reading.py`, and for appendix D `bucket.py`. It needs Python 3.11 and PyPI `cryptography`, of which it uses AES-GCM and HKDF only.
Every vector of every file is judged, and none is skipped: a reject has to be refused at its step.
With `--causes`, each reject is printed with its reason and the rule that refused it.
"""
import json
import pathlib
import sys
from base64 import b64decode
from hashlib import sha256
from itertools import combinations

sys.dont_write_bytecode = True
from reader import bucket, reading, records, sealing  # noqa: E402
from reader.sealing import Reject, step  # noqa: E402

FORMAT = "object-cipher-vectors/1"
MODES = {"sse-s3": 1, "sse-kms": 2, "dsse-kms": 3, "sse-c": 4, "client": 5}
EK_SOURCES = {"master": 1, "kms": 2, "bucket-key": 3, "customer": 4, "client": 5}
STATES = {"in_progress": 2, "completed_without_key": 3}
ALGORITHMS = {"CRC32": 1, "CRC32C": 2, "CRC64NVME": 3, "SHA1": 4, "SHA256": 5, "SHA512": 6,
              "MD5": 7, "XXHASH64": 8, "XXHASH3": 9, "XXHASH128": 10}
KINDS = {"FULL_OBJECT": 1, "COMPOSITE": 2}


class Disagreement(Exception):
    """The reader and a vector say different things."""


def agree(what, got, stated):
    if got != stated:
        raise Disagreement(f"{what}: got {got!r:.80}, the vector has {stated!r:.80}")


# What the fields of a vector say

def base64(text):
    return b64decode(text, validate=True)


def optional(decode, vector, field):
    return decode(vector[field]) if field in vector else None


def checksum(stated):
    return ALGORITHMS[stated["algorithm"]], bytes.fromhex(stated["digest_hex"])


def typed_checksum(stated):
    algorithm, digest = checksum(stated)
    return bytes([algorithm, KINDS[stated["kind"]]]) + digest


def identity(stated):
    items = {name[:-4]: bytes.fromhex(item) for name, item in stated.items() if name[-4:] == "_hex"}
    with step("encryption_context"):
        pairs = stated["encryption_context"].items()
        return {**items, "encryption_context": sealing.canonical_context(pairs, server=True)}


def agree_plaintext(got, stated):
    if "sha256" in stated:
        agree("plaintext", (len(got), sha256(got).hexdigest()), (stated["len"], stated["sha256"]))
    else:
        agree("plaintext", got, base64(stated["b64"]) if "b64" in stated
              else bytes.fromhex(stated["hex"]))


# One judge a file. Each returns if it could read all of the vector.

def judge_body(vector):
    names = ["dek_hex", "context_hex"], ["outer_dek_hex", "outer_context_hex"]
    layers = [tuple(bytes.fromhex(vector[name]) for name in pair)
              for pair in names[: vector["layers"]]]
    with step("body"):
        plaintext = sealing.open_message(layers, base64(vector["body_b64"]))
    if "reject" not in vector:
        agree_plaintext(plaintext, vector["plaintext"])


def judge_wrap(vector):
    given = {name[:-4]: bytes.fromhex(x) for name, x in vector.items() if name[-4:] == "_hex"}
    mode, layer, source = MODES[vector["mode"]], vector["layer"], EK_SOURCES[vector["ek_source"]]
    ek = sealing.derive_ek(given["source_key"], mode, layer, source)
    agree("EK", ek, given["ek"])
    info = base64(vector["info_b64"])
    digest = sealing.bound_digest(given["clear_fields"], given["identity"], info)
    agree("H", digest, given["bound_digest"])
    with step("key_wrap"):
        data_key = sealing.unwrap(ek, layer, digest, given["wrapped"])
    if "reject" not in vector:
        agree("data key", data_key, given["data_key"])


def open_stored(vector, state):
    """15.1: the Envelope of an object or upload, and its data keys."""
    with step("envelope_text"):
        data = records.decode_text(vector["envelope_b64"])
    with step("envelope"):
        envelope = records.parse_envelope(data)
    deks = reading.open_envelope(
        envelope, state, MODES[vector["mode"]], identity(vector["identity"]),
        vector.get("required", []), [bytes.fromhex(key) for key in vector["source_keys_hex"]])
    if "reject" not in vector:
        sources = [EK_SOURCES[vector["ek_source"]]] * len(vector["source_keys_hex"])
        agree("ek_source", [layer.ek_source for layer in envelope.layers], sources)
    return envelope, deks


def judge_object(vector):
    envelope, deks = open_stored(vector, 1)
    tags = reading.open_info(envelope, deks)
    bodies = {int(part): base64(body) for part, body in vector["bodies_b64"].items()}
    pages = [base64(page) for page in vector.get("part_pages_b64", [])]
    content = reading.Content(deks, envelope.object_id, tags, bodies,
                              optional(base64, vector, "part_index_b64"), pages)
    plaintext = content.read()
    if "reject" not in vector:
        agree_object(vector, tags, content, plaintext)


def agree_object(vector, tags, content, plaintext):
    agree_plaintext(plaintext, vector["plaintext"])
    judge_ranges(content, plaintext)
    stated = vector["attributes"]
    agree("ETag", tags.get(5), optional(bytes.fromhex, stated, "etag_hex"))
    agree("checksum", tags.get(6), optional(typed_checksum, stated, "checksum"))
    agree("digest", tags.get(7), optional(bytes.fromhex, stated, "metadata_digest_hex"))


def judge_ranges(content, plaintext):
    """15.4: ranges about the ends of content and chunks, and some that hold nothing."""
    size, edges = len(plaintext), range(0, len(plaintext), sealing.CHUNK)
    marks = {edge + about for edge in [*edges, size // 2, size] for about in (-1, 0, 1)}
    for a, b in combinations(sorted(mark for mark in marks if 0 <= mark <= size), 2):
        agree(f"range {a} to {b}", content.read_range(a, b), plaintext[a:b])
    for a, b in [(0, None), (size - 1, None), (0, size + 1), (size // 2, 1 << 64)]:
        if 0 <= a < size:
            agree(f"range {a} to {b}", content.read_range(a, b), plaintext[a:b])
    for a, b in [(size, None), (size + 1, None), (0, 0), (size, size + 1)]:
        try:
            content.read_range(a, b)
        except Reject as reject:
            agree(f"range {a} to {b}", reject.step, "range")
        else:
            raise Disagreement(f"range {a} to {b}: opened, though it holds nothing")


def judge_upload(vector):
    envelope, deks = open_stored(vector, STATES[vector["state"]])
    parts = [(part["part"], base64(part["body_b64"]), optional(base64, part, "receipt_b64"),
              optional(bytes.fromhex, part, "named_etag_hex"),
              optional(checksum, part, "named_checksum")) for part in vector["parts"]]
    kept = base64(vector["kept_receipts_b64"]) if envelope.state == 3 else None
    receipts, content = reading.complete_upload(envelope, deks, parts, kept)
    plaintext = content.read()
    if "reject" not in vector:
        agree("parts", list(receipts), [part["part"] for part in vector["parts"]])
        judge_ranges(content, plaintext)
        at = 0
        for part, receipt in zip(vector["parts"], receipts.values()):
            agree_plaintext(plaintext[at : at + receipt.length], part["plaintext"])
            agree("ETag", receipt.etag, bytes.fromhex(part["etag_hex"]))
            agree("checksums", receipt.checksums, [*map(checksum, part.get("checksums", []))])
            at += receipt.length
        agree("length", at, len(plaintext))


def judge_context(vector):
    with step("encryption_context"):
        form = sealing.canonical_context(vector["pairs"], vector.get("server", False))
    if "reject" not in vector:
        agree("canonical form", form, bytes.fromhex(vector["canonical_hex"]))


def judge_size(vector):
    layers, plaintext, sealed = (vector.get(x) for x in ("layers", "plaintext_len", "sealed_len"))
    with step("size"):
        if plaintext is not None:
            length = sealing.stored_length(plaintext, layers)
        if sealed is not None:
            back = sealing.plaintext_length(sealed, layers)
    if "reject" not in vector:
        stated = plaintext, sealed, vector["chunks"]
        agree("lengths", (back, length, sealing.chunk_count(plaintext)), stated)


def judge_metadata_pair(vector):
    envelope, object_id = bucket.parse_metadata(vector["key"], vector["metadata"])
    if "reject" not in vector:
        stated = optional(base64, vector, "envelope_b64")
        agree("Envelope", envelope, stated and records.parse_envelope(stated))
        companion = object_id and bucket.companion_key(vector["key"], object_id)
        agree("companion", companion, vector.get("companion"))
        text = vector.get("envelope_b64", "")
        agree("too long", bucket.is_pair_too_long(text), vector.get("too_long", False))


def judge_companion_name(vector):
    parts = vector.get("object_key"), optional(bytes.fromhex, vector, "object_id_hex")
    if "key" not in vector:
        bucket.companion_key(*parts)
        return
    agree("object", bucket.parse_companion_key(vector["key"]), parts)
    try:
        made = bucket.companion_key(*parts)
    except Reject:
        made = None
    agree("key", made, None if vector.get("only_read") else vector["key"])


def held_keys(stated):
    ((kind, keys),) = stated.items()
    if kind == "program_hex":
        return "program", {name: bytes.fromhex(key) for name, key in keys.items()}
    if kind == "keyring":
        versions = keys["versions_hex"].items()
        return kind, (keys["id"], {int(version): bytes.fromhex(key) for version, key in versions})
    agree("keys", kind, "kms_hex")
    return "kms", bytes.fromhex(keys)


def judge_bucket_object(vector):
    others = {key: base64(x) for key, x in vector.get("companions_b64", {}).items()}
    tags, content = bucket.open_object(
        vector["key"], vector["metadata"], base64(vector["content_b64"]), others,
        identity(vector["identity"]), held_keys(vector["keys"]))
    plaintext = content.read()
    if "reject" not in vector:
        agree_object(vector, tags, content, plaintext)


JUDGES = {"bodies.json": judge_body, "wraps.json": judge_wrap, "objects.json": judge_object,
          "uploads.json": judge_upload, "encryption_contexts.json": judge_context,
          "sizes.json": judge_size, "metadata_pairs.json": judge_metadata_pair,
          "companion_names.json": judge_companion_name,
          "bucket_objects.json": judge_bucket_object}


def judge(name, vector, causes=False):
    """What is wrong, or None. Only a `Reject` counts as one: any other exception is a fault."""
    try:
        JUDGES[name](vector)
    except Reject as reject:
        if causes:
            print(f"{name}: {reject.step}: {vector.get('reason')} | {reject}")
        if "reject" not in vector:
            return f"must open, but: {reject.step}: {reject}"
        if reject.step != vector["step"]:
            return f"must be refused at {vector['step']}, not {reject.step}: {reject}"
    except Exception as fault:
        return f"{type(fault).__name__}: {fault}"
    else:
        return "must be refused, but opens" if "reject" in vector else None


def main(directory, causes=False):
    files = {path.name: json.loads(path.read_bytes()) for path in directory.glob("*.json")}
    faults = [f"{name}: no judge of this file, or no such file" for name in files.keys() ^ JUDGES]
    total = refused = 0
    for name in sorted(files.keys() & JUDGES):
        if files[name]["format"] != FORMAT:
            faults.append(f"{name}: unknown format {files[name]['format']!r}")
        vectors = files[name]["vectors"]
        rejects = sum("reject" in vector for vector in vectors)
        total, refused = total + len(vectors), refused + rejects
        print(f"{name}: {len(vectors)} vectors, {rejects} of them rejects")
        for vector in vectors:
            if fault := judge(name, vector, causes):
                faults.append(f"{name}: {vector['name']}: {fault}")
    print(*faults, f"{total} vectors, {refused} of them rejects; {len(faults)} disagree", sep="\n")
    return 1 if faults or not total else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), "--causes" in sys.argv[2:]))
