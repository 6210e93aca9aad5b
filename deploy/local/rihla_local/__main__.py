"""`python -m rihla_local <command>`: what the Makefile calls."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rihla_local import control
from rihla_local.layout import Layout


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    layout = Layout()
    commands: dict[str, Callable[[], int]] = {
        "run": lambda: control.run(layout),
        "up": lambda: control.up(layout),
        "down": lambda: control.down(layout),
        "status": lambda: control.status(layout),
        "logs": lambda: control.logs(layout, os.environ.get("SERVICE", "")),
        "reset": lambda: control.reset(layout),
        "demo": lambda: _demo(layout),
        "backup": lambda: _backup(layout),
        "restore": lambda: _restore(layout),
        "lint": lambda: _lint(layout),
        "servers": lambda: _servers(layout),
        "test": lambda: _test(layout, arguments[1:]),
    }
    command = commands.get(arguments[0]) if arguments else None
    if command is None:
        sys.stderr.write(f"usage: python -m rihla_local [{'|'.join(commands)}]\n")
        return 2
    return command()


def _servers(layout: Layout) -> int:
    from rihla_local.servers.private import serve_until_stdin_closes

    return serve_until_stdin_closes(layout)


def _demo(layout: Layout) -> int:
    from rihla_local.demo import run_demo

    return run_demo(layout)


def _backup(layout: Layout) -> int:
    from rihla_local.backup import backup

    return backup(layout)


def _restore(layout: Layout) -> int:
    from rihla_local.backup import restore

    return restore(layout)


def _lint(layout: Layout) -> int:
    from rihla_local.lint import run_lint

    return run_lint(layout)


def _test(layout: Layout, arguments: list[str]) -> int:
    from rihla_local.testing import run_tests

    return run_tests(layout, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
