"""The bucket and the two clients of it: ours, a process a call, and Amazon's for Python."""

import hashlib
import io
import json
import os
import pathlib
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.exceptions import ClientError
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.exceptions import S3EncryptionClientError
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

from judge import Kms, Refused, Stored

MIB = 1 << 20
# Every policy, and the version that it writes.
VERSIONS = {
    "FORBID_ENCRYPT_ALLOW_DECRYPT": "V2",
    "REQUIRE_ENCRYPT_ALLOW_DECRYPT": "V3",
    "REQUIRE_ENCRYPT_REQUIRE_DECRYPT": "V3",
}
WRITER = {"V2": "FORBID_ENCRYPT_ALLOW_DECRYPT", "V3": "REQUIRE_ENCRYPT_REQUIRE_DECRYPT"}
# The policy that reads most.
READER = "REQUIRE_ENCRYPT_ALLOW_DECRYPT"
CONTENT = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(20 * MIB // 64))


class Bucket:
    """What a bucket keeps, to look at and to change behind the clients' backs."""

    def __init__(self, name):
        self.name = name
        self.s3 = boto3.client("s3")

    def load(self, key):
        got = self.s3.get_object(Bucket=self.name, Key=key)
        stored = Stored(got["Metadata"], got["Body"].read())
        try:
            beside = self.s3.get_object(Bucket=self.name, Key=f"{key}.instruction")
        except self.s3.exceptions.NoSuchKey:
            return stored
        stored.instruction, stored.mark = beside["Body"].read(), beside["Metadata"]
        return stored

    def save(self, key, stored):
        self.s3.put_object(Bucket=self.name, Key=key, Body=stored.body, Metadata=stored.metadata)
        # Each round has a key of its own, so that no other file is there.
        if stored.instruction is not None:
            beside = {"Bucket": self.name, "Key": f"{key}.instruction", "Metadata": stored.mark}
            self.s3.put_object(**beside, Body=stored.instruction)

    def parts(self, key):
        """How many parts the object was uploaded in, by its ETag."""
        etag = self.s3.head_object(Bucket=self.name, Key=key)["ETag"].strip('"')
        return int(etag.partition("-")[2] or 1)


class Ours:
    """The example: what it refuses must leave nothing."""

    name = "s3ec"

    def __init__(self, bucket):
        self.call = [os.environ["S3EC"]]
        self.environment = dict(os.environ)
        # It is told, and must listen.
        self.where = ["--endpoint", self.environment.pop("AWS_ENDPOINT_URL"), "--bucket", bucket]

    def put(self, key, content, policy, wrap, **options):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "in")
            path.write_bytes(content)
            self.run("put", key, "--in", path, policy, wrap, **options)

    def get(self, key, policy, wrap, **options):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "out")
            try:
                self.run("get", key, "--out", path, policy, wrap, **options)
            except Refused:
                left = os.listdir(folder)
                assert not left, f"a refusal left {left}"
                raise
            return path.read_bytes()

    def run(
        self, verb, key, flag, path, policy, wrap, *, storage="metadata", context=None, matdesc=None,
        legacy=False,
    ):
        call = [*self.call, verb, *self.where, "--key", key, flag, str(path), "--policy", policy]
        call += ["--wrap", wrap, "--storage", storage]
        for name, words in [("--context", context), ("--matdesc", matdesc)]:
            call += [] if words is None else [name, json.dumps(words, ensure_ascii=False)]
        call += ["--legacy"] if legacy else []
        done = subprocess.run(
            call, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
        said = done.stderr.decode(errors="replace").strip()
        # A signal, or Rust's panic.
        assert done.returncode >= 0 and done.returncode != 101, f"it crashed: {said}"
        if done.returncode:
            raise Refused(said)


class Amazons:
    """Amazon's client for Python, which knows keys of a KMS only and writes no instruction files."""

    name = "python"

    def __init__(self, bucket, keys):
        self.bucket = bucket
        self.clients = {
            (policy, f"kms:{key}"): client(policy, key) for policy in VERSIONS for key in keys
        }

    def put(self, key, content, policy, wrap, context=None):
        extra = {} if context is None else {"EncryptionContext": context}
        self.clients[policy, wrap].put_object(Bucket=self.bucket, Key=key, Body=content, **extra)

    def upload(self, key, content, policy, wrap, part, context=None):
        extra = {} if context is None else {"EncryptionContext": context}
        self.clients[policy, wrap].upload_fileobj(
            io.BytesIO(content), self.bucket, key, multipart_chunksize=part, **extra
        )

    def get(self, key, policy, wrap, context=None, **_):
        extra = {} if context is None else {"EncryptionContext": context}
        try:
            got = self.clients[policy, wrap].get_object(Bucket=self.bucket, Key=key, **extra)
            return got["Body"].read()
        except S3EncryptionClientError as error:
            raise Refused(str(error)) from error


def client(policy, key):
    suite = {
        "V2": AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF,
        "V3": AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    }
    config = S3EncryptionClientConfig(
        keyring=KmsKeyring(boto3.client("kms"), key),
        encryption_algorithm=suite[VERSIONS[policy]],
        commitment_policy=CommitmentPolicy[policy],
    )
    return S3EncryptionClient(boto3.client("s3"), config)


def kms_for_judge(key):
    """The judge's view of a key of the KMS."""
    kms = boto3.client("kms")

    def decrypt(blob, words):
        try:
            asked = {"KeyId": key, "CiphertextBlob": blob, "EncryptionContext": words}
            return kms.decrypt(**asked)["Plaintext"]
        except ClientError as error:
            raise Refused(str(error)) from error

    return Kms(decrypt)


class Rounds:
    """Counts rounds, and names those that deviate."""

    def __init__(self):
        self.count = 0
        self.deviations = []

    def group(self, name, rounds):
        """Runs named calls, a few at once; each must return."""
        before, ready = len(self.deviations), []
        self.round(f"{name}: what is needed first", lambda: ready.extend(rounds))
        assert len({one for one, *_ in ready}) == len(ready), f"{name}: two rounds of one name"
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: self.round(f"{name}: {one[0]}", *one[1:]), ready))
        self.count += len(ready)
        bad = len(self.deviations) - before
        print(f"{name}: {len(ready)} rounds" + (f", {bad} DEVIATE" if bad else ""), flush=True)

    def round(self, name, call, *args, **kwargs):
        # Whatever went wrong, the other rounds may tell more about it.
        try:
            call(*args, **kwargs)
        except Exception as error:
            self.deviations.append(name)
            print(f"DEVIATION {name}: {type(error).__name__}: {str(error)[:500]}", flush=True)


def same(got, wanted):
    # Not an assertion on the bytes, which would print 20 MiB.
    left, right = hashlib.sha256(got).hexdigest(), hashlib.sha256(wanted).hexdigest()
    assert left == right, f"{len(got)} bytes of {left}, not {len(wanted)} of {right}"


def refused(call, *args, **kwargs):
    try:
        got = call(*args, **kwargs)
    except Refused:
        return
    raise AssertionError(f"{len(got)} bytes were given out")
