"""Rounds with boto3: what policies and blocks of a bucket let through."""

import json
import os
import socket
import ssl
import urllib.parse

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from signed import answer, key_headers, signed

BUCKET = "policies"
KEY = bytes(range(32))
MODE = "s3:x-amz-server-side-encryption"
CUSTOMER = MODE + "-customer-algorithm"

settings = {"retries": {"max_attempts": 1}}
s3 = boto3.client("s3", config=Config(**settings))
nobody = boto3.client("s3", config=Config(signature_version=UNSIGNED, **settings))
other = boto3.client(
    "s3", config=Config(**settings), aws_access_key_id=os.environ["OTHER_ACCESS_KEY"],
    aws_secret_access_key=os.environ["OTHER_SECRET_KEY"],
)
mine = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}


def refused(status, code, call, **kwargs):
    """The call must fail with this status and code."""
    try:
        call(Bucket=BUCKET, **kwargs)
    except ClientError as error:
        got = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
        assert got == (status, code), f"{got}, not {(status, code)}: {error}"
        return
    raise AssertionError(f"{call.__name__}{kwargs} went well, {code} was expected")


def policy(*statements, **parts):
    """Puts a policy; one statement may be given by its parts."""
    base = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    statements = [base | statement for statement in statements or [parts]]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=text)
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]) == json.loads(text)


def put(client=s3, **kwargs):
    client.put_object(Bucket=BUCKET, Key="a", Body=b"content", **kwargs)


def only_with_the_mode_said():
    """What AWS's guide tells buckets to do that want SSE-S3 said in each request."""
    policy(
        {"Condition": {"StringNotEquals": {MODE: "AES256"}}},
        {"Condition": {"Null": {MODE: "true"}}},
    )
    put(ServerSideEncryption="AES256")
    refused(403, "AccessDenied", s3.put_object, Key="a", Body=b"")
    refused(403, "AccessDenied", s3.put_object, Key="a", Body=b"", **mine)
    # The policy comes before the syntax.
    refused(403, "AccessDenied", s3.put_object, Key="a", Body=b"", ServerSideEncryption="AES192")
    source = {"Bucket": BUCKET, "Key": "a"}
    refused(403, "AccessDenied", s3.copy_object, Key="b", CopySource=source)
    refused(403, "AccessDenied", s3.create_multipart_upload, Key="b")
    # The mode is said when an upload is created, and holds for its parts.
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="b", ServerSideEncryption="AES256")
    upload = {"Bucket": BUCKET, "Key": "b", "UploadId": upload["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**upload, MultipartUpload=parts)


def no_customers_keys():
    policy(Condition={"Null": {CUSTOMER: "false"}})
    put()
    refused(403, "AccessDenied", s3.put_object, Key="a", Body=b"", **mine)
    refused(403, "AccessDenied", s3.create_multipart_upload, Key="a", **mine)
    # Nothing of a refused body is waited for.
    assert head_of_answer(key_headers(KEY, "")).startswith("HTTP/1.1 403")


def head_of_answer(headers):
    """The first line that the server answers to headers that announce a body and send none."""
    headers = {"content-length": "1000000000", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"} | headers
    request = signed(s3, "PUT", f"/{BUCKET}/a", headers=headers)
    url = urllib.parse.urlsplit(request.url)
    lines = [f"PUT {url.path} HTTP/1.1", f"host: {url.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    trust = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    with socket.create_connection((url.hostname, url.port), timeout=20) as plain:
        with trust.wrap_socket(plain, server_hostname=url.hostname) as to:
            to.sendall("\r\n".join([*lines, "", ""]).encode())
            return to.recv(100).decode()


def who_may():
    policy(Principal={"AWS": os.environ["OTHER_ACCESS_KEY"]}, Action=["s3:Put*", "s3:DeleteObject"])
    put()
    refused(403, "AccessDenied", other.put_object, Key="a", Body=b"")
    assert other.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"content"
    deleted = other.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}]})
    assert [error["Code"] for error in deleted["Errors"]] == ["AccessDenied"]
    refused(403, "AccessDenied", nobody.get_object, Key="a")
    policy(Effect="Allow", Action="s3:GetObject")
    assert nobody.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"content"
    refused(403, "AccessDenied", nobody.put_object, Key="a", Body=b"")
    refused(403, "AccessDenied", nobody.list_objects_v2)
    refused(403, "AccessDenied", nobody.get_bucket_encryption)
    # Over TLS this denies nothing.
    policy(Action="s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    put()
    # Its owner can take back a policy that denies everything.
    everything = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    policy(Action="s3:*", Resource=everything)
    refused(403, "AccessDenied", s3.list_objects_v2)
    refused(403, "AccessDenied", s3.get_bucket_encryption)
    s3.delete_bucket_policy(Bucket=BUCKET)
    refused(404, "NoSuchBucketPolicy", s3.get_bucket_policy)
    put()


def nothing_is_passed_over():
    for parts in [
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"StringEqualsIgnoreCase": {MODE: "AES256"}}},
        {"NotAction": "s3:GetObject"},
        {"Resource": "arn:aws:s3:::another/*"},
    ]:
        try:
            policy(**parts)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "MalformedPolicy", error
        else:
            raise AssertionError(f"the policy {parts} was taken")


def blocked_customers_keys():
    """The block that AWS begins new buckets with."""
    put(**mine)
    for blocked, allowed in [("SSE-C", False), ("NONE", True)]:
        rule = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BlockedEncryptionTypes": {"EncryptionType": [blocked]},
        }
        s3.put_bucket_encryption(
            Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )
        shown = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
        assert shown["Rules"][0]["BlockedEncryptionTypes"] == rule["BlockedEncryptionTypes"], shown
        if allowed:
            put(**mine)
        else:
            refused(403, "AccessDenied", s3.put_object, Key="a", Body=b"", **mine)
        assert s3.get_object(Bucket=BUCKET, Key="a", **mine)["Body"].read() == b"content"
    xml = b"<ServerSideEncryptionConfiguration/>"
    status, _, body = answer(signed(s3, "PUT", f"/{BUCKET}?encryption", xml))
    assert status == 400 and b"Content-MD5 OR x-amz-checksum-*" in body, body
    # However it is written, it is not PutObject.
    before = s3.get_object(Bucket=BUCKET, Key="a", **mine)["ETag"]
    status, _, body = answer(signed(s3, "PUT", f"/{BUCKET}/a?encryptio%6E", xml))
    assert status in (400, 403), (status, body)
    assert s3.head_object(Bucket=BUCKET, Key="a", **mine)["ETag"] == before


def main():
    s3.create_bucket(Bucket=BUCKET)
    rounds = [
        only_with_the_mode_said, no_customers_keys, who_may, nothing_is_passed_over,
        blocked_customers_keys,
    ]
    for one in rounds:
        one()
        print(f"policies: {one.__name__.replace('_', ' ')}")
        s3.delete_bucket_policy(Bucket=BUCKET)
    for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)


main()
