"""SPEC.md, sections 15 and 16: opening Envelopes, receipts and content."""
from hashlib import sha256
from hmac import compare_digest

from .records import (MASTER, MULTIPART, build_table, clear_fields, compare_receipt, parse_index,
                      parse_info, parse_kept_receipts, parse_page, parse_receipt)
from .sealing import (CHUNK, HEADER, TAG, bound_digest, build_identity, check_value, derive_ek,
                      message_layers, open_chunks, open_headers, open_short, require, step,
                      stored_length, u, unwrap)


def open_envelope(envelope, state, mode, given, required, source_keys):
    """15.1, steps 3 to 7: the data keys, layer 0 first."""
    with step("state"):
        require(envelope.state == state, "15.1", "state")
    with step("mode"):
        require(envelope.mode == mode, "15.1", "mode")
    with step("identity"):
        identity = build_identity(envelope.bound, given, required)
    digest = bound_digest(clear_fields(envelope), identity, envelope.info)
    with step("key_wrap"):
        require(len(source_keys) >= len(envelope.layers), "15.1", "a source key for each layer")
        for layer, key in zip(envelope.layers, source_keys):
            if layer.ek_source == MASTER:
                check = layer.key_ref[:8]
                require(compare_digest(check_value(key), check), "9.3", "check value")
        return [unwrap(derive_ek(key, mode, index, layer.ek_source), index, digest, layer.wrapped)
                for index, (layer, key) in enumerate(zip(envelope.layers, source_keys))]


def open_info(envelope, deks):
    """15.1, step 8."""
    with step("info"):
        layers = message_layers(deks, envelope.object_id, b"/v1/info")
        block = open_short(layers, envelope.info)
        return parse_info(block, bool(envelope.flags & MULTIPART), envelope.suite)


class Content:
    """What an object holds: `tags` of its info, and its bodies, index and pages as stored."""

    def __init__(self, deks, object_id, tags, bodies, index=None, pages=()):
        self.deks, self.object_id, self.tags = deks, object_id, tags
        self.bodies, self.index, self.pages = bodies, index, pages

    def segments(self, touched):
        """15.3, 15.4: part, length, headers and start of each body, page by page if in parts."""
        if 4 in self.tags:
            yield 0, self.tags[1], self.tags[4], 0
            return
        with step("part_table"):
            require(self.index is not None, "13", "there is an index")
            index, start = parse_index(self.index, self.tags), 0
            require(len(self.pages) == len(index), "13", "all pages and no more")
        for number, (_, total, _) in enumerate(index):
            if touched(start, start + total):
                with step("part_table"):
                    page = parse_page(self.pages[number], number, index, self.tags, len(self.deks))
                at = start
                for part, length, headers in page:
                    yield part, length, headers, at
                    at += length
            start += total

    def open_body(self, part, length, headers):
        """15.2, step 4: ciphers and stored bytes of a body, by its trusted length and headers."""
        require(length < 1 << 46, "15.2", "longer than a body may be")
        require(part in self.bodies, "15.2", "the body is there")
        layers = message_layers(self.deks, self.object_id, b"/v1/body", u(4, part))
        return open_headers(layers, headers), self.bodies[part]

    def read(self):
        """15.2, 15.3: all of it, with the stored headers, empty parts and empty last chunks."""
        content = []
        for part, length, headers, _ in self.segments(lambda start, end: True):
            with step("body"):
                ciphers, body = self.open_body(part, length, headers)
                require(len(body) == stored_length(length, len(ciphers)), "15.2", "stored length")
                require(body[: len(headers)] == headers, "15.2", "stored headers")
                content.append(open_chunks(ciphers, 0, body[len(headers) :]))
        return b"".join(content)

    def read_range(self, a, b=None):
        """15.4: bytes [a, b), or from a to the end."""
        b = self.tags[1] if b is None else min(b, self.tags[1])
        with step("range"):
            require(a < b, "15.4", "a range of nothing")
        content = []
        for part, length, headers, start in self.segments(lambda s, e: s < b and e > a):
            low, high = max(a, start) - start, min(b, start + length) - start
            if low < high:
                with step("body"):
                    ciphers, body = self.open_body(part, length, headers)
                    content.append(read_window(ciphers, body, length, low, high))
        return b"".join(content)


def read_window(ciphers, body, length, low, high):
    """15.4, fetch: bytes [low, high) of one body, from no more of it than they need."""
    head, stride = HEADER * len(ciphers), CHUNK + TAG * len(ciphers)
    first, last = low // CHUNK, (high - 1) // CHUNK
    begin, end = head + first * stride, head + (last + 1) * stride
    if last == length // CHUNK:
        end = stored_length(length, len(ciphers))
    fetched = body[begin:end]
    require(len(fetched) == end - begin, "15.4", "length of what was fetched")
    return open_chunks(ciphers, first, fetched)[low - first * CHUNK : high - first * CHUNK]


def complete_upload(envelope, deks, parts, kept=None):
    """15.5, 16.2: receipts by part number, and the content of the object made of them.

    `parts` are (number, body, sealed receipt, named ETag, named checksum); in state 3 the receipts
    are in `kept`, and decide which parts there are.
    """
    bodies = {part: body for part, body, *_ in parts}
    named = {part: names for part, _, _, *names in parts}
    if kept is None:
        with step("part"):
            numbers = [0, *(part for part, *_ in parts), 10_001]
            rising = all(a < b for a, b in zip(numbers, numbers[1:]))
            require(parts and rising, "16.2", "part numbers rise, from 1 to 10,000")
        sealed = [(part, receipt) for part, _, receipt, *_ in parts]
    else:
        with step("kept_receipts"):
            sealed = parse_kept_receipts(kept)
    receipts = {}
    for part, receipt in sealed:
        with step("receipt"):
            layers = message_layers(deks, envelope.object_id, b"/v1/part", u(4, part))
            receipts[part] = parse_receipt(open_short(layers, receipt), envelope.suite)
        with step("part"):
            require(part in bodies, "15.5", "the body is there")
            compare_receipt(receipts[part], bodies[part], *named[part])
    index, pages, length = build_table(receipts)
    tags = {1: length, 2: len(receipts), 3: sha256(index).digest()}
    return receipts, Content(deks, envelope.object_id, tags, bodies, index, pages)
