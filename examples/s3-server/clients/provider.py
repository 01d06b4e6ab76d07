"""A round with boto3 under two keys of any KMS: objects, uploads, copies, Bucket Keys, contexts, a key that
is not there, an outage, if the KMS is a process of ours: KMS_PID, and a KMS that is asked too often, if it
is so while a file is there: KMS_THROTTLE.
"""

import base64
import json
import os
import pathlib
import signal
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "provider"
KEY, OTHER, MISSING = (os.environ[name] for name in ("KEY", "OTHER_KEY", "MISSING_KEY"))
BODY = bytes(range(256)) * 300
MIB = 1 << 20

s3 = boto3.client("s3", config=Config(retries={"max_attempts": 1}))


def put(name, key, **kwargs):
    return s3.put_object(
        Bucket=BUCKET, Key=name, Body=BODY, ServerSideEncryption="aws:kms", SSEKMSKeyId=key,
        **kwargs,
    )


def get(name, **kwargs):
    return s3.get_object(Bucket=BUCKET, Key=name, **kwargs)["Body"].read()


def refused(code, message=""):
    """Every call that needs the KMS fails so, in bounded time."""
    wish = {"Bucket": BUCKET, "Key": "never", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}
    calls = [
        (s3.put_object, wish | {"Body": BODY}),
        (s3.create_multipart_upload, wish),
        (s3.copy_object, wish | {"CopySource": {"Bucket": BUCKET, "Key": "cached"}}),
        (s3.get_object, {"Bucket": BUCKET, "Key": "unread"}),
    ]
    for call, kwargs in calls:
        start = time.monotonic()
        try:
            call(**kwargs)
        except ClientError as error:
            told = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
            assert told == (503, code) and message in error.response["Error"]["Message"], error
        else:
            raise AssertionError(f"{call.__name__} went well without a KMS")
        assert time.monotonic() - start < 12, "an outage has to show in bounded time"


def throttled(file):
    """A KMS that is asked too often is one of S3's own errors, and soon forgotten."""
    put("cached", KEY)
    put("unread", KEY)
    file.touch()
    try:
        refused("SlowDown", "Please reduce your request rate for operations involving AWS KMS.")
    finally:
        file.unlink()
    time.sleep(1.1)
    assert get("unread") == BODY
    put("after", KEY)


def outage(pid):
    """Writes fail by an error that says to try again, reads go on as far as keys are cached, lists and HEAD
    need none.
    """
    put("cached", KEY)
    put("unread", KEY)
    assert get("cached") == BODY
    os.kill(pid, signal.SIGSTOP)
    try:
        refused("ServiceUnavailable")
        assert get("cached") == BODY
        for name in ("cached", "unread"):
            assert s3.head_object(Bucket=BUCKET, Key=name)["ContentLength"] == len(BODY)
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] > 3
        s3.put_object(Bucket=BUCKET, Key="plain", Body=BODY, ServerSideEncryption="AES256")
        assert get("plain") == BODY
    finally:
        os.kill(pid, signal.SIGCONT)
    end = time.monotonic() + 30
    while True:
        try:
            assert get("unread") == BODY
            break
        except ClientError:
            assert time.monotonic() < end, "the KMS is back, and is not asked again"
            time.sleep(0.5)
    put("after", KEY)


def main():
    s3.create_bucket(Bucket=BUCKET)
    one, other = put("one", KEY), put("other", OTHER)
    assert one["SSEKMSKeyId"] != other["SSEKMSKeyId"], (one, other)
    for name in ("one", "other"):
        assert get(name) == BODY and get(name, Range="bytes=5-20000") == BODY[5:20001]
    # What answers show can be asked for.
    again = put("again", one["SSEKMSKeyId"], BucketKeyEnabled=True)
    assert again["SSEKMSKeyId"] == one["SSEKMSKeyId"] and again["BucketKeyEnabled"] is True
    assert get("again") == BODY
    context = base64.b64encode(json.dumps({"team": "red"}).encode()).decode()
    put("context", KEY, SSEKMSEncryptionContext=context)
    assert get("context") == BODY
    s3.copy_object(
        Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "context"},
        ServerSideEncryption="aws:kms", SSEKMSKeyId=OTHER,
    )
    assert get("copy") == BODY
    upload = s3.create_multipart_upload(
        Bucket=BUCKET, Key="parts", ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY
    )
    upload = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload["UploadId"]}
    parts = [b"a" * (5 * MIB), BODY]
    etags = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(parts, 1)
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": etags})
    assert get("parts") == b"".join(parts)
    try:
        put("never", MISSING)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "KMS.NotFoundException", error
    else:
        raise AssertionError("a key that is not there was used")
    if "KMS_THROTTLE" in os.environ:
        throttled(pathlib.Path(os.environ["KMS_THROTTLE"]))
    if "KMS_PID" in os.environ:
        outage(int(os.environ["KMS_PID"]))
    for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)


main()
