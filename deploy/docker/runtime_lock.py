"""The part of `requirements.lock` that running needs: what pyproject.toml's own dependencies pull in, with its hashes.

    python runtime_lock.py requirements.lock > runtime.lock

The lock says after each package who wants it (`# via`); a package wanted only by the `dev` group, or only by such
packages, is left out. Standard library only.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = "rihla-workspace (pyproject.toml)"
_NAME = re.compile(r"^([A-Za-z0-9._-]+)==")


def runtime_part(lock: str) -> str:
    """The lock's blocks that running needs, in its order."""
    blocks = _blocks(lock)
    wanted = {name for name, (_, parents) in blocks.items() if PROJECT in parents}
    grown = True
    while grown:
        more = {name for name, (_, parents) in blocks.items() if name not in wanted and wanted & parents}
        wanted |= more
        grown = bool(more)
    return "".join(text for name, (text, _) in blocks.items() if name in wanted)


def _blocks(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Package name -> its lines, and who wants it."""
    blocks: dict[str, tuple[str, set[str]]] = {}
    current = ""
    for line in lock.splitlines(keepends=True):
        named = _NAME.match(line)
        if named:
            current = named.group(1)
            blocks[current] = ("", set())
        if not current:
            continue
        text, parents = blocks[current]
        blocks[current] = (text + line, parents)
        comment = line.strip()
        if comment.startswith("#"):
            parent = comment.lstrip("# ").removeprefix("via").strip()
            parents.update({parent} if parent else ())
    return blocks


if __name__ == "__main__":
    sys.stdout.write(runtime_part(Path(sys.argv[1]).read_text()))
