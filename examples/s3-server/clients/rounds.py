"""Rounds with boto3: customers' keys, ranges, uploads, copies between modes, conditions, forms.

The endpoint and credentials come from the environment; the argument is the server's scratch folder,
whose data is scanned at the end.
"""

import base64
import hashlib
import os
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from signed import answer, key_headers, md5, signed, update_encryption

MIB = 1 << 20
BUCKET = "rounds"
KEYS = [hashlib.sha256(b"key %d" % i).digest() for i in range(3)]
CONTENT = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(MIB))
MALFORMED = b"nobody wants this in a log"

s3 = boto3.client("s3", config=Config(retries={"max_attempts": 1}))


def customer(key, prefix=""):
    """The parameters of a customer's key, for the object or for a copy's source."""
    return {
        prefix + "SSECustomerAlgorithm": "AES256",
        prefix + "SSECustomerKey": key,
    }


def refused(status, code, call, *args, **kwargs):
    """The call must fail with this status and code; a HEAD has no body and so no code."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        got = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
        assert got == (status, code), f"{got}, not {(status, code)}: {error}"
        return error.response
    raise AssertionError(f"{call.__name__}{kwargs} went well, {code} was expected")


def read(name, **kwargs):
    return s3.get_object(Bucket=BUCKET, Key=name, **kwargs)["Body"].read()


def same(left, right, what):
    # Not an assertion on the bytes, which would print 64 MiB.
    assert hashlib.sha256(left).digest() == hashlib.sha256(right).digest(), what


def whole_objects():
    for name, length in [("empty", 0), ("one", 1), ("chunk", 16384), ("odd", 100_001)]:
        body = CONTENT[:length]
        put = s3.put_object(Bucket=BUCKET, Key=name, Body=body, Metadata={"note": "kept"})
        assert put["ServerSideEncryption"] == "AES256"
        assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        got = s3.get_object(Bucket=BUCKET, Key=name, ChecksumMode="ENABLED")
        same(got["Body"].read(), body, name)
        assert got["ETag"] == put["ETag"] and got["Metadata"] == {"note": "kept"}
        assert got["ServerSideEncryption"] == "AES256" and got["ContentLength"] == length
        assert any(field.startswith("Checksum") for field in got)


def customers_keys():
    body = CONTENT[:50_000]
    etags = set()
    for _ in range(3):
        put = s3.put_object(Bucket=BUCKET, Key="mine", Body=body, **customer(KEYS[0]))
        assert "ServerSideEncryption" not in put and put["SSECustomerAlgorithm"] == "AES256"
        md5 = base64.b64encode(hashlib.md5(KEYS[0]).digest()).decode()
        assert put["SSECustomerKeyMD5"] == md5
        etags.add(put["ETag"])
    assert len(etags) == 3 and f'"{hashlib.md5(body).hexdigest()}"' not in etags
    same(read("mine", **customer(KEYS[0])), body, "a customer's key")
    same(read("mine", Range="bytes=100-199", **customer(KEYS[0])), body[100:200], "a range")
    mine = {"Bucket": BUCKET, "Key": "mine"}
    refused(400, "InvalidRequest", s3.get_object, **mine)
    refused(403, "AccessDenied", s3.get_object, **mine, **customer(KEYS[1]))
    refused(403, "403", s3.head_object, **mine, **customer(KEYS[1]))
    refused(400, "400", s3.head_object, **mine)
    refused(400, "InvalidRequest", s3.get_object, Bucket=BUCKET, Key="one", **customer(KEYS[0]))
    both = refused(
        400, "InvalidArgument", s3.put_object, **mine, Body=b"", ServerSideEncryption="AES256",
        **customer(KEYS[0]),
    )
    assert both["Error"]["ArgumentName"] == "x-amz-server-side-encryption"
    assert both["Error"]["ArgumentValue"] == "AES256"
    refused(
        400, "InvalidEncryptionAlgorithmError", s3.put_object, **mine, Body=b"",
        SSECustomerAlgorithm="AES192", SSECustomerKey=KEYS[0],
    )
    refused(400, "InvalidArgument", s3.put_object, **mine, Body=b"", **customer(b"short"))


def ranges():
    body = CONTENT[:100_001]
    for spec, expected in [
        ("bytes=0-0", body[:1]), ("bytes=16383-16384", body[16383:16385]),
        ("bytes=99999-", body[99999:]), ("bytes=-7", body[-7:]), ("bytes=5-999999", body[5:]),
    ]:
        got = s3.get_object(Bucket=BUCKET, Key="odd", Range=spec)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        same(got["Body"].read(), expected, spec)
    refused(416, "InvalidRange", s3.get_object, Bucket=BUCKET, Key="odd", Range="bytes=100001-")


def upload(name, parts, extra, again):
    """A multipart upload, parts in parallel and in any order, some sent twice."""
    create = s3.create_multipart_upload(Bucket=BUCKET, Key=name, **extra)
    keys = {field: extra[field] for field in extra if field.startswith("SSECustomer")}

    def send(number, body):
        sent = s3.upload_part(
            Bucket=BUCKET, Key=name, UploadId=create["UploadId"], PartNumber=number, Body=body,
            **keys,
        )
        return number, sent["ETag"]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: send(number, b"\0" * 5 * MIB), again))
        etags = dict(pool.map(lambda part: send(*part), sorted(parts.items(), reverse=True)))
    listed = s3.list_parts(Bucket=BUCKET, Key=name, UploadId=create["UploadId"])["Parts"]
    sizes = {part["PartNumber"]: part["Size"] for part in listed}
    assert sizes == {number: len(body) for number, body in parts.items()}
    done = s3.complete_multipart_upload(
        Bucket=BUCKET, Key=name, UploadId=create["UploadId"],
        MultipartUpload={
            "Parts": [{"PartNumber": n, "ETag": etags[n]} for n in sorted(parts)]
        },
    )
    raw = b"".join(bytes.fromhex(etags[n].strip('"')) for n in sorted(parts))
    assert done["ETag"] == f'"{hashlib.md5(raw).hexdigest()}-{len(parts)}"'


def uploads():
    cuts = {1: CONTENT[: 20 * MIB], 2: CONTENT[20 * MIB : 45 * MIB], 7: CONTENT[45 * MIB :]}
    for name, extra in [("big", {}), ("big-mine", customer(KEYS[1]))]:
        upload(name, cuts, extra, again=[2])
        same(read(name, **extra), CONTENT, name)
        head = s3.head_object(Bucket=BUCKET, Key=name, **extra)
        assert head["ContentLength"] == len(CONTENT)
        span = read(name, Range=f"bytes={20 * MIB - 5}-{20 * MIB + 4}", **extra)
        same(span, CONTENT[20 * MIB - 5 : 20 * MIB + 5], "a range over two parts")
        part = s3.get_object(Bucket=BUCKET, Key=name, PartNumber=2, **extra)
        assert part["PartsCount"] == 3
        same(part["Body"].read(), cuts[2], "a part")
        refused(
            416, "InvalidPartNumber", s3.get_object, Bucket=BUCKET, Key=name, PartNumber=8, **extra
        )
    create = s3.create_multipart_upload(Bucket=BUCKET, Key="other", **customer(KEYS[0]))
    part = {
        "Bucket": BUCKET, "Key": "other", "UploadId": create["UploadId"], "PartNumber": 1,
        "Body": b"x",
    }
    refused(400, "InvalidRequest", s3.upload_part, **part)
    refused(400, "InvalidRequest", s3.upload_part, **part, **customer(KEYS[2]))
    s3.abort_multipart_upload(Bucket=BUCKET, Key="other", UploadId=create["UploadId"])
    refused(404, "NoSuchUpload", s3.upload_part, **part, **customer(KEYS[0]))


def copies():
    own = {"plain": {}, "first": customer(KEYS[0]), "second": customer(KEYS[1])}
    body = CONTENT[:200_000]
    for name, extra in own.items():
        s3.put_object(Bucket=BUCKET, Key=f"copy/{name}", Body=body, **extra)
    for name, source in own.items():
        as_source = {f"CopySource{field}": value for field, value in source.items()}
        for target, extra in own.items():
            key = f"copy/{name}-to-{target}"
            s3.copy_object(
                Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": f"copy/{name}"},
                **as_source, **extra,
            )
            same(read(key, **extra), body, key)
        # In place, to another key.
        s3.copy_object(
            Bucket=BUCKET, Key=f"copy/{name}", CopySource={"Bucket": BUCKET, "Key": f"copy/{name}"},
            **as_source, **customer(KEYS[2]),
        )
        same(read(f"copy/{name}", **customer(KEYS[2])), body, f"{name} in place")
    refused(
        403, "AccessDenied", s3.copy_object, Bucket=BUCKET, Key="never",
        CopySource={"Bucket": BUCKET, "Key": "copy/first"},
        **customer(KEYS[0], "CopySource"),
    )
    create = s3.create_multipart_upload(Bucket=BUCKET, Key="from-copy")
    part = {"Bucket": BUCKET, "Key": "from-copy", "UploadId": create["UploadId"]}
    done = s3.upload_part_copy(
        **part, PartNumber=1, CopySource={"Bucket": BUCKET, "Key": "big-mine"},
        CopySourceRange=f"bytes=3-{6 * MIB + 2}", **customer(KEYS[1], "CopySource"),
    )
    etag = done["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(
        **part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}
    )
    same(read("from-copy"), CONTENT[3 : 6 * MIB + 3], "a part copied from an upload")


def updates():
    """The ETag stays, and one that is a digest of the content stays out of sight."""
    body = CONTENT[:16384]
    etag = s3.put_object(Bucket=BUCKET, Key="update", Body=body)["ETag"]
    for old, new in [(None, KEYS[0]), (KEYS[0], KEYS[1]), (KEYS[1], None), (None, KEYS[2])]:
        update_encryption(s3, BUCKET, "update", old, new)
        keys = {} if new is None else customer(new)
        assert s3.head_object(Bucket=BUCKET, Key="update", **keys)["ETag"] == etag
        same(read("update", **keys), body, "an updated object")
    refused(403, "AccessDenied", s3.get_object, Bucket=BUCKET, Key="update", **customer(KEYS[1]))


def lists_and_conditions():
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="copy/", MaxKeys=3)
    assert listed["KeyCount"] == 3 and listed["IsTruncated"]
    assert all(found["Size"] == 200_000 for found in listed["Contents"])
    folders = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [folder["Prefix"] for folder in folders["CommonPrefixes"]] == ["copy/"]
    sizes = {found["Key"]: found["Size"] for found in folders["Contents"]}
    assert sizes["big"] == len(CONTENT) and sizes["empty"] == 0
    etag = s3.head_object(Bucket=BUCKET, Key="one")["ETag"]
    one = {"Bucket": BUCKET, "Key": "one"}
    same_still = refused(304, "304", s3.get_object, **one, IfNoneMatch=etag)
    assert same_still["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
    refused(412, "PreconditionFailed", s3.get_object, **one, IfMatch='"0"')
    refused(412, "PreconditionFailed", s3.put_object, **one, Body=b"", IfNoneMatch="*")


def unfinished_uploads():
    """Pages of any length list every upload once."""
    names = ["u/1", "u/2/a", "u/2/b", "u/3", "u/3", "u/\u00e9"]
    created = sorted(
        (name, s3.create_multipart_upload(Bucket=BUCKET, Key=name)["UploadId"]) for name in names
    )
    for delimiter, whole in [("", created), ("/", [one for one in created if "/2/" not in one[0]])]:
        for limit in (1, 2, 3, 100):
            seen, folders, markers = [], [], {}
            while True:
                page = s3.list_multipart_uploads(
                    Bucket=BUCKET, Prefix="u/", Delimiter=delimiter, MaxUploads=limit, **markers
                )
                seen += [(found["Key"], found["UploadId"]) for found in page.get("Uploads", [])]
                folders += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
                if not page["IsTruncated"]:
                    break
                markers = {"KeyMarker": page["NextKeyMarker"]}
                if page.get("NextUploadIdMarker"):
                    markers["UploadIdMarker"] = page["NextUploadIdMarker"]
            assert seen == whole, f"pages of {limit}: {seen}"
            assert folders == (["u/2/"] if delimiter else []), folders
    for name, upload in created:
        s3.abort_multipart_upload(Bucket=BUCKET, Key=name, UploadId=upload)


def attributes():
    wanted = ["ETag", "Checksum", "ObjectParts", "ObjectSize"]

    def coded(key):
        # boto3 does not encode keys for this operation.
        text = base64.b64encode(key).decode()
        return customer(text) | {"SSECustomerKeyMD5": md5(key)}

    big = {"Bucket": BUCKET, "Key": "big-mine", "ObjectAttributes": wanted, **coded(KEYS[1])}
    got = s3.get_object_attributes(**big)
    assert got["ObjectSize"] == len(CONTENT) and got["ObjectParts"]["TotalPartsCount"] == 3
    sizes = {part["PartNumber"]: part["Size"] for part in got["ObjectParts"]["Parts"]}
    assert sizes == {1: 20 * MIB, 2: 25 * MIB, 7: 19 * MIB}, sizes
    page = s3.get_object_attributes(**big, MaxParts=1, PartNumberMarker=1)["ObjectParts"]
    assert [part["PartNumber"] for part in page["Parts"]] == [2] and page["IsTruncated"]
    refused(403, "AccessDenied", s3.get_object_attributes, **big | coded(KEYS[0]))


def forms():
    body = CONTENT[:30_000]
    for name, extra in [("form", {}), ("form-mine", key_headers(KEYS[0], ""))]:
        fields = {"success_action_status": "201"} | extra
        conditions = [{field: value} for field, value in fields.items()]
        post = s3.generate_presigned_post(BUCKET, name, fields, conditions)
        files = [*post["fields"].items(), ("file", ("any", body))]
        pool = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"], retries=False)
        answer = pool.request("POST", post["url"], fields=files)
        assert answer.status == 201, answer.data
        same(read(name, **(customer(KEYS[0]) if extra else {})), body, name)
    refused(400, "InvalidRequest", s3.get_object, Bucket=BUCKET, Key="form-mine")


def changed_bodies():
    """What is not what was signed is refused, and leaves nothing."""
    request = signed(s3, "PUT", f"/{BUCKET}/changed", b"what was signed")
    request.data = b"what is sent now"[:15]
    status, _, body = answer(request)
    assert status == 400 and b"XAmzContentSHA256Mismatch" in body, body
    wrong = {"content-md5": md5(b"another")}
    status, _, body = answer(signed(s3, "PUT", f"/{BUCKET}/changed", b"content", wrong))
    assert status == 400 and b"BadDigest" in body, body
    refused(404, "404", s3.head_object, Bucket=BUCKET, Key="changed")


def presigned():
    pool = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"], retries=False)
    wanted = {"Bucket": BUCKET, "Key": "odd"}
    signer = boto3.client("s3", config=Config(signature_version="s3v4"))
    got = pool.request("GET", signer.generate_presigned_url("get_object", wanted))
    same(got.data, CONTENT[:100_001], "a presigned URL")
    # Version 2 leaves `?encryption` out of what it signs.
    old = boto3.client("s3", config=Config(signature_version="s3"))
    got = pool.request("PUT", old.generate_presigned_url("put_object", wanted) + "&encryption")
    assert got.status == 400 and b"AWS4-HMAC-SHA256" in got.data, got.data


def added_headers():
    """A header that somebody puts into a signed request."""
    request = signed(s3, "PUT", f"/{BUCKET}/added", b"content")
    request.headers["x-amz-copy-source"] = f"{BUCKET}/odd"
    status, _, body = answer(request)
    assert status == 403 and b"AccessDenied" in body, body
    refused(404, "404", s3.head_object, Bucket=BUCKET, Key="added")


def many_deletions():
    objects = [{"Key": "nothing"}] * 1_001
    refused(400, "MalformedXML", s3.delete_objects, Bucket=BUCKET, Delete={"Objects": objects})
    status, _, body = answer(signed(s3, "POST", f"/{BUCKET}?delete", b"<Delete>" + MALFORMED))
    assert status == 400 and b"MalformedXML" in body, body


def a_body_that_is_gone(folder):
    """No answer begins that cannot be gone on with, and a copy of it is no fault of the client's."""
    bodies = pathlib.Path(folder, "data", "bodies")
    before = set(bodies.glob("*/*"))
    s3.put_object(Bucket=BUCKET, Key="gone", Body=b"content")
    for body in set(bodies.glob("*/*")) - before:
        body.unlink()
    gone = {"Bucket": BUCKET, "Key": "gone"}
    refused(500, "InternalError", s3.get_object, **gone)
    refused(500, "InternalError", s3.copy_object, **gone | {"Key": "copy"}, CopySource=gone)
    s3.delete_object(**gone)


