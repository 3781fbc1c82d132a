"""What the lints read: the C files of a tree, as code without its comments and strings.

Comments become a space and the text of a string or character constant is dropped, so that a rule
about calls does not trip over prose; line numbers stay true. Includes keep their path.
"""

import pathlib
import re

SKIP = re.compile(
    r'^[ \t]*#[ \t]*include[^\n]*'  # kept whole
    r'|/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL | re.MULTILINE,
)


def _blank(match):
    text = match.group()
    if text[0] in "\"'":
        return text[0] * 2
    if text[0] == "/":
        return " " + "\n" * text.count("\n")
    return text


def strip(text):
    return SKIP.sub(_blank, text)


def files(root, *folders):
    """Every .c and .h below the folders: (path as shown, its text), in order."""
    root = pathlib.Path(root)
    for folder in folders:
        for path in sorted((root / folder).rglob("*.[ch]")):
            yield str(path.relative_to(root)), path.read_text(encoding="utf-8")


def finish(faults):
    """Prints (path, line, reason)s and ends the lint: 1 when there were any."""
    for path, line, reason in sorted(faults):
        print(f"{path}:{line}: {reason}")
    raise SystemExit(1 if faults else 0)
