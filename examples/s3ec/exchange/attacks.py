"""Objects of each client with keys of a KMS, changed, before the other one: it must refuse them."""

import functools

from exchange import CONTEXTS
from forge import to_instruction_file
from sides import CONTENT, READER, WRITER, refused, same
from tamper import changes, flipped, mixtures, with_body

# So that the body is of whole blocks, as CBC's is.
SIZE = 1008
CONTEXT = CONTEXTS["a context"]
RESERVED = {"aws:x-amz-cek-alg": "115"}
REQUESTS = {
    "none": None,
    "of nothing": {},
    "with less": {"department": CONTEXT["department"]},
    "with more": CONTEXT | {"more": "1"},
    "with another word": CONTEXT | {"purpose": "another"},
    "with another name": {"Department": CONTEXT["department"], "purpose": CONTEXT["purpose"]},
    "with the reserved name": CONTEXT | RESERVED,
}


class Attacks:
    def __init__(self, bucket, ours, amazons, wrap, other):
        self.bucket, self.ours, self.amazons = bucket, ours, amazons
        self.wrap, self.other, self.missing = wrap, other, wrap[:-12] + "0" * 12

    def run(self, rounds):
        for name, reader, writer in [
            ("Python before s3ec's", self.amazons, self.ours_stored),
            ("s3ec before Python's", self.ours, self.amazons_stored),
        ]:
            rounds.group(f"{name} changed objects", self.changed(reader, writer))
            rounds.group(f"{name} objects with wrong requests", self.requests(reader, writer))
            rounds.group(f"{name} changed objects of 20 MiB", self.large(reader, writer))
        rounds.group("s3ec before objects of two versions", self.mixed())
        rounds.group("s3ec before changed objects, with legacy modes", self.legacy())
        rounds.group("s3ec does not write", self.unwritten())

    def ours_stored(self, version, storage, size=SIZE):
        key = f"s3ec's {version} in {storage}"
        self.ours.put(key, CONTENT[:size], WRITER[version], self.wrap, storage=storage, context=CONTEXT)
        return self.bucket.load(key)

    def amazons_stored(self, version, storage, size=SIZE):
        key = f"python's {version} in {storage}"
        self.amazons.put(key, CONTENT[:size], WRITER[version], self.wrap, CONTEXT)
        stored = self.bucket.load(key)
        return stored if storage == "metadata" else to_instruction_file(stored)

    def refuses(self, reader, key, stored, policy=READER, wrap=None, **options):
        self.bucket.save(key, stored)
        refused(reader.get, key, policy, wrap or self.wrap, **{"context": CONTEXT} | options)

    def opens(self, reader, key, stored, policy=READER, size=SIZE, **options):
        self.bucket.save(key, stored)
        options = {"context": CONTEXT} | options
        same(reader.get(key, policy, self.wrap, **options), CONTENT[:size])

    def changed(self, reader, writer):
        for version in WRITER:
            for storage in ("metadata", "instruction"):
                stored, sibling = writer(version, storage), writer(version, storage)
                for policy in ("REQUIRE_ENCRYPT_ALLOW_DECRYPT", "FORBID_ENCRYPT_ALLOW_DECRYPT"):
                    name = f"{version} in {storage}, as it was, under {policy}"
                    opens = functools.partial(self.opens, storage=storage)
                    yield name, opens, reader, f"{reader.name} {name}", stored, policy
                for change, tampered in changes(stored, sibling, True):
                    name = f"{version} in {storage}, {change}"
                    refuses = functools.partial(self.refuses, storage=storage)
                    yield name, refuses, reader, f"{reader.name} {name}", tampered

    def requests(self, reader, writer):
        for version in WRITER:
            stored = writer(version, "metadata")
            for request, context in REQUESTS.items():
                name = f"{version}, a context {request}"
                refuses = functools.partial(self.refuses, context=context)
                yield name, refuses, reader, f"{reader.name} {name}", stored
            name = f"{version}, another key of the KMS"
            yield name, self.refuses, reader, f"{reader.name} {name}", stored, READER, self.other
            if reader is self.ours:
                name = f"{version}, a key the KMS does not have"
                yield name, self.refuses, reader, name, stored, READER, self.missing

    def large(self, reader, writer):
        """The fault shows at the end only, when most has been read."""
        for version in WRITER:
            stored = writer(version, "metadata", len(CONTENT))
            name = f"{version}, as it was"
            yield name, self.opens, reader, f"large {reader.name} {name}", stored, READER, len(CONTENT)
            for change, body in [
                ("last bit", flipped(stored.body, -1)), ("first bit", flipped(stored.body, 0)),
                ("cut by 1", stored.body[:-1]), ("cut to 8 MiB", stored.body[: 8 << 20]),
            ]:
                name = f"{version}, {change}"
                yield name, self.refuses, reader, f"large {reader.name} {name}", with_body(stored, body)

    def mixed(self):
        for version in WRITER:
            for storage in ("metadata", "instruction"):
                stored = self.amazons_stored(version, storage)
                for change, tampered in mixtures(stored):
                    name = f"{version} in {storage} {change}"
                    refuses = functools.partial(self.refuses, storage=storage)
                    yield name, refuses, self.ours, f"mixed {name}", tampered

    def legacy(self):
        stored, sibling = self.amazons_stored("V2", "metadata"), self.amazons_stored("V2", "metadata")
        name = "V2, as it was"
        yield name, functools.partial(self.opens, legacy=True), self.ours, f"legacy {name}", stored
        for change, tampered in changes(stored, sibling, True):
            name = f"V2, {change}"
            refuses = functools.partial(self.refuses, legacy=True)
            yield name, refuses, self.ours, f"legacy {name}", tampered

    def unwritten(self):
        for version, policy in WRITER.items():
            name = f"{version}, a context with the reserved name"
            yield name, self.does_not_write, name, policy, self.wrap, CONTEXT | RESERVED
            name = f"{version}, a key the KMS does not have"
            yield name, self.does_not_write, name, policy, self.missing, None

    def does_not_write(self, name, policy, wrap, context):
        key = f"unwritten {name}"
        refused(self.ours.put, key, b"content", policy, wrap, context=context)
        listed = self.bucket.s3.list_objects_v2(Bucket=self.bucket.name, Prefix=key)
        assert listed["KeyCount"] == 0, "a refusal left an object"
