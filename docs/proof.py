#!/usr/bin/env python3
"""proof.py: writes docs/proof.md anew from docs/proof.json; with --check, says whether it is current.

proof.py record NAME VALUE: puts what was measured today into docs/proof.json, and writes the page. Scripts do
so with RECORD=1."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LEDGER, PAGE = HERE / "proof.json", HERE / "proof.md"

HEAD = """# Proof

What was measured, against what must be reached before 1.0. Written by `docs/proof.py` from `docs/proof.json`, into
which the scripts put what they found (`RECORD=1`); change it there. A dash in place of a date says that it was not
measured. Longer ledgers: [fuzzing](fuzzing.md), [kills](kills.md); which attacks are tried: [attacks](attacks.toml).

| measure | target | value | date, commit | command |
|---|---|---|---|---|
"""


def page(ledger):
    rows = (f"| {row['measure']} | {row['target']} | {row.get('value', 'not measured')} | "
            f"{row.get('when', '–')} | `{row['command']}` |\n" for row in ledger.values())
    return HEAD + "".join(rows)


def record(ledger, name, value):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, check=True,
                            capture_output=True, text=True).stdout.strip()
    ledger[name] |= {"value": value, "when": f"{datetime.date.today()}, {commit}"}
    LEDGER.write_text(json.dumps(ledger, indent=2, ensure_ascii=False) + "\n")


def main(arguments):
    ledger = json.loads(LEDGER.read_text())
    if arguments == ["--check"]:
        return 0 if PAGE.read_text() == page(ledger) else "docs/proof.md is not what docs/proof.py writes"
    if arguments:
        command, name, value = arguments
        assert command == "record", __doc__
        record(ledger, name, value)
    PAGE.write_text(page(ledger))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
