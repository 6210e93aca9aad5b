"""`make test`: pytest over the whole repository beside private servers of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from rihla_local.layout import Layout
from rihla_local.servers.private import private_servers

VARIABLES = ("TEST_DATABASE_URL", "TEST_REDIS_URL", "TEST_AMQP_URL")


def run_tests(layout: Layout, arguments: list[str]) -> int:
    """Run pytest with `arguments`; servers named in the environment are used instead of private ones."""
    if all(os.environ.get(name) for name in VARIABLES):
        return _pytest(layout, arguments, dict(os.environ))
    sys.stdout.write("starting private servers for the tests ...\n")
    sys.stdout.flush()
    with private_servers(layout) as addresses:
        values = (addresses.database_url, addresses.redis_url, addresses.amqp_url)
        given = {name: os.environ.get(name) or value for name, value in zip(VARIABLES, values, strict=True)}
        return _pytest(layout, arguments, {**os.environ, **given})


def _pytest(layout: Layout, arguments: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=layout.root, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
