"""Makes `.venv` from the lock, and the servers' packages beside it: the first thing every `make` target runs.

    python3 deploy/local/rihla_local/environment.py [--servers]

Runs on the system's own python3 with the standard library only. A stamp in `.venv` makes a second call instant.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rihla_local import packages

MINIMUM = (3, 11)
ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "rihla-stamp"
SOURCES = (
    "shared",
    "gateway",
    "auth-service",
    "flight-service",
    "booking-service",
    "payment-service",
    "notification-service",
    "chat-service",
    "deploy/local",
)


def main(arguments: list[str]) -> int:
    """Bring the environment up to date; 1 and one clear message when that is impossible."""
    try:
        interpreter = _interpreter()
        servers = packages.missing_servers() if "--servers" in arguments else []
        if not servers and is_current():
            return 0
        _prepare(interpreter, servers)
    except packages.CannotInstall as problem:
        sys.stderr.write(f"\n{problem}\n")
        return 1
    except subprocess.CalledProcessError as problem:
        sys.stderr.write(f"\nSetting up .venv failed: {' '.join(map(str, problem.cmd))}\n")
        return 1
    return 0


def is_current() -> bool:
    """Whether `.venv` was made from this lock, at this place."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == stamp()


def stamp() -> str:
    """What an up-to-date environment says of itself: the lock, the place and the folders it names."""
    digest = hashlib.sha256(LOCK.read_bytes())
    digest.update(repr((str(ROOT), SOURCES)).encode())
    return digest.hexdigest()


def _prepare(interpreter: str, servers: list[str]) -> None:
    """Both halves at once: apt mostly waits for the network and dpkg, uv for the network and the disk."""
    if not _can_make_environments(interpreter):
        own = "python3" if interpreter == sys.executable else Path(interpreter).name
        packages.install([f"{own}-venv"], f"{own} cannot make virtual environments")
    failure: list[packages.CannotInstall] = []
    thread = threading.Thread(target=_install_servers, args=(servers, failure))
    thread.start()
    try:
        if not is_current():
            _make_environment(interpreter)
    finally:
        thread.join()
    if failure:
        raise failure[0]


def _install_servers(servers: list[str], failure: list[packages.CannotInstall]) -> None:
    try:
        if servers:
            packages.install(servers, "no such server here yet")
    except packages.CannotInstall as problem:
        failure.append(problem)


def _make_environment(interpreter: str) -> None:
    sys.stdout.write("  making .venv from requirements.lock\n")
    sys.stdout.flush()
    if not PYTHON.exists() or not (VENV / "bin" / "pip").exists() or not _runs(PYTHON):
        shutil.rmtree(str(VENV), ignore_errors=True)
        _run([interpreter, "-m", "venv", str(VENV)])
    uv = VENV / "bin" / "uv"
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    if not uv.exists():
        subprocess.run([*pip, "install", "uv"], check=False, stderr=subprocess.DEVNULL)
    sync = [str(uv), "pip", "sync", "--quiet", "--python", str(PYTHON), "--require-hashes", str(LOCK)]
    if not uv.exists() or subprocess.run(sync, check=False).returncode != 0:
        _run([*pip, "install", "--require-hashes", "-r", str(LOCK)])
    _name_the_sources()
    STAMP.write_text(stamp())


def _name_the_sources() -> None:
    """A .pth file puts every package folder of the repository on the path: nothing is installed twice."""
    asked = subprocess.check_output([str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    folder = Path(asked.decode().strip())
    (folder / "rihla-workspace.pth").write_text("".join(f"{ROOT / source}\n" for source in SOURCES))


def _interpreter() -> str:
    """This python3, or a newer one from PATH when this one is too old. Raises CannotInstall."""
    if sys.version_info >= MINIMUM:
        return sys.executable
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        if found:
            return found
    if is_current():
        return str(PYTHON)
    raise packages.CannotInstall(
        f"Rihla needs Python 3.11 or newer; python3 here is {sys.version.split()[0]}.\n"
        "Install a newer one (for instance apt-get install python3.11 python3.11-venv), or run: docker compose up"
    )


def _can_make_environments(interpreter: str) -> bool:
    probe = [interpreter, "-c", "import ensurepip"]
    return PYTHON.exists() or subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _runs(python: Path) -> bool:
    try:
        check = f"import sys; sys.exit(sys.version_info < {MINIMUM!r})"
        return subprocess.run([str(python), "-c", check], check=False).returncode == 0
    except OSError:
        return False


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
