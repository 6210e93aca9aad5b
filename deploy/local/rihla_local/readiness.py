"""Asking a process whether it is ready."""

from __future__ import annotations

import http.client
import sys


def answers_ready(port: int, path: str = "/health/ready", seconds: float = 2.0) -> bool:
    """Whether `path` on this loopback port answers 200 within `seconds`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":  # the image's health check
    sys.exit(0 if answers_ready(int(sys.argv[1])) else 1)
