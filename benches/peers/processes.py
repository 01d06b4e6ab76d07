"""Runs a command, for the benches to compare whole processes.

The arguments are the command, for a shell. Requests come line by line: how often. The answer is the
processor time that its processes took, in nanoseconds.
"""

import resource
import subprocess
import sys


def processor_time():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


for request in sys.stdin:
    start = processor_time()
    for _ in range(int(request)):
        subprocess.run(sys.argv[1], shell=True, check=True, stdout=subprocess.DEVNULL)
    print(round((processor_time() - start) * 1e9), flush=True)
