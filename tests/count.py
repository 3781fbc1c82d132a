"""Sums up JUnit files of ctest and pytest: prints "passed failed".

A cmocka program is one test to ctest, so its cases are counted from the summary that it prints.
A program that failed without a failed case (a crash, a leak, a time-out) is one failure.

Usage: count.py FILE...
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

PASSED = re.compile(r"\[  PASSED  \] (\d+) test\(s\)\.")
FAILED = re.compile(r"\[  FAILED  \] (\d+) test\(s\), listed below")


def count(case):
    """(passed, failed) of one <testcase>."""
    output = case.findtext("system-out") or ""
    passed = sum(map(int, PASSED.findall(output)))
    failed = sum(map(int, FAILED.findall(output)))
    if case.find("failure") is not None or case.find("error") is not None:
        return passed, max(failed, 1)
    if case.find("skipped") is not None:
        return 0, 0
    return (passed, failed) if passed else (1, 0)


def main(paths):
    counts = [count(case) for path in paths for case in ElementTree.parse(path).iter("testcase")]
    print(sum(passed for passed, _ in counts), sum(failed for _, failed in counts))


main(sys.argv[1:])
