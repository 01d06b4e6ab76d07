"""SPEC.md, sections 9 to 14: Envelope, info, receipts, part table, kept receipts."""
import re
from base64 import b64decode, b64encode
from collections import namedtuple
from hashlib import sha256

from .sealing import HEADER, Fields, Reject, require, stored_length, u

# 9. Envelope

Layer = namedtuple("Layer", "ek_source key_ref ek_blob wrapped")
Envelope = namedtuple("Envelope", "fixed suite mode state flags bound object_id layers info")
MULTIPART, WITH_BUCKET_KEY, WITHOUT_KEY = 1, 2, 4  # flags
VERSION_ID, UPLOAD_ID, EXTRA = 1, 2, 8  # bound
MASTER, KMS, BUCKET_KEY, CUSTOMER, CLIENT = range(1, 6)  # ek_source
SOURCE_MODES = {MASTER: [1], KMS: [2, 3, 5], BUCKET_KEY: [2], CUSTOMER: [4], CLIENT: [5]}
KEYRING_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def decode_text(text):
    """9.5: whatever does not give the same text again is not canonical."""
    require(len(text) <= 21_848, "9.5", "length of the text")
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise Reject("9.5: not base64") from None
    require(b64encode(data).decode() == text, "9.5", "not canonical base64")
    return data


def parse_envelope(data):
    """9.1, 9.4"""
    require(len(data) <= 16_384, "9", "length of the Envelope")
    fields = Fields(data, "9.1")
    require(fields.take(4) == b"\x89S3E", "9.1", "magic")
    version, suite, mode, state, flags, count, bound, zero = fields.take(8)
    require(version == 1, "9.1", "version")
    require(1 <= mode <= 5, "9.1", "mode")
    require(suite == (2 if mode == 3 else 1), "9.1", "suite")
    require(1 <= state <= 3, "9.1", "state")
    require(count == suite, "9.1", "layer count")
    require(bound < 16, "9.1", "a reserved bit of bound")
    require(flags < 8, "9.1", "a reserved flag bit")
    require(zero == 0, "9.1", "byte 11")
    require(state == 1 or flags & MULTIPART, "9.1", "an upload that is not in parts")
    require(not flags & WITH_BUCKET_KEY or mode == 2, "9.1", "flag bit 1 needs mode 2")
    without_key = mode == 4 and state in (2, 3)
    require(not flags & WITHOUT_KEY or without_key, "9.1", "flag bit 2 needs mode 4 and an upload")
    require(state != 3 or flags & WITHOUT_KEY, "9.1", "state 3 needs flag bit 2")
    require(bool(bound & UPLOAD_ID) == (state != 1), "9.1", "an upload id binds uploads only")
    unbound = not bound & (VERSION_ID | EXTRA)
    require(state == 1 or unbound, "9.1", "an upload that binds version id or extra")
    object_id = fields.take(16)
    layers = [parse_layer(fields, index, mode, flags) for index in range(count)]
    info = fields.take(fields.number(4))
    require(bool(info) == (state == 1), "9.1", "info length")
    fields.end()
    return Envelope(data[:28], suite, mode, state, flags, bound, object_id, layers, info)


def parse_layer(fields, index, mode, flags):
    """9.2, 9.3"""
    require(fields.number(1) == index, "9.2", "index of a layer")
    source = fields.number(1)
    require(mode in SOURCE_MODES.get(source, []), "9.3", "ek_source of this mode")
    flagged = bool(flags & WITH_BUCKET_KEY)
    require(flagged == (source == BUCKET_KEY), "9.1", "flag bit 1 against ek_source")
    key_ref = take_at_most(fields, 1_024, "key_ref")
    ek_blob = take_at_most(fields, 6_144, "ek_blob")
    if source == MASTER:
        require(KEYRING_ID.fullmatch(key_ref[12:]), "9.3", "keyring id")
        require(any(key_ref[8:12]), "9.3", "master key versions count from 1")
    if source in (KMS, BUCKET_KEY):
        require_text(key_ref, "KMS key id")
        require(key_ref, "9.3", "an empty KMS key id")
        blob = Fields(ek_blob, "9.3")
        require_text(blob.take(blob.number(2)), "version in the ek_blob")
    if source == CLIENT:
        require_text(key_ref, "name of a client key")
    require(source != CUSTOMER or not key_ref, "9.3", "a key_ref with a customer key")
    allowed = source not in (MASTER, CUSTOMER) or not ek_blob
    require(allowed, "9.3", "an ek_blob with this key source")
    return Layer(source, key_ref, ek_blob, fields.take(104))


def take_at_most(fields, limit, name):
    size = fields.number(2)
    require(size <= limit, "9.2", f"length of {name}")
    return fields.take(size)


def require_text(data, name):
    try:
        data.decode()
    except UnicodeDecodeError:
        raise Reject(f"9.3: {name} is not UTF-8") from None


def clear_fields(envelope):
    """7.3"""
    fixed = bytearray(envelope.fixed)
    fixed[7] = 2 if fixed[7] == 3 else fixed[7]
    return bytes(fixed) + b"".join(
        bytes([index, layer.ek_source]) + u(2, len(layer.key_ref)) + layer.key_ref
        for index, layer in enumerate(envelope.layers))


# 10. Info

DIGEST_LENGTH = {1: 4, 2: 4, 3: 8, 4: 20, 5: 32, 6: 64, 7: 16, 8: 8, 9: 8, 10: 16}


