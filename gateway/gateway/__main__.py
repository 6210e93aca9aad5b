"""`python -m gateway --host 0.0.0.0 --port 8080`: the gateway on uvicorn, with the bounds a public door needs."""

from __future__ import annotations

import argparse
import gc

import uvicorn

from gateway.main import create_app, server_config
from gateway.settings import Settings
from rihla.telemetry import configure_logging


def main() -> None:
    """Read the settings, serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    chosen = parser.parse_args()
    settings = Settings()
    configure_logging("gateway", settings.log_level)
    config = server_config(create_app(settings), settings, host=chosen.host, port=chosen.port)
    gc.collect()
    gc.freeze()  # what has been imported stays: the collector need not look at it again and again
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
