"""What a run of `.ci/run` printed."""

import json
import re
import subprocess

BEGUN = re.compile(r"=== (.*)")
ENDED = re.compile(r"=== (.*): \d+ s")
SKIPPED = re.compile(r"SKIPPED: (.*?): ")
RUNNING = re.compile(r" +Running (unittests )?(\S+) \(.*?([\w-]+)-[0-9a-f]+\)")
DOCUMENTATION = re.compile(r" +Doc-tests ")
TEST = re.compile(r"test (\S+)(?: - should panic)? \.\.\. (\w+)")


class Run:
    """The steps of a run, and the outcome of each test in the packages that may have run it.

    `targets` maps a test's source file, as cargo tells it, and its binary's name to the packages that
    have such a target.
    """

    def __init__(self, text, targets):
        self.done, self.skipped, self.seen = set(), set(), {}
        self._targets, self._packages, self._last = targets, frozenset(), frozenset()
        for line in text.splitlines():
            self._read(line)

    def outcomes(self, package, test):
        return self.seen.get((package, test), set())

    def _read(self, line):
        if ended := ENDED.fullmatch(line):
            self.done.add(ended[1])
        elif BEGUN.fullmatch(line):
            self._last = self._packages = frozenset()
        elif skipped := SKIPPED.match(line):
            self.skipped.add(skipped[1])
        elif running := RUNNING.match(line):
            self._packages = self._of(*running.groups())
        elif DOCUMENTATION.match(line):
            self._packages = frozenset()
        elif (test := TEST.match(line)) and test[2] != "ignored":
            for package in self._packages:
                self.seen.setdefault((package, test[1].split("::")[-1]), set()).add(test[2])

    def _of(self, unit, source, binary):
        """Several packages have a tests/server.rs; that of the unit tests before it is meant."""
        packages = self._targets.get((source, binary.replace("-", "_")), frozenset())
        if unit:
            self._last = packages
        return packages & self._last or packages


def targets(root, folders):
    """The targets of the workspace, for `Run`."""
    metadata = json.loads(subprocess.run(
        ["cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"],
        cwd=root, check=True, capture_output=True).stdout)
    found = {}
    for package in metadata["packages"]:
        folder = package["manifest_path"].removesuffix("/Cargo.toml")
        names = [name for name, path in folders.items() if str(path) == folder]
        for target in package["targets"]:
            key = target["src_path"].removeprefix(f"{folder}/"), target["name"].replace("-", "_")
            found[key] = found.get(key, frozenset()).union(names)
    return found
