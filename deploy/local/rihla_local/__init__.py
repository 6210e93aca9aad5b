"""The local platform: private servers, one supervised process per service, and the commands behind `make`.

`environment.py` and `packages.py` run on the system's own python3 before anything is installed, so they use the
standard library only; everything else runs inside `.venv`.
"""
