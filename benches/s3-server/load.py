"""Starts an s3-server and loads it by wrk, for the benches to compare it with another one.

The arguments are the server and the processors that it and wrk run on. Requests come line by line: PUT or
GET, the mode, the object's length, the number of connections, and for how many seconds. The answer is how
many requests were answered in a second. Objects are in memory, under names of which each connection takes
the next.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
from botocore.config import Config

# What a load writes and reads in turn, at most so many bytes.
MOST = 512 << 20
NAMES = 16

KMS = {"SSEAlgorithm": "aws:kms"}
DEFAULTS = {
    "sse-s3": ({"SSEAlgorithm": "AES256"}, False),
    "sse-kms-bucket-key": (KMS, True),
    "sse-kms": (KMS, False),
    "dsse-kms": ({"SSEAlgorithm": "aws:kms:dsse"}, False),
    "sse-c": ({"SSEAlgorithm": "AES256"}, False),
}
CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "7" * 32}
LUA = """
local requests, at = {}, 0
local body = nil
if os.getenv("BODY") ~= "" then body = io.open(os.getenv("BODY"), "rb"):read("*a") end
local headers = {}
for line in io.lines(os.getenv("HEADERS")) do
  local name, value = line:match("([^:]+): (.*)")
  headers[name] = value
end
init = function(_)
  for line in io.lines(os.getenv("PATHS")) do
    requests[#requests + 1] = wrk.format(os.getenv("METHOD"), line, headers, body)
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
"""


class Server:
    """A server over a folder in memory, and a client of it."""

    def __init__(self, program, processor, folder):
        self.folder, self.stored = folder, set()
        flags = [
            *["--listen", "127.0.0.1:0", "--insecure-allow-http"],
            *["--data", folder / "data", "--keyring", folder / "keyring"],
            *["--kms-folder", folder / "kms", "--access-key", "bench:secret"],
        ]
        self.process = subprocess.Popen(
            ["taskset", "-c", processor, program, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        listening = next(line for line in self.process.stdout if line.startswith("listening"))
        self.endpoint = listening.split()[-1]
        self.s3 = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id="bench",
            aws_secret_access_key="secret",
            region_name="us-east-1",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        for bucket, (algorithm, has_bucket_key) in DEFAULTS.items():
            self.s3.create_bucket(Bucket=bucket)
            rule = {
                "ApplyServerSideEncryptionByDefault": algorithm,
                "BucketKeyEnabled": has_bucket_key,
            }
            self.s3.put_bucket_encryption(
                Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
            )

    def close(self):
        self.process.terminate()
        self.process.wait()

    def requests(self, method, bucket, length):
        """Paths with their signature, and the headers that are signed with them."""
        extra = CUSTOMER if bucket == "sse-c" else {}
        names = max(1, min(NAMES, MOST // max(length, 1)))
        paths = []
        for number in range(names):
            parameters = {"Bucket": bucket, "Key": f"{length}/{number}", **extra}
            if method == "GET" and (bucket, length) not in self.stored:
                self.s3.put_object(Body=os.urandom(length), **parameters)
            operation = {"GET": "get_object", "PUT": "put_object"}[method]
            url = self.s3.generate_presigned_url(operation, parameters, ExpiresIn=86_400)
            paths.append(url.removeprefix(self.endpoint))
        if method == "GET":
            self.stored.add((bucket, length))
        return paths, customer_headers() if extra else {}


def customer_headers():
    key = CUSTOMER["SSECustomerKey"].encode()
    prefix = "x-amz-server-side-encryption-customer"
    return {
        f"{prefix}-algorithm": CUSTOMER["SSECustomerAlgorithm"],
        f"{prefix}-key": base64.b64encode(key).decode(),
        f"{prefix}-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


def load(server, processor, method, bucket, length, connections, seconds):
    folder = server.folder
    paths, headers = server.requests(method, bucket, length)
    body = folder / f"body-{length}" if method == "PUT" else ""
    if body and not body.exists():
        body.write_bytes(os.urandom(length))
    (folder / "load.lua").write_text(LUA)
    (folder / "paths").write_text("\n".join(paths))
    lines = [f"{name}: {value}\n" for name, value in headers.items()]
    (folder / "headers").write_text("".join(lines))
    environment = {
        "METHOD": method,
        "BODY": str(body),
        "PATHS": str(folder / "paths"),
        "HEADERS": str(folder / "headers"),
    }
    sampler = sample(server, seconds)
    wrk = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=60s"]
    told = subprocess.run(
        ["taskset", "-c", processor, *wrk, "-s", folder / "load.lua", server.endpoint],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    if sampler:
        sampler.wait()
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"{method} {bucket} {length}: {told}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])


def sample(server, seconds):
    if "SAMPLES" not in os.environ:
        return None
    perf = ["perf", "record", "-q", "-F", "199", "--call-graph", "dwarf,16384"]
    command = [*perf, "-p", str(server.process.pid), "-o", os.environ["SAMPLES"], "--", "sleep"]
    return subprocess.Popen([*command, str(seconds - 1)])


def main():
    program, server_processor, load_processor = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="object-cipher-load-"))
    try:
        server = Server(program, server_processor, folder)
        try:
            for request in sys.stdin:
                method, bucket, *numbers = request.split()
                length, connections, seconds = map(int, numbers)
                asked = (method, bucket, length, connections, seconds)
                print(load(server, load_processor, *asked), flush=True)
        finally:
            server.close()
    finally:
        shutil.rmtree(folder)


main()
