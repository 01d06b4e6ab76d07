#!/usr/bin/env python3
"""Tests of `reference.py`: that it can disagree, and that it agrees with SPEC.md's own examples.

    python vectors/test_reference.py
"""
import contextlib
import copy
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest
from base64 import b64decode, b64encode
from hashlib import sha256

sys.dont_write_bytecode = True
import reference  # noqa: E402
from reader import bucket, reading, records, sealing  # noqa: E402
from reader.sealing import Reject  # noqa: E402

HERE = pathlib.Path(__file__).parent
FILES = {name: json.loads((HERE / name).read_bytes())["vectors"] for name in reference.JUDGES}
ACCEPTED = {name: [vector for vector in vectors if "reject" not in vector]
            for name, vectors in FILES.items()}

# Rules that a reader can leave out and still refuse every reject at its step: no vector reaches
# them, or another rule of the same step catches what they would.
UNTESTED = {
    "5.2: longer than a short message", "7.1: length of the source key",
    "7.4: length of a wrapped key", "9.1: flag bit 1 needs mode 2", "9.1: layer count",
    "9.1: mode", "9.1: state", "9.3: check value",
    "9.5: length of the text", "10: a field runs past the end",
    "12.3: longer than a part may be", "13: a field runs past the end",
    "13: count against tag 2", "13: count in the index", "13: first parts that do not rise",
    "13: number of entries of a page", "14: count", "15.1: a source key for each layer",
    "15.2: longer than a body may be", "15.4: length of what was fetched",
    "15.5: the body is there", "16.2: lengths that overflow",
    "13: count in a companion", "D.1: a version out of bounds", "D.1: ek_source of a client key",
    "D.1: length of a check value", "D.1: the form of a keyring id", "D.3: length of a companion",
}

# Rules that hold for every Envelope, as only some items can be required or must be bound.
VACUOUS = {f"8.2: {item} is {rule}" for item, rule in [
    ("version_id", "given and not bound"), ("upload_id", "given and not bound"),
    ("extra", "given and not bound"), ("upload_id", "required and not bound"),
    ("encryption_context", "required and not bound"),
]}


def named(name, vector):
    return next(other for other in FILES[name] if other["name"] == vector)


def flip(text, at):
    data = bytearray(b64decode(text))
    data[at] ^= 1
    return b64encode(data).decode()


