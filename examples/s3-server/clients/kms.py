"""Rounds with boto3: SSE-KMS by header and by bucket default, Bucket Keys, contexts, keys that cannot
be used, and the audit log.

The argument is the server's scratch folder; OBJECT_CIPHER is the command that manages its keys.
"""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from signed import answer, md5, signed

BUCKET = "kms"
BASE = "arn:aws:kms:us-east-1:000000000000:"
ONE, OTHER = os.environ["KMS_KEYS"].split()
MISSING = "ffffffff-12ab-34cd-56ef-1234567890ab"
BODY = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(3_000))
MIB = 1 << 20

s3 = boto3.client("s3", config=Config(retries={"max_attempts": 1}))


def kms(key=None, context=None, bucket_key=None):
    """The parameters of SSE-KMS."""
    wish = {"ServerSideEncryption": "aws:kms"}
    if key:
        wish["SSEKMSKeyId"] = key
    if context is not None:
        wish["SSEKMSEncryptionContext"] = base64.b64encode(json.dumps(context).encode()).decode()
    if bucket_key is not None:
        wish["BucketKeyEnabled"] = bucket_key
    return wish


def put(name, **kwargs):
    return s3.put_object(Bucket=BUCKET, Key=name, Body=BODY, **kwargs)


def get(name, **kwargs):
    return s3.get_object(Bucket=BUCKET, Key=name, **kwargs)


def refused(status, code, message, call, **kwargs):
    """The call must fail so; of the message this has to be in it."""
    try:
        call(Bucket=BUCKET, **kwargs)
    except ClientError as error:
        told = error.response["Error"]
        got = error.response["ResponseMetadata"]["HTTPStatusCode"], told["Code"]
        assert got == (status, code), f"{got}, not {(status, code)}: {error}"
        assert message in told["Message"], told
        return
    raise AssertionError(f"{call.__name__}{kwargs} went well, {code} was expected")


def manage(*arguments):
    """Changes a key of the local KMS, as an operator would."""
    folder = pathlib.Path(sys.argv[1])
    place = ["--keyring", folder / "keyring", "--key-file", folder / "keyring.key"]
    if arguments[0] != "audit":
        place += ["--folder", folder / "data.kms"]
    command = [os.environ["OBJECT_CIPHER"], "kms", *arguments, *place]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def names_of_keys():
    """Whatever names a key, answers show its ARN."""
    for name in (ONE, f"{BASE}key/{ONE}"):
        made = put("named", **kms(name))
        assert made["ServerSideEncryption"] == "aws:kms", made
        assert made["SSEKMSKeyId"] == f"{BASE}key/{ONE}", made
        assert "BucketKeyEnabled" not in made
        assert made["ETag"] != f'"{hashlib.md5(BODY).hexdigest()}"'
    for name in (None, "alias/aws/s3", f"{BASE}alias/aws/s3"):
        assert put("named", **kms(name))["SSEKMSKeyId"].startswith(f"{BASE}key/")
    got = get("named", ChecksumMode="ENABLED")
    assert got["Body"].read() == BODY and got["ServerSideEncryption"] == "aws:kms"
    assert get("named", Range="bytes=16380-16390")["Body"].read() == BODY[16380:16391]
    head = s3.head_object(Bucket=BUCKET, Key="named")
    assert head["ContentLength"] == len(BODY) and head["SSEKMSKeyId"] == got["SSEKMSKeyId"]


