"""What the container image and the compose file promise, as far as it can be seen without an engine."""

import importlib.util
from pathlib import Path
from types import ModuleType

from rihla_local.compose_check import problems
from rihla_local.layout import ROOT


def runtime_lock() -> ModuleType:
    file = Path(ROOT / "deploy" / "docker" / "runtime_lock.py")
    spec = importlib.util.spec_from_file_location("runtime_lock", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_image_gets_what_running_needs_with_its_hashes_and_no_more() -> None:
    part = runtime_lock().runtime_part((ROOT / "requirements.lock").read_text())
    names = {line.split("==")[0] for line in part.splitlines() if "==" in line and not line.startswith((" ", "#"))}
    assert {"fastapi", "uvicorn", "asyncpg", "greenlet", "aio-pika", "aiosmtpd", "msgspec"} <= names
    assert not names & {"pytest", "mypy", "ruff", "moto", "schemathesis", "testcontainers", "hypothesis"}
    assert part.count("--hash=sha256:") >= len(names)


def test_a_package_with_a_version_for_each_interpreter_keeps_them_all() -> None:
    lock = (
        "one==1 ; python_full_version < '3.12' \\\n    --hash=sha256:a\n    # via rihla-workspace (pyproject.toml)\n"
        "one==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:b\n    # via rihla-workspace (pyproject.toml)\n"
        "deep==1 \\\n    --hash=sha256:c\n    # via\n    #   one\n    #   tool\n"
        "tool==1 \\\n    --hash=sha256:d\n    # via rihla-workspace (pyproject.toml:dev)\n"
    )
    part = runtime_lock().runtime_part(lock)
    assert [name for name in ("one==1", "one==2", "deep==1", "tool==1") if name in part] == [
        "one==1",
        "one==2",
        "deep==1",
    ]


def test_the_compose_file_runs_every_process_with_settings_that_exist() -> None:
    assert problems(ROOT) == []
