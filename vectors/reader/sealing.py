"""SPEC.md, sections 2, 5 to 8 and 19: notation, the primitive, key ladder, identity, sizes."""
from contextlib import contextmanager
from hashlib import sha512
from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

# 2. Notation

NS = b"object-cipher"
CHUNK, HEADER, TAG = 16_384, 56, 16


class Reject(Exception):
    """Stored bytes, or what the caller gave, are refused. No other exception may ever come up."""

    step = None


@contextmanager
def step(name):
    """Names the step of reading that rejects."""
    try:
        yield
    except Reject as reject:
        reject.step = reject.step or name
        raise


def require(holds, section, rule):
    if not holds:
        raise Reject(f"{section}: {rule}")


class Fields:
    """Fields of a byte string in sequence; none runs past the end, nothing is behind the last."""

    def __init__(self, data, section):
        self.data, self.at, self.section = data, 0, section

    def take(self, size):
        require(size <= len(self.data) - self.at, self.section, "a field runs past the end")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def more(self):
        return self.at < len(self.data)

    def end(self):
        require(not self.more(), self.section, "bytes behind the end")


def u(size, number):
    return number.to_bytes(size, "big")


def enc(x):
    return u(4, len(x)) + x


def hkdf(salt, ikm, info, length):
    return HKDF(SHA512(), length, salt, info).derive(ikm)


# 5 and 6. The primitive in one and two layers. `layers` are (IK, ctx), layer 0 first.

def open_headers(layers, headers):
    """5.1, 5.2, 6.2: AEAD and base nonce of each layer, once all commitments are compared."""
    ciphers, committed = [], True
    for layer, (ik, ctx) in enumerate(layers):
        header = headers[HEADER * (len(layers) - 1 - layer) :][:HEADER]  # the outer comes first
        info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + header[:24] + ctx
        okm = HKDFExpand(SHA512(), 76, info).derive(ik)
        committed &= compare_digest(okm[44:], header[24:])
        ciphers.append((AESGCM(okm[:32]), int.from_bytes(okm[32:44], "big")))
    require(committed, "5.2", "commitments")
    return ciphers


def open_chunks(ciphers, index, stored):
    """5.1, 6.2: chunks from `index` on; all but the last one in `stored` are full."""
    stride, content = CHUNK + TAG * len(ciphers), []
    for at in range(0, len(stored), stride):
        chunk = stored[at : at + stride]
        for aead, base in reversed(ciphers):
            try:
                chunk = aead.decrypt(u(12, base ^ index), chunk, None)
            except InvalidTag:
                raise Reject("5.2: a chunk does not verify") from None
        content.append(chunk)
        index += 1
    return b"".join(content)


def open_message(layers, message):
    """5.2: a message of which only keys and contexts are known."""
    plaintext_length(len(message), len(layers))
    return open_chunks(open_headers(layers, message), 0, message[HEADER * len(layers) :])


def open_short(layers, message):
    """5.2: a message of one chunk."""
    length = plaintext_length(len(message), len(layers))
    require(length < CHUNK, "5.2", "longer than a short message")
    return open_message(layers, message)


def message_layers(deks, object_id, purpose, rest=b""):
    """6.2: key and context of each layer of M(purpose, rest)."""
    return [(dek, NS + purpose + b"\0" + object_id + u(1, layer) + rest)
            for layer, dek in enumerate(deks)]


# 7. Key ladder. The clear fields (7.3) stand with the Envelope.

def derive_ek(source_key, mode, layer, ek_source):
    """7.1"""
    require(len(source_key) == 32, "7.1", "length of the source key")
    return hkdf(NS + b"/v1/ek", source_key, bytes([mode, layer, ek_source]), 32)


def bound_digest(clear, identity, info):
    """7.4: H."""
    return sha512(enc(clear) + enc(identity) + enc(info)).digest()


def unwrap(ek, layer, digest, wrapped):
    """7.4"""
    require(len(wrapped) == 104, "7.4", "length of a wrapped key")
    return open_short([(ek, NS + b"/v1/wrap\0" + u(1, layer) + digest)], wrapped)


def check_value(source_key):
    """7.5"""
    return hkdf(NS + b"/v1/check", source_key, b"", 8)


# 8. Identity

BOUND = ["version_id", "upload_id", "encryption_context", "extra"]


def build_identity(bound, given, required=()):
    """8.1, 8.2: the identity from what the caller gives and the bits that say what was bound."""
    items = dict(given)
    if items["version_id"] == b"null":
        items["version_id"] = b""
    for bit, name in enumerate(BOUND):
        if bound >> bit & 1:
            require(items[name], "8.2", f"{name} is bound and not given")
        else:
            require(name not in required, "8.2", f"{name} is required and not bound")
            unbound = name != "encryption_context" or not items[name]
            require(unbound, "8.2", f"{name} is given and not bound")
            items[name] = b""
    return b"".join(enc(items[name]) for name in ["realm", "bucket", "key", *BOUND])


def canonical_context(pairs, server):
    """8.3"""
    try:
        pairs = sorted((key.encode(), value.encode()) for key, value in pairs)
    except UnicodeEncodeError:
        raise Reject("8.3: text that has no UTF-8") from None
    if not pairs:
        return b""
    size = 2 + sum(4 + len(key) + len(value) for key, value in pairs)
    require(size <= 8_192, "8.3", "length of the canonical form")
    require(len(dict(pairs)) == len(pairs), "8.3", "a key twice")
    for key, value in pairs:
        require(key, "8.3", "an empty key")
        require(b"\0" not in key + value, "8.3", "U+0000")
        require(server or not key.startswith(b"aws:"), "8.3", "a key that only the server sets")
    return u(2, len(pairs)) + b"".join(u(2, len(x)) + x for pair in pairs for x in pair)


# 19.1 Sizes of bodies

def chunk_count(length):
    return length // CHUNK + 1


def stored_length(length, layer_count):
    require(length < 1 << 46, "11", "more than 2^32 chunks")
    return HEADER * layer_count + length + TAG * layer_count * chunk_count(length)


def plaintext_length(stored, layer_count):
    full, rest = divmod(stored - HEADER * layer_count, CHUNK + TAG * layer_count)
    fits = stored >= HEADER * layer_count and rest >= TAG * layer_count and full < 1 << 32
    require(fits, "19.1", "no body has this length")
    return CHUNK * full + rest - TAG * layer_count
