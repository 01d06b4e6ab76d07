"""Requests that boto3 does not make: signed, and then sent as they are."""

import base64
import hashlib
import os

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.session import get_session


def signed(s3, method, path, data=b"", headers=None):
    """A signed request to a path with its query."""
    request = AWSRequest(method, s3.meta.endpoint_url + path, data=data, headers=headers or {})
    S3SigV4Auth(get_session().get_credentials(), "s3", "us-east-1").add_auth(request)
    return request


def answer(request):
    """What the server answers: status, headers, body."""
    pool = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"], retries=False)
    got = pool.request(
        request.method, request.url, body=request.data, headers=dict(request.headers)
    )
    return got.status, got.headers, got.data


def update_encryption(s3, bucket, name, old, new):
    """UpdateObjectEncryption with our extension, from SSE-S3 (no key) or a customer's key to another."""
    target = "SSE-S3" if new is None else "SSE-C"
    data = f"<ObjectEncryption><{target}/></ObjectEncryption>".encode()
    headers = {"content-md5": md5(data)} | key_headers(new, "") | key_headers(old, "copy-source-")
    status, _, body = answer(signed(s3, "PUT", f"/{bucket}/{name}?encryption", data, headers))
    if status != 200:
        error = {"Error": {"Message": body.decode()}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(error, "UpdateObjectEncryption")


def key_headers(key, prefix):
    """The three headers of a customer's key."""
    if key is None:
        return {}
    name = f"x-amz-{prefix}server-side-encryption-customer-"
    return {
        name + "algorithm": "AES256",
        name + "key": base64.b64encode(key).decode(),
        name + "key-md5": md5(key),
    }


def md5(data):
    """The digest, as headers have it."""
    return base64.b64encode(hashlib.md5(data).digest()).decode()
