#!/usr/bin/env python3
"""core_dump.py PROGRAM MOST: runs the example `opened_and_dropped`, dumps its core when it has dropped all,
and looks for the keys it told: none in the heap, at most MOST on the stack. Then runs it again with a key left
on the heap, which must be found."""

import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# Bytes of a key that are looked for, as in freed memory.
LENGTH = 16


def told(pipe):
    """The keys that come through the pipe, until an empty one."""
    secrets = set()
    while length := pipe.read(1)[0]:
        secret = pipe.read(length)
        if len(secret) >= LENGTH:
            secrets.add(secret[:LENGTH])
    return secrets


def dump(program, *arguments):
    """The keys, the maps and the core of a run that has dropped everything."""
    child = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        secrets = told(child.stdout)
        maps = Path(f"/proc/{child.pid}/maps").read_text()
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["gcore", "-o", f"{folder}/core", str(child.pid)], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return secrets, maps, Path(f"{folder}/core.{child.pid}").read_bytes()
    finally:
        child.stdin.close()
        child.wait()


def segments(core):
    """Each segment of an ELF core: kind, address and content."""
    offset, = struct.unpack_from("<Q", core, 32)
    size, count = struct.unpack_from("<HH", core, 54)
    for index in range(count):
        kind, _, start, address, _, length = struct.unpack_from("<IIQQQQ", core, offset + index * size)
        yield kind, address, core[start:start + length]


def place(kind, address, maps):
    """Where a segment belongs: registers, stack, heap (with all that is mapped without a file), or a file."""
    if kind != 1:
        return "registers"
    for line in maps.splitlines():
        start, end, name = re.fullmatch(r"(\w+)-(\w+) \S+ \S+ \S+ \S+ *(.*)", line).groups()
        if int(start, 16) <= address < int(end, 16):
            return {"[stack]": "stack", "[heap]": "heap", "": "heap"}.get(name, "files")
    return "files"


def count(program, *arguments):
    secrets, maps, core = dump(program, *arguments)
    hits = dict.fromkeys(("heap", "stack", "registers", "files"), 0)
    searched = dict.fromkeys(hits, 0)
    for kind, address, content in segments(core):
        where = place(kind, address, maps)
        searched[where] += len(content)
        hits[where] += sum(content.count(secret) for secret in secrets)
    assert min(searched["heap"], searched["stack"], searched["registers"]) > 0, searched
    return len(secrets), hits


def main(program, most):
    secrets, hits = count(program)
    print(f"{secrets} keys told, found after all was dropped: {hits}")
    _, planted = count(program, "plant")
    print(f"with one left on the heap: {planted}")
    if hits["heap"] or hits["files"]:
        sys.exit("keys are left in the heap")
    if hits["stack"] + hits["registers"] > most:
        sys.exit(f"more than {most} copies are left on the stack and in registers")
    if planted["heap"] != 1:
        sys.exit("the key that was left was not found")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