def parse_info(block, multipart, layer_count):
    """The values by tag, those of tags 1 and 2 as numbers."""
    fields, tags, last = Fields(block, "10"), {}, 0
    lengths = {1: 8, 2: 4, 3: 32, 4: HEADER * layer_count, 5: 16, 7: 32}
    while fields.more():
        tag = fields.number(1)
        require(last < tag <= 7, "10", "an unknown tag, or tags that do not rise")
        tags[tag] = fields.take(fields.number(2))
        require(tag == 6 or len(tags[tag]) == lengths[tag], "10", f"length of tag {tag}")
        last = tag
    present = {1, 2, 3} if multipart else {1, 4}
    require(tags.keys() & {1, 2, 3, 4} == present, "10", "a missing or forbidden tag")
    if 6 in tags:
        require(len(tags[6]) >= 2, "10", "length of tag 6")
        algorithm, kind, *digest = tags[6]
        require(len(digest) == DIGEST_LENGTH.get(algorithm), "10", "algorithm or digest length")
        require(kind == 1 or (kind == 2 and multipart), "10", "type of the checksum")
    for tag in tags.keys() & {1, 2}:
        tags[tag] = int.from_bytes(tags[tag], "big")
    require(not multipart or 1 <= tags[2] <= 10_000, "10", "number of parts")
    return tags


# 12. Receipts

Receipt = namedtuple("Receipt", "length headers etag checksums")


def parse_receipt(block, layer_count):
    """12.2"""
    fields = Fields(block, "12.2")
    length, headers, etag = fields.number(8), fields.take(HEADER * layer_count), fields.take(16)
    count, checksums, last = fields.number(1), [], 0
    require(count <= 4, "12.2", "more than four checksums")
    for _ in range(count):
        algorithm = fields.number(1)
        require(algorithm in DIGEST_LENGTH, "12.2", "an unknown algorithm")
        require(last < algorithm, "12.2", "algorithms that do not rise")
        checksums.append((algorithm, fields.take(DIGEST_LENGTH[algorithm])))
        last = algorithm
    fields.end()
    return Receipt(length, headers, etag, checksums)


def compare_receipt(receipt, body, named_etag, named_checksum):
    """12.3, checks 2 to 6"""
    layer_count = len(receipt.headers) // HEADER
    require(receipt.length <= 5 << 30, "12.3", "longer than a part may be")
    require(body[: len(receipt.headers)] == receipt.headers, "12.3", "headers of the body")
    require(len(body) == stored_length(receipt.length, layer_count), "12.3", "length of the body")
    require(named_etag in (None, receipt.etag), "12.3", "the ETag that the client named")
    require(named_checksum in (None, *receipt.checksums), "12.3", "the checksum that it named")


# 13. Part table

def page_count(count):
    return (count + 255) // 256


def parse_index(index, tags):
    """First part, sum of lengths and digest of each page."""
    fields = Fields(index, "13")
    count = fields.number(4)
    require(1 <= count <= 10_000, "13", "count in the index")
    pages = [(fields.number(4), fields.number(8), fields.take(32))
             for _ in range(page_count(count))]
    fields.end()
    require(sha256(index).digest() == tags[3], "13", "digest of the index")
    require(count == tags[2], "13", "count against tag 2")
    firsts = [first for first, _, _ in pages]
    require(rises(firsts), "13", "first parts that do not rise")
    require(sum(total for _, total, _ in pages) == tags[1], "13", "sums against tag 1")
    return pages


def parse_page(page, number, index, tags, layer_count):
    """Part number, length and headers of each entry of page `number`."""
    (first, total, digest), size = index[number], 12 + HEADER * layer_count
    limit = index[number + 1][0] if number + 1 < len(index) else 10_001
    count = min(256, tags[2] - 256 * number)
    require(len(page) == size * count, "13", "number of entries of a page")
    require(sha256(page).digest() == digest, "13", "digest of a page")
    fields = Fields(page, "13")
    entries = [(fields.number(4), fields.number(8), fields.take(size - 12)) for _ in range(count)]
    parts = [part for part, _, _ in entries]
    require(rises(parts), "13", "part numbers that do not rise")
    require(parts[0] >= 1 and parts[-1] <= 10_000, "13", "a part number out of bounds")
    require(parts[0] == first and parts[-1] < limit, "13", "first or last part of a page")
    require(sum(length for _, length, _ in entries) == total, "13", "lengths against the sum")
    return entries


def rises(numbers):
    return all(a < b for a, b in zip(numbers, numbers[1:]))


def build_table(receipts):
    """16.2, steps 2 and 3: index and pages of an object of these receipts, and its length."""
    entries = [u(4, part) + u(8, r.length) + r.headers for part, r in receipts.items()]
    parts, lengths = list(receipts), [receipt.length for receipt in receipts.values()]
    require(sum(lengths) < 1 << 64, "16.2", "lengths that overflow")
    index, pages = u(4, len(parts)), []
    for at in range(0, len(parts), 256):
        pages.append(b"".join(entries[at : at + 256]))
        index += u(4, parts[at]) + u(8, sum(lengths[at : at + 256])) + sha256(pages[-1]).digest()
    return index, pages, sum(lengths)


# 14. States

def parse_kept_receipts(kept):
    fields, receipts, last = Fields(kept, "14"), [], 0
    count = fields.number(4)
    require(1 <= count <= 10_000, "14", "count")
    for _ in range(count):
        part = fields.number(4)
        require(last < part <= 10_000, "14", "part numbers that do not rise or are out of bounds")
        receipts.append((part, fields.take(fields.number(4))))
        last = part
    fields.end()
    return receipts
