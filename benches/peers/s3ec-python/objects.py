"""Seals and opens objects in memory by Amazon's S3 Encryption Client, for the benches to compare with.

S3 and KMS are stubs without HTTP, so that only the client's own work counts. The arguments are the
format, V2 or V3, and the content's length. Requests come line by line: what to do and how often. The
answer is the processor time that it took on this thread, in nanoseconds; of `memory`, which is followed
by what to do, by how many bytes the process grew at the most.
"""

import io
import os
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from botocore.response import StreamingBody
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

FORMATS = {
    "V2": (
        AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF,
        CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
    ),
    "V3": (
        AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    ),
}
NAME = {"Bucket": "bucket", "Key": "key"}
PREFIX = "x-amz-meta-"
# Delayed authentication is for reading by the piece.
PIECE = 64 << 10


class Kms:
    """Has one data key."""

    def __init__(self):
        self.meta = SimpleNamespace(config=SimpleNamespace(user_agent_extra=""))
        self.key = {"Plaintext": os.urandom(32), "CiphertextBlob": os.urandom(184)}

    def generate_data_key(self, **_):
        return self.key

    def decrypt(self, **_):
        return self.key


class S3:
    """A client of boto3 as far as the encrypting one takes notice. It gives back what it would store, and
    gives out what is in `stored`."""

    def __init__(self):
        self.handlers = {}
        events = SimpleNamespace(register=self.handlers.__setitem__)
        self.meta = SimpleNamespace(events=events, config=SimpleNamespace(user_agent_extra=""))
        self.stored = {}

    def put_object(self, Body, **_):
        params = {"body": Body, "headers": {}}
        self.handlers["before-call.s3.PutObject"](params=params)
        return params

    def get_object(self, **_):
        body, headers = self.stored["body"], self.stored["headers"]
        parsed = {
            "Body": StreamingBody(io.BytesIO(body), len(body)),
            "Metadata": {name.removeprefix(PREFIX): value for name, value in headers.items()},
            "ContentLength": len(body),
        }
        self.handlers["after-call.s3.GetObject"](parsed=parsed)
        return parsed


class Objects:
    """What can be asked for."""

    def __init__(self, version, length):
        self.content = os.urandom(length)
        kms, s3 = Kms(), S3()
        self.verified = client(version, kms, s3)
        s3.stored = self.put()
        s3_delayed = S3()
        s3_delayed.stored = s3.stored
        self.delayed = client(version, kms, s3_delayed, enable_delayed_authentication=True)
        assert self.verified.get_object(**NAME)["Body"].read() == self.content
        assert b"".join(self.pieces()) == self.content

    def put(self):
        return self.verified.put_object(Body=self.content, **NAME)

    def get(self):
        return self.verified.get_object(**NAME)["Body"].read()

    def get_delayed(self):
        for _ in self.pieces():
            pass

    def pieces(self):
        return self.delayed.get_object(**NAME)["Body"].iter_chunks(PIECE)


def client(version, kms, s3, **options):
    algorithm, policy = FORMATS[version]
    keyring = KmsKeyring(kms, "alias/key")
    config = S3EncryptionClientConfig(
        keyring, encryption_algorithm=algorithm, commitment_policy=policy, **options
    )
    return S3EncryptionClient(s3, config)


def duration(act, count):
    """What is made is given back untimed."""
    total = 0
    for _ in range(count):
        start = time.thread_time_ns()
        made = act()
        total += time.thread_time_ns() - start
        del made
    return total


def growth(act):
    """By how much resident memory was at its highest above what it was before."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    act()
    return resident("VmHWM") - before


def resident(field):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)[1]) << 10


def main():
    version, length = sys.argv[1:]
    objects = Objects(version, int(length))
    acts = {"put": objects.put, "get": objects.get, "get-delayed": objects.get_delayed}
    for request in sys.stdin:
        match request.split():
            case ["memory", name]:
                answer = growth(acts[name])
            case [name, count]:
                answer = duration(acts[name], int(count))
            case _:
                sys.exit(f"not a request: {request!r}")
        print(answer, flush=True)


main()
