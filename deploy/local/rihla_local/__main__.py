"""`python -m rihla_local <command>`: what the Makefile calls."""

from __future__ import annotations

import sys

from rihla_local.layout import Layout


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    layout = Layout()
    if command == "servers":
        from rihla_local.servers.private import serve_until_stdin_closes

        return serve_until_stdin_closes(layout)
    sys.stderr.write(f"unknown command: {command} {' '.join(rest)}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
