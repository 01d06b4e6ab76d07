"""UpdateObjectEncryption with our extension, which boto3 does not know."""

import base64
import hashlib
import os

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.session import get_session


def update_encryption(s3, bucket, name, old, new):
    """Brings an object from SSE-S3 (no key) or a customer's key to another."""
    target = "SSE-S3" if new is None else "SSE-C"
    request = AWSRequest(
        "PUT", f"{s3.meta.endpoint_url}/{bucket}/{name}?encryption",
        data=f"<ObjectEncryption><{target}/></ObjectEncryption>".encode(),
        headers=key_headers(new, "") | key_headers(old, "copy-source-"),
    )
    request.headers["x-amz-content-sha256"] = hashlib.sha256(request.data).hexdigest()
    SigV4Auth(get_session().get_credentials(), "s3", "us-east-1").add_auth(request)
    pool = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"], retries=False)
    answer = pool.request("PUT", request.url, body=request.data, headers=dict(request.headers))
    if answer.status != 200:
        metadata = {"HTTPStatusCode": answer.status}
        error = {"Error": {"Message": answer.data.decode()}, "ResponseMetadata": metadata}
        raise ClientError(error, "UpdateObjectEncryption")


def key_headers(key, prefix):
    """The three headers of a customer's key."""
    if key is None:
        return {}
    name = f"x-amz-{prefix}server-side-encryption-customer-"
    return {
        name + "algorithm": "AES256",
        name + "key": base64.b64encode(key).decode(),
        name + "key-md5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }
