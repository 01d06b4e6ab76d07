"""Objects that one client writes and the other reads, with keys of a KMS: each policy with each."""

import dataclasses

from forge import to_instruction_file
from judge import read, written_well
from sides import CONTENT, MIB, READER, VERSIONS, WRITER, refused, same

SIZES = [0, 1, 15, 16, 17, 1023, 1024, 65535, 65536, 65537, MIB, MIB + 3]
CONTEXTS = {"no context": None, "a context": {"department": "accounts", "purpose": 'a "test", 1/2'}}
# Amazon's client takes no such context, so that nobody but the judge reads it.
FOREIGN = {"Zweck": "Prüfung", "目的": "试验 \U0001f512", "quoted": '"\\\n\t'}


@dataclasses.dataclass
class Exchange:
    bucket: object
    ours: object
    amazons: object
    judges: object
    wrap: str

    def run(self, rounds):
        table = list(self.table())
        rounds.group("s3ec writes", ((name, self.ours_writes, *one) for name, *one in table))
        rounds.group("Python reads what s3ec wrote", self.reads("s3ec", self.amazons, table))
        rounds.group("Python writes", ((name, self.amazons_writes, *one) for name, *one in table))
        rounds.group("s3ec reads what Python wrote", self.reads("python", self.ours, table))
        rounds.group("instruction files", self.instruction_files())
        rounds.group("contexts that are not ASCII", self.foreign_contexts())
        rounds.group("many parts", self.many_parts())

    def table(self):
        for policy in VERSIONS:
            for size in SIZES:
                for name, context in CONTEXTS.items():
                    yield f"{policy}, {size} bytes, {name}", policy, size, context

    def ours_writes(self, policy, size, context, storage="metadata", key=None):
        key = key or f"s3ec {policy} {size} {bool(context)}"
        content = CONTENT[:size]
        self.ours.put(key, content, policy, self.wrap, storage=storage, context=context)
        stored = self.bucket.load(key)
        written_well(stored, VERSIONS[policy], self.judges, context or {}, storage, size)
        same(read(stored, self.judges), content)

    def amazons_writes(self, policy, size, context):
        key = f"python {policy} {size} {bool(context)}"
        self.amazons.put(key, CONTENT[:size], policy, self.wrap, context)

    def reads(self, writer, reader, table):
        for name, policy, size, context in table:
            key = f"{writer} {policy} {size} {bool(context)}"
            for reading in VERSIONS:
                one = reader, key, size, reading, VERSIONS[policy]
                yield f"{name}, read under {reading}", self.reads_one, *one, context

    def reads_one(self, reader, key, size, policy, version, context, storage="metadata"):
        options = {"context": context, "storage": storage}
        if version == "V2" and policy == "REQUIRE_ENCRYPT_REQUIRE_DECRYPT":
            refused(reader.get, key, policy, self.wrap, **options)
        else:
            same(reader.get(key, policy, self.wrap, **options), CONTENT[:size])

    def instruction_files(self):
        for version, policy in WRITER.items():
            for size in (0, 1000, 65537):
                for name, context in CONTEXTS.items():
                    what = version, policy, size, context
                    yield f"s3ec's {version}, {size} bytes, {name}", self.ours_with_file, *what
                    yield f"Python's {version}, {size} bytes, {name}", self.amazons_with_file, *what

    def ours_with_file(self, version, policy, size, context):
        key = f"s3ec's with a file {version} {size} {bool(context)}"
        self.ours_writes(policy, size, context, "instruction", key)
        for reading in VERSIONS:
            for reader in (self.amazons, self.ours):
                self.reads_one(reader, key, size, reading, version, context, "instruction")

    def amazons_with_file(self, version, policy, size, context):
        """It writes none, so that its fields move into one."""
        key = f"Python's with a file {version} {size} {bool(context)}"
        self.amazons.put(key, CONTENT[:size], policy, self.wrap, context)
        self.bucket.save(key, to_instruction_file(self.bucket.load(key)))
        for reading in VERSIONS:
            for reader in (self.amazons, self.ours):
                self.reads_one(reader, key, size, reading, version, context, "instruction")

    def foreign_contexts(self):
        for version, policy in WRITER.items():
            for storage in ("metadata", "instruction"):
                yield f"{version} in {storage}", self.foreign_context, version, policy, storage

    def foreign_context(self, version, policy, storage):
        key = f"foreign {version} {storage}"
        self.ours_writes(policy, 1000, FOREIGN, storage, key)
        self.reads_one(self.ours, key, 1000, READER, version, FOREIGN, storage)
        refused(self.ours.get, key, READER, self.wrap, storage=storage)

    def many_parts(self):
        for version, policy in WRITER.items():
            for size in (8 * MIB, 8 * MIB + 1, 20 * MIB):
                yield f"s3ec's {version}, {size} bytes", self.ours_uploads, version, policy, size
            for part in (8 * MIB, 5 * MIB + 7):
                name = f"Python's {version} in parts of {part}"
                yield name, self.amazons_uploads, version, policy, part

    def ours_uploads(self, version, policy, size):
        key, context = f"s3ec's parts {version} {size}", CONTEXTS["a context"]
        self.ours_writes(policy, size, context, key=key)
        if size > 8 * MIB:
            assert self.bucket.parts(key) > 1, "it went up in one part"
        for reader in (self.amazons, self.ours):
            self.reads_one(reader, key, size, READER, version, context)

    def amazons_uploads(self, version, policy, part):
        key, context = f"Python's parts {version} {part}", CONTEXTS["a context"]
        self.amazons.upload(key, CONTENT, policy, self.wrap, part, context)
        assert self.bucket.parts(key) == -(-len(CONTENT) // part)
        self.reads_one(self.ours, key, len(CONTENT), READER, version, context)
