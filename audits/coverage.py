"""Counts the lines of each crate's sources that tests run, without those of the tests themselves.

usage: coverage.py LCOV MISSED
"""

import collections
import pathlib
import re
import sys

# What must reach 98 per cent; all else, 90.
FORMAT_AND_CRYPTO = {
    'aws-lc', 'core', 'rustcrypto', 's3', 'sse-c', 'sse-kms', 'sse-s3', 'dsse-kms', 'client',
}


def main(lcov, missed):
    root = pathlib.Path.cwd()
    crates = collections.defaultdict(lambda: [0, 0])
    with open(missed, 'w', encoding='utf-8') as out:
        for path, lines in files(lcov):
            source = relative(root, path)
            if source is None:
                continue
            end = tests_begin(root / source)
            own = {line: count for line, count in lines.items() if line < end}
            crate = crates[source.parts[1]]
            crate[0] += sum(count > 0 for count in own.values())
            crate[1] += len(own)
            for line in sorted(line for line, count in own.items() if count == 0):
                print(f'{source}:{line}', file=out)
    for name, (run, all_lines) in sorted(crates.items()):
        print(f'{share(run, all_lines):6.2f} %  {run} of {all_lines}  {name}')
    print('; '.join([
        'format and crypto ' + summed(crates, lambda name: name in FORMAT_AND_CRYPTO),
        'others ' + summed(crates, lambda name: name not in FORMAT_AND_CRYPTO),
    ]))


def files(lcov):
    """Each source file with how often each of its lines ran."""
    path, lines = None, {}
    for record in open(lcov, encoding='utf-8'):
        kind, _, value = record.strip().partition(':')
        if kind == 'SF':
            path, lines = value, {}
        elif kind == 'DA':
            line, count = value.split(',')[:2]
            lines[int(line)] = int(count)
        elif kind == 'end_of_record':
            yield path, lines


def relative(root, path):
    """Where a file of a crate lies; none for tests, and for what is not a crate's own."""
    try:
        source = pathlib.Path(path).relative_to(root)
    except ValueError:
        return None
    is_source = source.parts[0] == 'crates' and source.parts[2] == 'src'
    is_test = source.name == 'tests.rs' or 'tests' in source.parts
    return source if is_source and not is_test and source.parts[1] != 'testkit' else None


def tests_begin(source):
    """The line from which on a file holds tests."""
    lines = source.read_text(encoding='utf-8').split('\n')
    for number, line in enumerate(lines, 1):
        if line == '#[cfg(test)]' and re.match(r'(pub\(crate\) )?mod \w+ \{', lines[number]):
            return number
    return len(lines) + 1


def share(run, all_lines):
    return 100 * run / all_lines if all_lines else 100


def summed(crates, belongs):
    """The crates' lines together, and the crate that has the fewest."""
    chosen = {name: counts for name, counts in crates.items() if belongs(name)}
    run, all_lines = (sum(counts[at] for counts in chosen.values()) for at in (0, 1))
    least = min(chosen, key=lambda name: share(*chosen[name]))
    return (f'{share(run, all_lines):.1f} % of {all_lines} lines, '
            f'the least {share(*chosen[least]):.1f} % in {least}')


main(*sys.argv[1:])
