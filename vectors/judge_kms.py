"""Judges a local KMS and its audit log by SPEC.md alone (appendices A to C), and that every byte of
them counts. Usage: judge_kms.py FOLDER, as crates/kms/examples/judged_kms.rs writes it."""
import hmac
import json
import re
import sys
from hashlib import sha512
from pathlib import Path

from reader.sealing import (NS, Fields, Reject, canonical_context, check_value, derive_ek, enc, hkdf,
                            open_short, require, u)

ENABLED, DECRYPT_ONLY, DESTROYED, WAITING = 1, 2, 3, 4


def mac(key, *parts):
    return hmac.digest(key, b"".join(parts), "sha512")


def from_hex(text, size, section):
    require(isinstance(text, str) and re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text), section, "hexadecimal digits")
    return bytes.fromhex(text)


def parse_json(text, section):
    def once(pairs):
        require(len(dict(pairs)) == len(pairs), section, "a member twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except ValueError:
        raise Reject(f"{section}: no JSON") from None


def members(value, section, *names):
    require(isinstance(value, dict) and set(value) == set(names), section, "members")
    return [value[name] for name in names]


# Appendix A, unlocked by a key

def read_keyring(data, secret):
    """The keyring's id, and its versions by number: state and key."""
    require(len(data) <= 128_193, "A.3", "length")
    fields = Fields(data, "A.1")
    require(fields.take(8) == bytes.fromhex("894f434b0d0a1a0a") and fields.number(1) == 1, "A.1", "magic and version")
    require(fields.take(13) == bytes(13), "A.1", "KDF 0")
    salt, generation, count = fields.take(32), fields.number(8), fields.number(2)
    require(generation >= 1 and 1 <= count <= 1_024, "A.3", "generation, versions")
    length = fields.number(1)
    require(1 <= length <= 64, "A.1", "keyring id")
    name = fields.take(length)
    header = data[: fields.at]
    keys = hkdf(salt, secret, NS + b"/v1/keyring/unlock", 96)
    require(len(data) >= 64 and hmac.compare_digest(mac(keys[32:], data[:-64]), data[-64:]), "A.3", "MAC")
    versions, last = {}, 0
    for _ in range(count):
        told = fields.take(21)
        number, state, wraps = int.from_bytes(told[:4], "big"), told[12], int.from_bytes(told[13:], "big")
        require(number > last and state in (ENABLED, DECRYPT_ONLY, DESTROYED, WAITING), "A.3", "versions")
        require(wraps <= (0 if state == WAITING else 1 << 40), "A.3", "wraps")
        last, key = number, None
        if state != DESTROYED:
            key = open_short([(keys[:32], NS + b"/v1/keyring/key\0" + header + told)], fields.take(104))
            require(len(key) == 32 and len(set(key)) > 1, "A.3", "key")
        versions[number] = state, key
    fields.take(64)
    fields.end()
    require([state for state, _ in versions.values()].count(ENABLED) == 1, "A.3", "one enabled version")
    return name.decode(), versions


def version_key(versions, number):
    require(number in versions and versions[number][1], "A", "no such version")
    return versions[number][1]


def named_version(keyring, name, number, check):
    require(name == keyring[0], "B.2", "keyring")
    key = version_key(keyring[1], number)
    require(from_hex(check, 8, "7.5") == check_value(key), "7.5", "check value")
    return key


# Appendix B

def open_blob(versions, key_id, context, blob):
    """B.1: the version, and the data key."""
    require(len(blob) == 108, "B.1", "length")
    version = int.from_bytes(blob[:4], "big")
    require(version, "B.1", "version 0")
    ek = derive_ek(version_key(versions, version), 0, 0, 1)
    bound = sha512(enc(key_id.encode()) + enc(context)).digest()
    return version, open_short([(ek, NS + b"/v1/kms\0" + bound)], blob[4:])


def catalog_key(master_keyring, named):
    return hkdf(NS + b"/v1/kms/catalog", named_version(master_keyring, *named), b"", 64)


def read_catalog(data, master_keyring):
    """B.2: the keys, by id, each with what unlocks its keyring."""
    require(len(data) > 130, "B.2", "length")
    text, end = data[:-130], data[-130:]
    format_, generation, master, keys = members(parse_json(text, "B.2"), "B.2", "format", "generation", "master", "keys")
    key = catalog_key(master_keyring, members(master, "B.2", "keyring", "version", "check"))
    require(hmac.compare_digest(b"\n" + mac(key, text).hex().encode() + b"\n", end), "B.2", "MAC")
    require(format_ == 1 and generation >= 1, "B.2", "format, generation")
    opened = {}
    for entry in keys:
        key_id, state, _, aliases, unlock = members(entry, "B.2", "id", "state", "created", "aliases", "unlock")
        if state not in ("enabled", "disabled"):
            members(members(state, "B.2", "pending_deletion")[0], "B.2", "deletion")
        _, secret = open_blob(master_keyring[1], "unlock/" + key_id, b"", from_hex(unlock, 108, "B.2"))
        opened[key_id] = state, aliases, secret
    return opened


# Appendix C

def read_head(key, head):
    require(len(head) == 272, "C", "length of the head")
    slots = [head[:136], head[136:]]
    whole = [slot for slot in slots if hmac.compare_digest(mac(key, b"head\0", slot[:72]), slot[72:])]
    require(whole, "C", "no whole slot")
    newest = max(whole)
    return int.from_bytes(newest[:8], "big"), newest[8:72]


def read_log(data, head, master_keyring):
    """C: the events that count."""
    lines, events = data.split(b"\n"), []
    texts = [line.rpartition(b"\t") for line in lines[:-1]]
    require(texts, "C", "no line 0")
    form, log, master = members(parse_json(texts[0][0], "C"), "C", "audit_log", "id", "master")
    named = members(master, "C", "keyring", "version", "check")
    require(form == 1 and isinstance(log, str), "C", "line 0")
    key = hkdf(NS + b"/v1/kms/audit", named_version(master_keyring, *named), log.encode(), 64)
    before, good = bytes(64), 0
    for text, tab, told in texts:
        follows = mac(key, b"line\0", before, text)
        if not (tab and hmac.compare_digest(follows.hex().encode(), told)):
            break
        before, good = follows, good + 1
        events.append((text, follows))
    count, last = read_head(key, head)
    require(good > count and events[count][1] == last, "C", "lines and head differ")
    # One line whole, or the beginning of one.
    behind = len(lines) - 1 - good
    require(behind == 0 and (good == count + 1 or (good == count + 2 and not lines[-1])), "C", "more than one line behind")
    for number, (text, _) in enumerate(events[1 : count + 1], 1):
        require(parse_json(text, "C")["number"] == number, "C", "number")
    return [parse_json(text, "C") for text, _ in events[1 : count + 1]]


def rejected(read, data, *rest):
    """How many flipped bits were refused; all have to be."""
    count = 0
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 1 << at % 8
        try:
            read(bytes(altered), *rest)
        except (Reject, UnicodeDecodeError):
            count += 1
        else:
            sys.exit(f"{read.__name__}: byte {at} was altered, and nobody saw it")
    return count


def main(folder):
    folder, secret = Path(folder), bytes(range(32))
    master = read_keyring((folder / "master").read_bytes(), secret)
    catalog = (folder / "kms/catalog").read_bytes()
    keys = read_catalog(catalog, master)
    keyrings = {}
    for key_id, (_, _, unlock) in keys.items():
        keyrings[key_id] = read_keyring((folder / f"kms/{key_id}.keyring").read_bytes(), unlock)
        require(keyrings[key_id][0] == key_id, "B.2", "keyring id")
    wrapped = json.loads((folder / "wrapped.json").read_bytes())
    count = 0
    for made in wrapped:
        key_id, blob = made["key"].rpartition("/")[2], bytes.fromhex(made["blob"])
        context = canonical_context(made["context"], server=True)
        version, data_key = open_blob(keyrings[key_id][1], key_id, context, blob)
        assert (f"v{version}", data_key.hex()) == (made["version"], made["data_key"])
        read = lambda altered: open_blob(keyrings[key_id][1], key_id, context, altered)
        count += rejected(read, blob)
    assert {state if isinstance(state, str) else "pending" for state, _, _ in keys.values()} == {"enabled", "pending"}
    assert [aliases for _, aliases, _ in keys.values()] == [["alias/photos"], []]
    log, head = (folder / "audit").read_bytes(), (folder / "audit.head").read_bytes()
    events = read_log(log, head, master)
    assert [event["eventName"] for event in events] == ["GenerateDataKey", "Decrypt"] * len(wrapped)
    count += rejected(read_catalog, catalog, master)
    # The last line end is the beginning of another line when it is lost: the MAC in front of it shows.
    count += rejected(read_log, log, head, master)
    # One slot tells the end, or what a crash left: the line behind the older one does not count then.
    newest = 0 if len(events) % 2 == 0 else 136
    for at in range(272):
        altered = bytearray(head)
        altered[at] ^= 1
        told = events[:-1] if at in range(newest, newest + 136) else events
        assert read_log(log, bytes(altered), master) == told
    for damaged in (bytes(272), head[:-1]):
        try:
            read_log(log, damaged, master)
        except Reject:
            count += 1
        else:
            sys.exit("a head without a whole slot was taken")
    print(f"{len(wrapped)} blobs, {len(keys)} keys and {len(events)} events agree; {count} altered bytes or files are refused")


if __name__ == "__main__":
    main(*sys.argv[1:])