def places(text):
    """About sixteen offsets from the first byte to the last."""
    size = len(b64decode(text))
    return sorted({*range(0, size, max(1, size // 16)), size - 1})


class Mutations(unittest.TestCase):
    def refused(self, name, vector):
        with self.assertRaises(Reject, msg=vector["name"]):
            reference.JUDGES[name](vector)

    def test_a_flipped_byte_in_any_accepted_body_is_refused(self):
        for vector in ACCEPTED["bodies.json"]:
            for at in places(vector["body_b64"]):
                self.refused("bodies.json", {**vector, "body_b64": flip(vector["body_b64"], at)})

    def test_a_flipped_byte_anywhere_in_an_object_is_refused(self):
        for name in "sse-c, one body", "sse-c, three parts":
            vector = named("objects.json", name)
            for at in range(len(b64decode(vector["envelope_b64"]))):
                envelope = flip(vector["envelope_b64"], at)
                self.refused("objects.json", {**vector, "envelope_b64": envelope})
            for part, body in vector["bodies_b64"].items():
                for at in range(len(b64decode(body))):
                    bodies = {**vector["bodies_b64"], part: flip(body, at)}
                    self.refused("objects.json", {**vector, "bodies_b64": bodies})

    def test_a_flipped_byte_anywhere_in_a_part_table_is_refused(self):
        vector = named("objects.json", "dsse-kms, three parts")
        index, (page,) = vector["part_index_b64"], vector["part_pages_b64"]
        for at in range(len(b64decode(index))):
            self.refused("objects.json", {**vector, "part_index_b64": flip(index, at)})
        for at in range(len(b64decode(page))):
            self.refused("objects.json", {**vector, "part_pages_b64": [flip(page, at)]})

    def test_a_flipped_byte_in_any_upload_is_refused(self):
        for vector in ACCEPTED["uploads.json"]:
            for part, field in [(i, field) for i, part in enumerate(vector["parts"])
                                for field in ("body_b64", "receipt_b64") if field in part]:
                for at in places(vector["parts"][part][field]):
                    other = copy.deepcopy(vector)
                    other["parts"][part][field] = flip(vector["parts"][part][field], at)
                    self.refused("uploads.json", other)

    def test_a_flipped_byte_anywhere_in_kept_receipts_is_refused(self):
        vector = named("uploads.json", "sse-c, completed without the key")
        kept = vector["kept_receipts_b64"]
        for at in range(len(b64decode(kept))):
            self.refused("uploads.json", {**vector, "kept_receipts_b64": flip(kept, at)})

    def test_a_flipped_byte_anywhere_in_a_bucket_s_object_or_companion_is_refused(self):
        for name in "bucket, one piece", "bucket, three parts":
            vector = named("bucket_objects.json", name)
            for at in range(len(b64decode(vector["content_b64"]))):
                content = flip(vector["content_b64"], at)
                self.refused("bucket_objects.json", {**vector, "content_b64": content})
            for key, companion in vector.get("companions_b64", {}).items():
                for at in range(len(b64decode(companion))):
                    companions = {key: flip(companion, at)}
                    self.refused("bucket_objects.json", {**vector, "companions_b64": companions})

    def test_a_flipped_byte_in_any_wrapped_key_is_refused(self):
        for vector in ACCEPTED["wraps.json"]:
            for at in range(0, 208, 2):
                wrapped = bytearray.fromhex(vector["wrapped_hex"])
                wrapped[at // 2] ^= 128
                self.refused("wraps.json", {**vector, "wrapped_hex": wrapped.hex()})


class Disagreements(unittest.TestCase):
    def test_every_vector_judged_the_other_way_round_is_a_disagreement(self):
        for name, vectors in FILES.items():
            for vector in vectors:
                if "reject" in vector:
                    other = {key: x for key, x in vector.items() if key != "reject"}
                else:
                    other = {**vector, "reject": True, "step": "none"}
                self.assertIsNotNone(reference.judge(name, other), vector["name"])

    def test_a_reject_at_another_step_is_a_disagreement(self):
        for name, vectors in FILES.items():
            for vector in (vector for vector in vectors if "reject" in vector):
                self.assertIsNotNone(reference.judge(name, {**vector, "step": "another"}))

    def test_a_changed_answer_is_a_disagreement(self):
        for name, vectors in ACCEPTED.items():
            for vector in vectors:
                for field, other in answers(vector):
                    self.assertIsNotNone(reference.judge(name, other), (vector["name"], field))

    def test_a_file_or_word_that_is_not_known_is_a_disagreement(self):
        sizes = {"format": reference.FORMAT, "vectors": FILES["sizes.json"]}
        for name, content in [("more.json", sizes), ("sizes.json", {**sizes, "format": "2"})]:
            with tempfile.TemporaryDirectory() as directory:
                for known in reference.JUDGES:
                    pathlib.Path(directory, known).write_bytes((HERE / known).read_bytes())
                pathlib.Path(directory, name).write_text(json.dumps(content))
                with contextlib.redirect_stdout(io.StringIO()):
                    self.assertEqual(reference.main(pathlib.Path(directory)), 1)
        vector = named("objects.json", "sse-c, one body")
        for field in "mode", "ek_source":
            self.assertIsNotNone(reference.judge("objects.json", {**vector, field: "sse-x"}))

    def test_every_rule_left_out_is_noticed_but_those_that_are_listed(self):
        rules, left_out = set(), None

        def require(holds, section, rule):
            rules.add(f"{section}: {rule}")
            if not holds and left_out != f"{section}: {rule}":
                raise Reject(f"{section}: {rule}")

        def agrees():
            return not any(reference.judge(name, vector)
                           for name, vectors in FILES.items() for vector in vectors)

        modules = sealing, records, reading, bucket
        kept = sealing.require
        for module in modules:
            module.require = require
        try:
            self.assertTrue(agrees())
            untested = set()
            for left_out in sorted(rules):
                if agrees():
                    untested.add(left_out)
        finally:
            for module in modules:
                module.require = kept
        self.assertEqual(untested - VACUOUS, UNTESTED)


def answers(vector):
    """The vector once for each of its answers, with that one changed."""
    plain = {"hex": "00" * 3}
    for field in {"ek_hex", "bound_digest_hex", "data_key_hex", "canonical_hex"} & vector.keys():
        yield field, {**vector, field: vector[field] + "00"}
    for field in {"plaintext_len", "sealed_len", "chunks"} & vector.keys():
        yield field, {**vector, field: vector[field] + 1}
    if "plaintext" in vector:
        yield "plaintext", {**vector, "plaintext": plain}
    for field, value in vector.get("attributes", {}).items():
        changed = {**value, "kind": "none"} if field == "checksum" else value + "00"
        yield field, {**vector, "attributes": {**vector["attributes"], field: changed}}
        rest = {other: x for other, x in vector["attributes"].items() if other != field}
        yield f"no {field}", {**vector, "attributes": rest}
    if "metadata" in vector and "content_b64" not in vector:
        yield "too long", {**vector, "too_long": not vector.get("too_long", False)}
        yield "companion", {**vector, "companion": vector.get("companion", "") + "0"}
        envelope = {} if "envelope_b64" in vector else {"envelope_b64": "AAAA"}
        rest = {field: x for field, x in vector.items() if field != "envelope_b64"}
        yield "envelope", {**rest, **envelope}
    if "object_id_hex" in vector:
        yield "object key", {**vector, "object_key": vector["object_key"] + "0"}
        yield "object id", {**vector, "object_id_hex": vector["object_id_hex"] + "00"}
        yield "only read", {**vector, "only_read": not vector.get("only_read", False)}
    for i, part in enumerate(vector.get("parts", [])):
        for field in {"plaintext", "etag_hex"} & part.keys():
            other = copy.deepcopy(vector)
            other["parts"][i][field] = plain if field == "plaintext" else "00" * 16
            yield f"part {part['part']}, {field}", other
        other = copy.deepcopy(vector)
        other["parts"][i]["checksums"] = [{"algorithm": "MD5", "digest_hex": "00" * 16}]
        yield f"part {part['part']}, checksums", other


def examples(heading):
    """The hexadecimal of each paragraph in the code blocks of one section of SPEC.md."""
    text = (HERE.parent / "SPEC.md").read_text().split(f"\n### {heading}\n")[1]
    blocks = re.findall(r"^```\n(.*?)^```", re.split(r"\n##", text)[0], re.M | re.S)
    paragraphs = [re.sub(r"\s", "", x) for block in blocks for x in block.split("\n\n")]
    return [bytes.fromhex(x) for x in paragraphs if re.fullmatch(r"([0-9a-f]{2})+", x)]


def span(first, last):
    return bytes(range(first, last + 1))


GIVEN = {"realm": b"prod", "bucket": b"photos", "key": b"2026/cat.jpg", "version_id": b"v1",
         "upload_id": b"u1", "encryption_context": b"", "extra": b""}


class Examples(unittest.TestCase):
    """SPEC.md, section 22."""

    def test_an_empty_body(self):
        context, info, body = examples("22.1 An empty body, suite 1")
        (layer,) = sealing.message_layers(
            [span(0, 31)], span(0x68, 0x77), b"/v1/body", sealing.u(4, 0))
        self.assertEqual(layer, (span(0, 31), context))
        self.assertTrue(info.endswith(span(0x20, 0x37) + context) and len(info) == 115)
        self.assertEqual(sealing.open_message([layer], body), b"")

    def test_an_sse_c_envelope(self):
        heading = "22.2 An SSE-C Envelope"
        ek, context, identity, block, message, clear, digest, wrapped, data = examples(heading)
        key, dek = span(0x80, 0x9F), span(0, 31)
        pairs = [("department", "finance")]
        self.assertEqual(sealing.canonical_context(pairs, False), context)
        self.assertEqual(sealing.derive_ek(key, 4, 0, 4), ek)
        envelope = records.parse_envelope(data)
        given = {**GIVEN, "encryption_context": context}
        self.assertEqual(sealing.build_identity(envelope.bound, given), identity)
        self.assertEqual((records.clear_fields(envelope), envelope.info), (clear, message))
        self.assertEqual(sealing.bound_digest(clear, identity, message), digest)
        self.assertEqual(sealing.unwrap(ek, 0, digest, wrapped), dek)
        self.assertEqual(reading.open_envelope(envelope, 1, 4, given, ["version_id"], [key]), [dek])
        tags = reading.open_info(envelope, [dek])
        self.assertEqual((tags[1], tags[4], tags[5]), (0, block[14:70], span(0xA0, 0xAF)))
        (_, _, body) = examples("22.1 An empty body, suite 1")
        content = reading.Content([dek], envelope.object_id, tags, {0: body})
        self.assertEqual(content.read(), b"")
        section = (HERE.parent / "SPEC.md").read_text().split(f"\n### {heading}\n")[1]
        text = "".join(re.search(r"As text.*?```\n(.*?)```", section, re.S)[1].split())
        self.assertEqual(records.decode_text(text), data)

    def test_an_sse_c_upload(self):
        heading = "22.3 An SSE-C upload, a part, its receipt and a part table"
        data, clear, identity, digest, body, block, receipt, page, index, tag3 = examples(heading)
        for state in 2, 3:
            envelope = records.parse_envelope(data[:7] + bytes([state]) + data[8:])
            self.assertEqual(records.clear_fields(envelope), clear)
            self.assertEqual(sealing.build_identity(envelope.bound, GIVEN), identity)
            self.assertEqual(sealing.bound_digest(clear, identity, b""), digest)
            deks = reading.open_envelope(envelope, state, 4, GIVEN, [], [span(0x80, 0x9F)])
            self.assertEqual(deks, [span(0, 31)])
            kept = None if state == 2 else sealing.u(4, 1) + sealing.u(4, 1) + sealing.enc(receipt)
            crc32 = 1, bytes.fromhex("352441c2")
            parts = [(1, body, receipt, b"\xa0" * 16, crc32)]
            receipts, content = reading.complete_upload(envelope, deks, parts, kept)
            self.assertEqual(receipts, {1: records.parse_receipt(block, 1)})
            self.assertEqual((content.index, content.pages), (index, [page]))
            self.assertEqual((content.tags[3], sha256(index).digest()), (tag3, tag3))
            self.assertEqual(content.read(), b"abc")

    def test_a_body_of_two_layers(self):
        context, body = examples("22.4 A body of two layers")
        layers = sealing.message_layers(
            [span(0, 31), span(0x80, 0x9F)], span(0x68, 0x77), b"/v1/body", sealing.u(4, 0))
        self.assertEqual(layers[1][1], context)
        self.assertEqual(sealing.open_message(layers, body), b"abc")

    def test_keys(self):
        section = (HERE.parent / "SPEC.md").read_text().split("\n### 22.5 Keys\n")[1]
        stated = re.findall(r"  ([0-9a-f]{16,64})$", section, re.M)
        key = span(0x80, 0x9F)
        computed = [sealing.derive_ek(key, 4, 0, 4), sealing.derive_ek(key, 3, 0, 2),
                    sealing.check_value(key), sealing.derive_ek(key, 0, 0, 1),
                    sealing.derive_ek(span(0xC0, 0xDF), 3, 1, 2)]
        self.assertEqual([value.hex() for value in computed], stated)


if __name__ == "__main__":
    unittest.main()
