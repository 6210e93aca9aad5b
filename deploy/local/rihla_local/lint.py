"""`make lint`: every check, one after the other; all of them run, whatever the first ones say."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rihla_local import manifest
from rihla_local.layout import Layout


def run_lint(layout: Layout) -> int:
    """0 when all checks are content."""
    root = layout.root
    packages = _packages(root)
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("style (ruff check)", lambda: _runs(root, "ruff", "check", ".")),
        ("layout (ruff format)", lambda: _runs(root, "ruff", "format", "--check", ".")),
        ("import contracts (import-linter)", lambda: _runs(root, "lint-imports")),
        ("compose file", lambda: _compose(root)),
        ("kubernetes manifests", lambda: _kubernetes(root)),
        ("settings (.env.example)", lambda: _example(root)),
        ("image (hadolint)", lambda: _runs(root, "hadolint", "deploy/Dockerfile")),
        ("types (mypy strict)", lambda: _runs(root, "mypy", *packages)),
    ]
    failed = []
    for name, check in checks:
        began = time.monotonic()
        good = check()
        print(f"{'ok    ' if good else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
        if not good:
            failed.append(name)
    print(f"\n{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}" if failed else "\nall checks passed")
    return 1 if failed else 0


def _packages(root: Path) -> list[str]:
    """What mypy looks at: the shared library, every service's package, the launcher, and bench when it is there."""
    found = ["shared/rihla", *(f"{one.folder}/{one.package}" for one in manifest.services(root))]
    found += ["deploy/local/rihla_local", "tests/chaos/rihla_verifier", "tests/chaos/rihla_chaos"]
    found += ["bench"] if any((root / "bench").glob("*.py")) else []
    return found


def _runs(root: Path, tool: str, *arguments: str) -> bool:
    """Whether the tool of our environment is content; its output is shown only when it is not."""
    command = [str(Path(sys.executable).parent / tool), *arguments]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout.rstrip())
    return done.returncode == 0


def _example(root: Path) -> bool:
    from rihla_local.env_example import is_current

    current = is_current(root)
    if not current:
        print(".env.example does not say what the settings say: make format writes it again")
    return current


def _compose(root: Path) -> bool:
    from rihla_local.compose_check import problems

    found = problems(root)
    for line in found:
        print(f"docker-compose.yml: {line}")
    return not found


def _kubernetes(root: Path) -> bool:
    from rihla_local.kubernetes.check import problems

    found = problems(root)
    for line in found:
        print(f"deploy/kubernetes: {line}")
    return not found
