"""What an attacker with the bucket can do to an object, one change at a time; a reader must refuse each."""

import base64
import copy
import json

from forge import text, to_instruction_file
from judge import BOUND, KMS_BOUND, SHORT, V3_CONTENT

CBC = "AES/CBC/PKCS5Padding"
OTHER_NAMES = {
    "x-amz-c": ["114", "112", "113", "116", "0115", "0x73", BOUND["V2"]],
    "x-amz-w": ["02", "12", "22", "32", "kms+context"],
    "x-amz-cek-alg": [CBC, "AES/CTR/NoPadding", "115", "aes/gcm/nopadding"],
    "x-amz-wrap-alg": ["AES/GCM", "RSA-OAEP-SHA1", "kms+context", "kms", "AESWrap", "AES", "RSA", "12"],
}
LONG = {number: name for name, number in SHORT.items()}


def changes(stored, sibling, kms):
    """Named changed objects; the sibling is another one by the same writer, with the same key."""
    yield from field_changes(stored, sibling, kms)
    yield from body_changes(stored, sibling)
    yield from relabelled(stored)
    if stored.instruction is not None:
        yield from file_changes(stored, sibling)


def field_changes(stored, sibling, kms):
    found = fields(stored)
    for name in ("x-amz-d", "x-amz-i", "x-amz-3", "x-amz-key-v2", "x-amz-iv"):
        if name not in found:
            continue
        raw = base64.b64decode(found[name])
        for what, value in [
            ("first bit", bytes([raw[0] ^ 0x80]) + raw[1:]), ("last bit", flipped(raw, -1)),
            ("cut", raw[:-1]), ("longer", raw + b"\1"), ("empty", b""),
        ]:
            yield f"{name}, {what}", edited(stored, name, text(value))
        yield f"{name} of another object", edited(stored, name, fields(sibling)[name])
        yield f"no {name}", edited(stored, name, None)
    for name, others in OTHER_NAMES.items():
        if name in found:
            for other in others:
                if other != found[name]:
                    yield f"{name} is {other}", edited(stored, name, other)
            yield f"no {name}", edited(stored, name, None)
    if "x-amz-iv" in found:
        cbc = edited(stored, "x-amz-iv", text(bytes(range(1, 17))))
        yield "x-amz-cek-alg is of CBC with its IV", edited(cbc, "x-amz-cek-alg", CBC)
    if kms:
        name = "x-amz-t" if "x-amz-3" in found else "x-amz-matdesc"
        words = json.loads(found[name])
        other = BOUND["V2"] if words[KMS_BOUND] == "115" else "115"
        for what, value in [
            ("one more", words | {"more": "1"}), ("for another algorithm", words | {KMS_BOUND: other}),
            ("for none", {n: word for n, word in words.items() if n != KMS_BOUND}),
            ("another word", words | {n: "x" for n in words if n != KMS_BOUND}), ("empty", {}),
        ]:
            yield f"{name}, {what}", edited(stored, name, json.dumps(value))
        yield f"{name} is no JSON", edited(stored, name, found[name][:-1])
        yield f"no {name}", edited(stored, name, None)


