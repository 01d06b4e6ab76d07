#!/usr/bin/env python3
"""check.py [RECORD]: holds docs/attacks.toml against the list of attacks, the sources and `.ci/run`, and
with RECORD, what a run of `.ci/run` printed, against what ran and passed in it."""

import os
import re
import sys
import tomllib
from pathlib import Path

import record

ROOT = Path(__file__).resolve().parents[2]

# How many attacks of each letter there are: F1 to F16, and so on.
ATTACKS = {"F": 16, "G": 11, "M": 14, "B": 14, "I": 5, "S": 6, "K": 9, "D": 7, "C": 8, "E": 10, "X": 8,
           "Z": 7, "T": 3, "V": 8, "P": 6, "U": 5}
SHOWN_BY = {"tests", "steps", "scripts", "open"}


def ids():
    return [f"{letter}{number}" for letter, last in ATTACKS.items() for number in range(1, last + 1)]


def of_the_list(catalogue):
    """What is wrong with the ids, and with what each says."""
    yield from (f"{attack}: not in the catalogue" for attack in ids() if attack not in catalogue)
    for attack, entry in catalogue.items():
        if attack not in ids():
            yield f"{attack}: no such attack"
        for word in ("tried", "must"):
            if not entry.get(word):
                yield f"{attack}: does not say `{word}`"
        yield from (f"{attack}: `{word}` means nothing" for word in entry.keys() - SHOWN_BY - {"tried", "must"})
        if not any(entry.get(word) for word in SHOWN_BY):
            yield f"{attack}: neither shown by anything nor said to be open"


def of_the_sources(catalogue, functions, steps, is_script):
    """What is named and is not there. `functions` are those of each package."""
    for attack, package, test in tests(catalogue):
        # A suite of testkit's becomes tests by a macro in the package that runs it.
        if package not in functions:
            yield f"{attack}: no package {package}"
        elif test not in functions[package] | functions.get("testkit", set()):
            yield f"{attack}: {package} has no test {test}"
    for attack, entry in catalogue.items():
        yield from (f"{attack}: .ci/run has no step '{step}'"
                    for step in entry.get("steps", []) if step not in steps)
        yield from (f"{attack}: no script {script}"
                    for script in entry.get("scripts", []) if not is_script(script))


def of_the_run(catalogue, run):
    """What did not run, or did not pass."""
    for attack, package, test in tests(catalogue):
        outcomes = run.outcomes(package, test)
        if not outcomes:
            yield f"{attack}: {package} did not run {test}"
        elif outcomes != {"ok"}:
            yield f"{attack}: {package}'s {test}: {', '.join(sorted(outcomes))}"
    for attack, entry in catalogue.items():
        for step in entry.get("steps", []):
            if step not in run.done and step not in run.skipped:
                yield f"{attack}: the step '{step}' did not end well"


def tests(catalogue):
    for attack, entry in catalogue.items():
        for package, names in entry.get("tests", {}).items():
            yield from ((attack, package, name) for name in names)


def folders():
    """Where the sources of each package are."""
    found = {path.parent.name: path.parent for parent in ("crates", "examples")
             for path in (ROOT / parent).glob("*/Cargo.toml")}
    return found | {"audits": ROOT / "audits"}


def read_functions():
    return {package: {name for source in folder.rglob("*.rs")
                      for name in re.findall(r"\bfn (\w+)", source.read_text())}
            for package, folder in folders().items()}


def read_steps():
    return set(re.findall(r"^ *step ['\"](.*?)['\"] ", (ROOT / ".ci/run").read_text(), re.MULTILINE))


def is_script(name):
    return (ROOT / name).is_file() and os.access(ROOT / name, os.X_OK)


def main(arguments):
    catalogue = tomllib.loads((ROOT / "docs/attacks.toml").read_text())
    faults = [*of_the_list(catalogue),
              *of_the_sources(catalogue, read_functions(), read_steps(), is_script)]
    run = None
    if arguments:
        run = record.Run(Path(arguments[0]).read_text(errors="replace"), record.targets(ROOT, folders()))
        faults += of_the_run(catalogue, run)
        for attack, entry in catalogue.items():
            for step in run.skipped.intersection(entry.get("steps", [])):
                print(f"SKIPPED: {attack} by the step '{step}'")
    print(*faults, sep="\n", end="\n" if faults else "")
    named = len(set(tests(catalogue)))
    left = [attack for attack, entry in catalogue.items() if not SHOWN_BY - {"open"} & entry.keys()]
    print(f"{len(catalogue)} attacks, {named} tests named, {'all ran and passed, ' * (run and not faults or 0)}"
          f"{len(left)} attacks shown by nothing: {', '.join(left) or 'none'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