def nothing_shows(folder):
    """No 16 bytes of the plaintext, no digest of it and no key is in what the server keeps, and no
    key is in its log, which is at its fullest.
    """
    traces = [CONTENT[at : at + 16] for at in range(0, len(CONTENT), 65_521)]
    for length in (1, 16384, 50_000, 100_001, 200_000, len(CONTENT)):
        for digest in ("md5", "sha1", "sha256"):
            raw = hashlib.new(digest, CONTENT[:length]).digest()
            traces += [raw, raw.hex().encode(), base64.b64encode(raw)]
    secrets = []
    for key in KEYS:
        for secret in (key, hashlib.md5(key).digest()):
            secrets += [secret, secret.hex().encode(), base64.b64encode(secret)]
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    assert len(files) > 30, "that is not where the server keeps its data"
    log = folder / "log"
    assert b"TRACE" in log.read_bytes(), "the log says too little to tell"
    for path in files:
        kept = path.read_bytes()
        for trace in traces + secrets:
            assert trace not in kept, f"{path} holds {trace}"
    # Clients name ETags, which of SSE-S3 are digests of their content.
    logged = log.read_bytes()
    assert MALFORMED not in logged, "the log holds a request's body"
    for secret in secrets:
        assert secret not in logged, f"the log holds {secret}"


def main():
    folder = pathlib.Path(sys.argv[1])
    s3.create_bucket(Bucket=BUCKET)
    rounds = [
        whole_objects, customers_keys, ranges, uploads, copies, updates, lists_and_conditions,
        unfinished_uploads, attributes, forms, changed_bodies, presigned, added_headers,
        many_deletions,
    ]
    for one in rounds:
        one()
        print(f"boto3: {one.__name__.replace('_', ' ')}")
    a_body_that_is_gone(folder)
    print("boto3: a body that is gone")
    nothing_shows(folder)
    for name in [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]:
        s3.delete_object(Bucket=BUCKET, Key=name)
    s3.delete_bucket(Bucket=BUCKET)
    print("boto3: nothing shows in what the server keeps and logs")


main()
