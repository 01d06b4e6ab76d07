"""Kills the server at random points of uploads, copies and changes of encryption, and looks whether
any acknowledged object is lost or any object is half there.

kills.py COUNT FOLDER SERVER FLAG…: the server's binary and its flags but `--listen`.
"""

import hashlib
import pathlib
import random
import re
import subprocess
import sys
import threading
import time

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from signed import update_encryption

BUCKET = "kills"
NAMES = [f"object-{i}" for i in range(6)]
KEYS = [hashlib.sha256(b"key %d" % i).digest() for i in range(2)]
WORKERS = 3
MODES = [None, "kms", 0, 1]


class Server:
    """The server, started again after each kill."""

    def __init__(self, folder, command):
        self.log = folder / "kills.log"
        self.command = command

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*self.command, "--listen", "127.0.0.1:0"], stdout=log, stderr=log
            )
        for _ in range(400):
            found = re.search(rb"https://127\.0\.0\.1:(\d+)", self.log.read_bytes())
            if found:
                self.endpoint = f"https://localhost:{int(found[1])}"
                return client(self.endpoint)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        sys.exit(f"the server did not start: {self.log.read_text()}")

    def kill(self):
        self.process.kill()
        self.process.wait()


def client(endpoint):
    settings = Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=20)
    return boto3.client("s3", endpoint_url=endpoint, config=settings)


def writing(key):
    """What asks for a mode: SSE-S3 (no key), SSE-KMS, or SSE-C by a customer's key."""
    return {"ServerSideEncryption": "aws:kms"} if key == "kms" else customer(key)


def customer(key, prefix=""):
    if key in (None, "kms"):
        return {}
    return {prefix + "SSECustomerAlgorithm": "AES256", prefix + "SSECustomerKey": KEYS[key]}


class State:
    """What each object may be: (seed, length, key), acknowledged last or in flight."""

    def __init__(self):
        self.may_be = {name: [None] for name in NAMES}

    def begin(self, name, state):
        self.may_be[name].append(state)

    def acknowledge(self, name, state):
        self.may_be[name] = [state]


def content(seed, length):
    return random.Random(seed).randbytes(length)


def put(s3, state, name, rng):
    new = rng.getrandbits(64), rng.choice([0, 100, 70_000, 900_000]), rng.choice(MODES)
    state.begin(name, new)
    s3.put_object(Bucket=BUCKET, Key=name, Body=content(*new[:2]), **writing(new[2]))
    state.acknowledge(name, new)


def upload(s3, state, name, rng):
    new = rng.getrandbits(64), 5 * 1024 * 1024 + rng.randrange(100_000), rng.choice(MODES)
    body, keys = content(*new[:2]), customer(new[2])
    target = {"Bucket": BUCKET, "Key": name}
    target["UploadId"] = s3.create_multipart_upload(**target, **writing(new[2]))["UploadId"]
    cut = 5 * 1024 * 1024
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(**target, PartNumber=number, Body=piece, **keys)["ETag"],
        }
        for number, piece in enumerate([body[:cut], body[cut:]], 1)
    ]
    state.begin(name, new)
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    state.acknowledge(name, new)


def change_key(change, modes):
    """A write that brings an object under another key, its content the same."""

    def write(s3, state, name, rng):
        [old] = state.may_be[name]
        if old is None:
            return
        new = (*old[:2], rng.choice(modes))
        state.begin(name, new)
        change(s3, name, old[2], new[2])
        state.acknowledge(name, new)

    write.__name__ = change.__name__
    return write


def copy(s3, name, old, new):
    # A copy onto itself has to change something.
    s3.copy_object(
        Bucket=BUCKET, Key=name, CopySource={"Bucket": BUCKET, "Key": name},
        MetadataDirective="REPLACE", **customer(old, "CopySource"), **writing(new),
    )


def rewrap(s3, name, old, new):
    keys = [None if key in (None, "kms") else KEYS[key] for key in (old, new)]
    update_encryption(s3, BUCKET, name, *keys)


WRITES = [put, put, upload, change_key(copy, MODES), change_key(rewrap, [None, 0, 1])]


def work(s3, state, names, seed, refusals):
    """Writes until the server is gone."""
    rng = random.Random(seed)
    while True:
        write = rng.choice(WRITES)
        try:
            write(s3, state, rng.choice(names), rng)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) != 503:
                refusals.append(f"{write.__name__}: {error}")
            return
        except (BotoCoreError, urllib3.exceptions.HTTPError):
            return


def check(s3, state):
    """Every object is the one acknowledged, or the one in flight; never half of either."""
    for name, may_be in state.may_be.items():
        found = next((one for one in reversed(may_be) if reads_as(s3, name, one)), "nothing")
        assert found != "nothing", f"{name} is none of {may_be}"
        state.acknowledge(name, found)


def reads_as(s3, name, state):
    keys = customer(None if state is None else state[2])
    try:
        body = s3.get_object(Bucket=BUCKET, Key=name, **keys)["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # A missing object, or one that is under another key; damage would be another error.
        assert code in ("NoSuchKey", "InvalidRequest", "AccessDenied"), f"{name}: {error}"
        return state is None and code == "NoSuchKey"
    if state is None:
        return False
    return len(body) == state[1] and body == content(*state[:2])


def main():
    count, folder, *command = sys.argv[1:]
    folder, rng, state, refusals = pathlib.Path(folder), random.Random(1), State(), []
    server = Server(folder, command)
    s3 = server.start()
    s3.create_bucket(Bucket=BUCKET)
    for round_ in range(int(count)):
        threads = [
            threading.Thread(
                target=work, args=(s3, state, NAMES[i::WORKERS], rng.random(), refusals)
            )
            for i in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(rng.uniform(0.01, 0.4))
        server.kill()
        for thread in threads:
            thread.join()
        assert not refusals, refusals
        s3 = server.start()
        check(s3, state)
    kept = sum(1 for may_be in state.may_be.values() if may_be != [None])
    assert kept > 0, "nothing was ever written"
    server.kill()
    print(f"killed {count} times: nothing lost, nothing half there")


main()