def defaults_and_bucket_keys():
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": ONE},
        "BucketKeyEnabled": True,
    }
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    shown = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert shown["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == ONE, shown
    for name in ("default", "default-2"):
        made = put(name)
        assert made["SSEKMSKeyId"] == f"{BASE}key/{ONE}" and made["BucketKeyEnabled"] is True
        assert get(name)["BucketKeyEnabled"] is True and get(name)["Body"].read() == BODY
    assert "BucketKeyEnabled" not in put("own-key", **kms(OTHER, bucket_key=False))
    assert put("plain", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    multipart("multipart-default")
    s3.delete_bucket_encryption(Bucket=BUCKET)
    assert put("plain")["ServerSideEncryption"] == "AES256"
    # What was written stays as it was.
    assert get("default")["Body"].read() == BODY


def multipart(name, **kwargs):
    multipart_in("aws:kms", name, **kwargs)


def multipart_in(mode, name, **kwargs):
    created = s3.create_multipart_upload(Bucket=BUCKET, Key=name, **kwargs)
    assert created["ServerSideEncryption"] == mode, created
    upload = {"Bucket": BUCKET, "Key": name, "UploadId": created["UploadId"]}
    parts = [b"a" * (5 * MIB), BODY]
    etags = []
    for number, body in enumerate(parts, 1):
        sent = s3.upload_part(**upload, PartNumber=number, Body=body)
        assert sent["ServerSideEncryption"] == mode, sent
        etags.append({"PartNumber": number, "ETag": sent["ETag"]})
    listed = s3.list_parts(**upload)["Parts"]
    assert [part["ETag"] for part in listed] == [part["ETag"] for part in etags]
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": etags})
    assert done["SSEKMSKeyId"] == created["SSEKMSKeyId"], done
    whole = get(name)["Body"].read()
    assert hashlib.sha256(whole).digest() == hashlib.sha256(b"".join(parts)).digest()
    span = get(name, Range=f"bytes={5 * MIB - 3}-{5 * MIB + 2}")["Body"].read()
    assert span == b"aaa" + BODY[:3]


def contexts():
    context = {"team": "r\u00f6t", "a": "1"}
    made = put("context", **kms(ONE, context))
    echoed = json.loads(base64.b64decode(made["SSEKMSEncryptionContext"]))
    assert echoed == context, made
    assert "SSEKMSEncryptionContext" not in get("context")
    assert get("context")["Body"].read() == BODY
    assert get("context")["Metadata"] == {}
    own = f"arn:aws:s3:::{BUCKET}/context"
    put("context", **kms(ONE, {"aws:s3:arn": own}))
    refused(
        400, "InvalidArgument", "aws:s3:arn", s3.put_object, Key="other", Body=b"",
        **kms(ONE, {"aws:s3:arn": own}),
    )
    for bad in ("not base64!", base64.b64encode(b'{"a":1}').decode()):
        wish = kms(ONE) | {"SSEKMSEncryptionContext": bad}
        refused(400, "InvalidArgument", "Base64-encoded", s3.put_object, Key="x", Body=b"", **wish)
    multipart("multipart-context", **kms(ONE, context, bucket_key=True))
    # The context is not copied.
    copied = s3.copy_object(
        Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "multipart-context"},
        **kms(OTHER),
    )
    assert copied["SSEKMSKeyId"] == f"{BASE}key/{OTHER}"
    assert "SSEKMSEncryptionContext" not in copied
    assert len(get("copy")["Body"].read()) == 5 * MIB + len(BODY)


def writes():
    """Every call that would write under a key."""
    source = {"Bucket": BUCKET, "Key": "plain"}
    return [
        (s3.put_object, {"Key": "never", "Body": b""}),
        (s3.create_multipart_upload, {"Key": "never"}),
        (s3.copy_object, {"Key": "never", "CopySource": source}),
    ]


def keys_that_are_not_there(**mode):
    rows = [
        ("fake-key-id", "Invalid keyId 'fake-key-id'"),
        (MISSING, f"Key '{BASE}key/{MISSING}' does not exist"),
        (f"{BASE}key/{MISSING}", f"Key '{BASE}key/{MISSING}' does not exist"),
        (f"{BASE}key/{ONE}".replace("us-east-1", "eu-west-1"), "Invalid arn eu-west-1"),
    ]
    for key, message in rows:
        for call, kwargs in writes():
            wish = kwargs | kms(key) | mode
            refused(400, "KMS.NotFoundException", message, call, **wish)


def keys_that_cannot_be_used():
    arn = f"{BASE}key/{OTHER}"
    put("unread", **kms(OTHER))
    manage("disable", OTHER)
    everything = [(call, kwargs | kms(OTHER)) for call, kwargs in writes()]
    everything += [(s3.get_object, {"Key": "unread"})]
    for call, kwargs in everything:
        refused(400, "KMS.DisabledException", f"{arn} is disabled.", call, **kwargs)
    manage("enable", OTHER)
    manage("schedule-deletion", OTHER, "--days", "7")
    for call, kwargs in everything:
        refused(
            400, "KMS.KMSInvalidStateException", f"{arn} is pending deletion.", call, **kwargs
        )
    # Lists and other keys go on.
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="unread")["KeyCount"] == 1
    put("named", **kms(ONE))
    manage("cancel-deletion", OTHER)
    manage("enable", OTHER)
    assert get("unread")["Body"].read() == BODY


def rotation():
    put("before", **kms(ONE))
    manage("rotate", ONE)
    put("after", **kms(ONE))
    for name in ("before", "after"):
        assert get(name)["Body"].read() == BODY