def body_changes(stored, sibling):
    body = stored.body
    for what, changed in [
        ("first bit", flipped(body, 0)), ("a bit in the middle", flipped(body, len(body) // 2)),
        ("last bit of the content", flipped(body, -17)), ("first bit of the tag", flipped(body, -16)),
        ("last bit of the tag", flipped(body, -1)), ("cut by 1", body[:-1]), ("cut by 16", body[:-16]),
        ("cut to 16", body[:16]), ("cut to 15", body[:15]), ("nothing", b""), ("longer by 1", body + b"\0"),
        ("longer by 16", body + bytes(16)), ("without its first byte", body[1:]),
        ("of another object", sibling.body),
    ]:
        yield f"body, {what}", with_body(stored, changed)


def relabelled(stored):
    """An object of one version that says it is of the other."""
    found = fields(stored)
    if "x-amz-3" in found:
        for bound in BOUND.values():
            words = json.loads(found.get("x-amz-t") or found.get("x-amz-m", "{}"))
            words |= {KMS_BOUND: bound} if "x-amz-t" in found else {}
            yield f"relabelled as V2, for {bound}", moved(stored, {
                "x-amz-key-v2": found["x-amz-3"], "x-amz-iv": text(b"\1" * 12),
                "x-amz-wrap-alg": LONG[found["x-amz-w"]], "x-amz-cek-alg": BOUND["V2"],
                "x-amz-tag-len": "128", "x-amz-matdesc": json.dumps(words),
            })
    else:
        words = "x-amz-t" if found["x-amz-wrap-alg"] == "kms+context" else "x-amz-m"
        yield "relabelled as V3", moved(stored, {
            "x-amz-3": found["x-amz-key-v2"], "x-amz-c": "115", "x-amz-d": text(b"\1" * 28),
            "x-amz-i": text(b"\1" * 28), "x-amz-w": SHORT[found["x-amz-wrap-alg"]],
            words: found["x-amz-matdesc"],
        })
        # So that a reader tries the padding of PKCS #1 on the wrapped key, and tells.
        old = {name: value for name, value in found.items() if name != "x-amz-key-v2"}
        yield "relabelled as V1", moved(stored, old | {"x-amz-key": found["x-amz-key-v2"]})
        short = {"x-amz-key": found["x-amz-key-v2"], "x-amz-iv": text(bytes(range(16)))}
        yield "relabelled as V1 of old", moved(stored, short | {"x-amz-matdesc": found["x-amz-matdesc"]})


def file_changes(stored, sibling):
    inside = json.loads(stored.instruction)
    for what, changed in [
        ("missing", None), ("empty", b""), ("cut", stored.instruction[:-1]), ("a list", b"[]"),
        ("without fields", b"{}"), ("no JSON", b"x-amz-3"),
    ]:
        yield f"instruction file {what}", with_file(stored, changed)
    yield "instruction file of another object", with_file(stored, sibling.instruction)
    if "x-amz-3" not in inside:
        for name in ("x-amz-iv", "x-amz-cek-alg", "x-amz-wrap-alg"):
            changed = copy.deepcopy(stored)
            changed.metadata[name] = inside[name]
            yield f"{name} on the object as well", changed
        return
    for name in sorted(V3_CONTENT):
        both = with_file(stored, json.dumps(inside | {name: stored.metadata[name]}).encode())
        yield f"{name} in the instruction file as well", both
        changed = copy.deepcopy(both)
        del changed.metadata[name]
        yield f"{name} in the instruction file", changed
    everything = json.dumps(inside | stored.metadata).encode()
    changed = with_file(stored, everything)
    changed.metadata = {}
    yield "all in the instruction file", changed
    old = next(one for name, one in relabelled(stored) if name == f"relabelled as V2, for {BOUND['V3']}")
    yield "instruction file of V2", with_file(stored, old.instruction)


def mixtures(stored):
    """What ours must not take, though Amazon's takes much of it: fields of two versions, other lengths."""
    found = fields(stored)
    if "x-amz-3" in found:
        # HMAC, in which it is the key, takes no notice of a zero at its end.
        longer = text(base64.b64decode(found["x-amz-i"]) + b"\0")
        yield "and a zero after x-amz-i", edited(stored, "x-amz-i", longer)
        for name, value in [
            ("x-amz-iv", text(b"\1" * 12)), ("x-amz-matdesc", "{}"), ("x-amz-tag-len", "128"),
            ("x-amz-key", found["x-amz-3"]), ("x-amz-key-v2", found["x-amz-3"]),
            ("x-amz-cek-alg", BOUND["V2"]), ("x-amz-wrap-alg", LONG[found["x-amz-w"]]),
        ]:
            yield f"and {name}", edited(stored, name, value)
        return
    yield "without x-amz-tag-len", edited(stored, "x-amz-tag-len", None)
    for name, value in [
        ("x-amz-c", "115"), ("x-amz-w", "12"), ("x-amz-d", text(b"\1" * 28)), ("x-amz-m", "{}"),
        ("x-amz-i", text(b"\1" * 28)), ("x-amz-t", "{}"), ("x-amz-3", found["x-amz-key-v2"]),
        ("x-amz-key", found["x-amz-key-v2"]), ("x-amz-tag-len", "96"), ("x-amz-tag-len", "16"),
    ]:
        yield f"and {name} {value[:3]}", edited(stored, name, value)
    spoofed = edited(edited(stored, "x-amz-c", "115"), "x-amz-w", "12")
    yield "and what a policy could be taken in by", spoofed


def fields(stored):
    return stored.metadata | json.loads(stored.instruction or b"{}")


def edited(stored, name, value):
    """With this field changed where it is, or on the object; None takes it away."""
    changed = copy.deepcopy(stored)
    inside = json.loads(stored.instruction or b"{}")
    place = inside if name in inside else changed.metadata
    place[name] = value
    if value is None:
        del place[name]
    return with_file(changed, json.dumps(inside).encode() if stored.instruction else None)


def moved(stored, metadata):
    """With other fields, in the same places."""
    changed = copy.deepcopy(stored)
    changed.metadata = metadata
    return to_instruction_file(changed) if stored.instruction else changed


def with_body(stored, body):
    changed = copy.deepcopy(stored)
    changed.body = body
    return changed


def with_file(stored, instruction):
    changed = copy.deepcopy(stored)
    changed.instruction = instruction
    return changed


def flipped(raw, at):
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)
