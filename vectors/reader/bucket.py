"""SPEC.md, appendix D: client-side objects in a plain bucket."""
import re
from collections import namedtuple
from hmac import compare_digest

from .reading import Content, open_envelope, open_info
from .records import (CLIENT, KEYRING_ID, KMS, MULTIPART, decode_text, page_count, parse_envelope)
from .sealing import HEADER, Fields, Reject, check_value, require, step, stored_length

MODE, FINISHED = 5, 1
ENVELOPE_PAIR, COMPANION_PAIR = "object-cipher-envelope", "object-cipher-companion"
OBJECT_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
COMPANION_KEY = re.compile(rb"(.+)\.([0-9a-f]{32})\.object-cipher", re.DOTALL)
NAME = re.compile(f"(?:x-amz-meta-)?({ENVELOPE_PAIR}|{COMPANION_PAIR})", re.ASCII | re.IGNORECASE)


# D.1 Key names

def source_key(layer, keys):
    """The source key of an Envelope's layer. `keys` are ("program", keys by name), ("keyring",
    (id, keys by version)) or ("kms", the KMS's answer)."""
    kind, held = keys
    if kind == "kms":
        require(layer.ek_source == KMS, "D.1", "ek_source of a KMS")
        return held
    require(layer.ek_source == CLIENT, "D.1", "ek_source of a client key")
    if kind == "program":
        require(not layer.ek_blob, "D.1", "an ek_blob with a key that the program holds")
        name = layer.key_ref.decode()
        require(name in held, "D.1", "a name that the program does not know")
        return held[name]
    identifier, slash, digits = layer.key_ref.partition(b"/")
    require(slash and KEYRING_ID.fullmatch(identifier), "D.1", "the form of a keyring id")
    require(re.fullmatch(rb"[1-9][0-9]{0,9}", digits), "D.1", "the form of a version")
    require(int(digits) < 1 << 32, "D.1", "a version out of bounds")
    require(len(layer.ek_blob) == 8, "D.1", "length of a check value")
    keyring, versions = held
    require(identifier == keyring.encode(), "D.1", "another keyring")
    require(int(digits) in versions, "D.1", "a version that is not there")
    key = versions[int(digits)]
    require(compare_digest(check_value(key), layer.ek_blob), "D.1", "check value of a version")
    return key


# D.2, D.3, D.4 Names

def is_pair_too_long(envelope_text):
    """D.2: whether a writer must refuse the Envelope."""
    return len(ENVELOPE_PAIR) + len(envelope_text) > 2_048


def parse_companion_key(key):
    """D.4, step 2: the key and the id of the object that a companion belongs to."""
    with step("companion_name"):
        match = COMPANION_KEY.fullmatch(key.encode())
        require(match, "D.4", "the form of a companion's key")
        require(len(key.encode()) <= 1_024, "D.4", "length of a companion's key")
        return match[1].decode(), bytes.fromhex(match[2].decode())


def require_object_key(key):
    """D.4, step 2"""
    with step("object_key"):
        require(key, "D.4", "an empty key")
        try:
            parse_companion_key(key)
        except Reject:
            return
        require(False, "D.4", "a companion's key as an object's")


def companion_key(key, object_id):
    """D.3"""
    require_object_key(key)
    with step("object_key"):
        require(len(key.encode()) <= 977, "D.3", "length of the key of an object in parts")
    return f"{key}.{object_id.hex()}.object-cipher"


def parse_metadata(key, metadata):
    """D.4, steps 1 to 4: the Envelope, or the id of an object in parts, or neither."""
    pairs = [(match[1].lower(), value) for name, value in metadata
             if (match := NAME.fullmatch(name))]
    if not pairs:
        return None, None
    with step("metadata"):
        require(len(pairs) == 1, "D.4", "more than one pair")
    ((name, value),) = pairs
    if name == COMPANION_PAIR:
        with step("metadata"):
            require(OBJECT_ID.fullmatch(value), "D.4", "the form of an object id")
        object_id = bytes.fromhex(value)
        companion_key(key, object_id)
        return None, object_id
    require_object_key(key)
    with step("envelope_text"):
        data = decode_text(value)
    with step("envelope"):
        envelope = parse_envelope(data)
    require_client_object(envelope, in_parts=False)
    return envelope, None


def require_client_object(envelope, in_parts):
    """D.4, steps 3 and 4"""
    with step("mode"):
        require(envelope.mode == MODE, "D.4", "mode")
    with step("state"):
        require(envelope.state == FINISHED, "D.4", "state")
    with step("place"):
        require(bool(envelope.flags & MULTIPART) == in_parts, "D.4", "flag bit 0")


# D.3 Companion

Companion = namedtuple("Companion", "envelope index pages")


def parse_companion(data, object_id):
    """D.3, and D.4, step 4"""
    with step("companion"):
        require(len(data) <= 698_157, "D.3", "length of a companion")
        fields = Fields(data, "D.3")
        require(fields.take(4) == b"\x89S3C", "D.3", "magic")
        require(fields.number(1) == 1, "D.3", "version")
        envelope = fields.take(fields.number(4))
    with step("envelope"):
        envelope = parse_envelope(envelope)
    require_client_object(envelope, in_parts=True)
    with step("companion"):
        require(envelope.object_id == object_id, "D.4", "object id")
    with step("part_table"):
        count = int.from_bytes(fields.data[fields.at : fields.at + 4], "big")
        require(1 <= count <= 10_000, "13", "count in a companion")
        index = fields.take(4 + 44 * page_count(count))
        rest = fields.take((12 + HEADER) * count)
        fields.end()
    size = 256 * (12 + HEADER)
    return Companion(envelope, index, [rest[at : at + size] for at in range(0, len(rest), size)])


# D.4 Reading

def open_object(key, metadata, content, bucket, identity, keys):
    """Tags of the info, and the content. `bucket` has what else is in it, by key."""
    envelope, object_id = parse_metadata(key, metadata)
    with step("metadata"):
        require(envelope or object_id, "D.4", "no pair of the format")
    index, pages = None, []
    if object_id:
        name = companion_key(key, object_id)
        with step("companion"):
            require(name in bucket, "D.4", "the companion is there")
        envelope, index, pages = parse_companion(bucket[name], object_id)
    with step("key_wrap"):
        held = source_key(envelope.layers[0], keys)
    deks = open_envelope(envelope, FINISHED, MODE, identity, [], [held])
    tags = open_info(envelope, deks)
    opened = Content(deks, envelope.object_id, tags, {0: content}, index, pages)
    if object_id:
        opened.bodies = cut(opened, content)
    return tags, opened


def cut(opened, content):
    """D.3, and D.4, step 5: the bodies of the parts, each at its place in the S3 object."""
    bodies, at = {}, 0
    for part, length, _, _ in opened.segments(lambda start, end: True):
        with step("body"):
            end = at + stored_length(length, len(opened.deks))
        bodies[part] = content[at:end]
        at = end
    with step("body"):
        require(len(content) == at, "D.4", "stored length against the sum of the parts'")
    return bodies
