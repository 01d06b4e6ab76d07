"""Judges object-cipher's bodies with an implementation that is not ours: PyPI `cryptography`.

    judge.py vectors            opens every single-layer body of bodies.json, and refuses each reject
    judge.py open DEK CONTEXT BODY FILE
    judge.py seal DEK CONTEXT FILE BODY
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor


def open_body(dek: bytes, context: bytes, body: bytes) -> bytes:
    decryptor = Cobblestone256Decryptor(dek, context)
    return decryptor.update(body) + decryptor.finalize()


def seal_body(dek: bytes, context: bytes, plaintext: bytes) -> bytes:
    encryptor = Cobblestone256Encryptor(dek, context)
    return encryptor.update(plaintext) + encryptor.finalize()


def is_expected(plaintext: bytes, expected: dict) -> bool:
    if "sha256" in expected:
        digest = hashlib.sha256(plaintext).hexdigest()
        return (len(plaintext), digest) == (expected["len"], expected["sha256"])
    if "b64" in expected:
        return plaintext == base64.b64decode(expected["b64"])
    return plaintext == bytes.fromhex(expected["hex"])


def agrees(vector: dict) -> bool:
    dek, context = bytes.fromhex(vector["dek_hex"]), bytes.fromhex(vector["context_hex"])
    body = base64.b64decode(vector["body_b64"])
    try:
        plaintext = open_body(dek, context, body)
    except Exception:  # its errors have several types; that it refuses is what counts
        return vector.get("reject", False)
    return not vector.get("reject", False) and is_expected(plaintext, vector["plaintext"])


def judge_vectors() -> int:
    path = pathlib.Path(__file__).with_name("bodies.json")
    vectors = [v for v in json.loads(path.read_text())["vectors"] if v["layers"] == 1]
    disputed = [vector["name"] for vector in vectors if not agrees(vector)]
    for name in disputed:
        print(f"DISPUTED: {name}")
    rejects = sum(vector.get("reject", False) for vector in vectors)
    print(f"{len(vectors)} single-layer bodies judged, {rejects} of them rejects")
    return 1 if disputed or not vectors else 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["vectors"]:
            return judge_vectors()
        case [("open" | "seal") as verb, dek, context, source, sink]:
            work = open_body if verb == "open" else seal_body
            content = pathlib.Path(source).read_bytes()
            made = work(bytes.fromhex(dek), bytes.fromhex(context), content)
            pathlib.Path(sink).write_bytes(made)
            return 0
    print(__doc__)
    return 2


sys.exit(main(sys.argv[1:]))
