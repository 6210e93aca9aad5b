"""`python -m rihla_local.container_secrets <folder>`: keys for docker-compose.yml, one `<service>.env` a service.

The same file of secrets as the launcher's, made once and kept in the volume. Local use only: elsewhere secrets come
from the platform (the process environment).
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from rihla_local import credentials
from rihla_local.manifest import SERVICES


def write(folder: Path) -> credentials.Credentials:
    """Write `secrets.json` and the shell files that the image's entry point reads; a variable that is set wins."""
    secrets = credentials.load(folder / "secrets.json")
    for service in SERVICES:
        values = {name: secrets.variables[name] for name in service.secrets}
        if service.caller:
            values |= {"SERVICE_KEY": secrets.key_of(service.name), "SERVICE_JWKS": secrets.jwks}
        if service.name == "sandbox":
            values["WEBHOOK_SECRET"] = secrets.variables["SANDBOX_WEBHOOK_SECRET"]
        lines = [f'[ -n "${{{name}-}}" ] || export {name}={shlex.quote(value)}\n' for name, value in values.items()]
        file = folder / f"{service.name}.env"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as text:
            text.writelines(lines)
    return secrets


if __name__ == "__main__":
    made = write(Path(sys.argv[1]))
    print(f"administrator: {made.variables['ADMIN_EMAIL']}   password {made.variables['ADMIN_PASSWORD']}")