def policies():
    """Only this key, however it is named, and whatever the bucket's default is."""
    key = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"StringNotEquals": {key: f"{BASE}key/{ONE}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    put("policy", **kms(ONE))
    for wish in (kms(OTHER), kms(), {}, {"ServerSideEncryption": "AES256"}):
        refused(403, "AccessDenied", "", s3.put_object, Key="policy", Body=b"", **wish)
    s3.delete_bucket_policy(Bucket=BUCKET)


def updates():
    """UpdateObjectEncryption: the body, its ETag and its context stay."""
    made = put("update")["ETag"]

    def update(target):
        data = f"<ObjectEncryption>{target}</ObjectEncryption>".encode()
        path = f"/{BUCKET}/update?encryption"
        return answer(signed(s3, "PUT", path, data, {"content-md5": md5(data)}))

    def to(key, bucket_key):
        arn = f"<KMSKeyArn>{BASE}key/{key}</KMSKeyArn>"
        return f"<SSE-KMS>{arn}<BucketKeyEnabled>{bucket_key}</BucketKeyEnabled></SSE-KMS>"

    for target, mode in [
        (to(ONE, "false"), "aws:kms"), (to(OTHER, "true"), "aws:kms"), ("<SSE-S3/>", "AES256"),
        (to(ONE, "true"), "aws:kms"),
    ]:
        status, _, body = update(target)
        assert status == 200, body
        got = get("update")
        assert got["ServerSideEncryption"] == mode and got["ETag"] == made, got
        assert got["Body"].read() == BODY
    status, _, body = update(to(MISSING, "false"))
    assert status == 400 and b"KMS.NotFoundException" in body, body
    assert get("update")["Body"].read() == BODY


def form(name, fields):
    """An upload by a form that a browser sends."""
    v4 = boto3.client("s3", config=Config(signature_version="s3v4"))
    conditions = [{field: value} for field, value in fields.items()]
    post = v4.generate_presigned_post(BUCKET, name, fields, conditions)
    pool = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"], retries=False)
    files = [*post["fields"].items(), ("file", ("any", BODY))]
    answer = pool.request("POST", post["url"], fields=files)
    assert answer.status == 204, answer.data


def two_layers():
    """DSSE-KMS, by header and by default, and never less whatever else is asked for."""
    wish = {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": ONE}
    made = put("dsse", **wish)
    assert made["ServerSideEncryption"] == "aws:kms:dsse" and "BucketKeyEnabled" not in made, made
    assert made["SSEKMSKeyId"] == f"{BASE}key/{ONE}"
    head = s3.head_object(Bucket=BUCKET, Key="dsse")
    assert head["ServerSideEncryption"] == "aws:kms:dsse" and head["ContentLength"] == len(BODY)
    assert get("dsse")["Body"].read() == BODY
    assert get("dsse", Range="bytes=16380-16390")["Body"].read() == BODY[16380:16391]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms:dsse", "KMSMasterKeyID": ONE}}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    for extra in ({}, {"BucketKeyEnabled": True}):
        made = put("dsse-default", **extra)
        assert made["ServerSideEncryption"] == "aws:kms:dsse", made
        assert "BucketKeyEnabled" not in made, made
    refused(
        400, "InvalidArgument", "", s3.put_object, Key="never", Body=b"", SSEKMSKeyId=OTHER
    )
    multipart_in("aws:kms:dsse", "dsse-parts")
    for fields in ({}, {"x-amz-server-side-encryption": "aws:kms:dsse"}):
        form("dsse-form", fields)
        assert s3.head_object(Bucket=BUCKET, Key="dsse-form")["ServerSideEncryption"] == "aws:kms:dsse"
        assert get("dsse-form")["Body"].read() == BODY
    for source in ("dsse", "plain", "named", "dsse-parts"):
        s3.copy_object(
            Bucket=BUCKET, Key="dsse-copy", CopySource={"Bucket": BUCKET, "Key": source}, **wish
        )
        assert get("dsse-copy")["ServerSideEncryption"] == "aws:kms:dsse"
    s3.copy_object(
        Bucket=BUCKET, Key="from-dsse", CopySource={"Bucket": BUCKET, "Key": "dsse"},
        ServerSideEncryption="AES256",
    )
    assert get("from-dsse")["Body"].read() == BODY
    s3.delete_bucket_encryption(Bucket=BUCKET)
    keys_that_are_not_there(ServerSideEncryption="aws:kms:dsse")
    # Its key can be forbidden like any other.
    put("dsse-unread", **(wish | {"SSEKMSKeyId": OTHER}))
    manage("disable", OTHER)
    refused(400, "KMS.DisabledException", "is disabled", s3.get_object, Key="dsse-unread")
    manage("enable", OTHER)
    assert get("dsse-unread")["Body"].read() == BODY


def audit(folder):
    log = folder / "audit"
    print(manage("audit", log).strip().replace(str(log), "audit"))
    events = [json.loads(line.split("\t")[0]) for line in log.read_text().splitlines()[1:]]
    assert {event["principal"] for event in events} >= {os.environ["AWS_ACCESS_KEY_ID"]}
    assert all(event["requestID"] for event in events if event["eventName"] == "GenerateDataKey")
    objects = {event["encryptionContext"].get("aws:s3:arn") for event in events}
    assert f"arn:aws:s3:::{BUCKET}/named" in objects and f"arn:aws:s3:::{BUCKET}" in objects
    failed = {event["error"]["code"] for event in events if event["error"]}
    assert {"DisabledException", "KMSInvalidStateException", "NotFoundException"} <= failed
    # Bucket Keys: of all objects that were written so, few asked the KMS.
    assert any(event["bucketKey"] and event["eventName"] == "GenerateDataKey" for event in events)


def main():
    s3.create_bucket(Bucket=BUCKET)
    put("plain")
    rounds = [
        names_of_keys, defaults_and_bucket_keys, contexts, keys_that_are_not_there,
        keys_that_cannot_be_used, rotation, policies, updates, two_layers,
    ]
    for one in rounds:
        one()
        print(f"SSE-KMS: {one.__name__.replace('_', ' ')}")
    audit(pathlib.Path(sys.argv[1]))
    for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)


main()
