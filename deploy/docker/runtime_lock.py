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
    wanted = {block.name for block in blocks if PROJECT in block.parents}
    grown = True
    while grown:
        more = {block.name for block in blocks if block.name not in wanted and wanted & block.parents}
        wanted |= more
        grown = bool(more)
    return "".join(block.text for block in blocks if block.name in wanted)


class _Block:
    """The lines of one package, and who wants it. One whose version depends on the interpreter has several."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.parents: set[str] = set()

    def add(self, line: str) -> None:
        self.text += line
        comment = line.strip()
        if comment.startswith("#"):
            parent = comment.lstrip("# ").removeprefix("via").strip()
            self.parents.update({parent} if parent else ())


def _blocks(lock: str) -> list[_Block]:
    blocks: list[_Block] = []
    for line in lock.splitlines(keepends=True):
        named = _NAME.match(line)
        if named:
            blocks.append(_Block(named.group(1)))
        if blocks:
            blocks[-1].add(line)
    return blocks


if __name__ == "__main__":
    sys.stdout.write(runtime_part(Path(sys.argv[1]).read_text()))
