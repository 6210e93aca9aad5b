"""Every control of the threat model names a test, and the test is there."""

import re

from rihla_local.layout import ROOT

_NAMED = re.compile(r"`([a-z0-9_/.-]+\.py)::(test_[a-z0-9_]+)`")
PAGE = (ROOT / "docs/threat-model.md").read_text()


def test_every_named_test_exists() -> None:
    named = _NAMED.findall(PAGE)
    assert len(named) > 40
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]
    assert missing == []


def test_every_threat_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
    assert [row for row in rows if not _NAMED.search(row)] == []
