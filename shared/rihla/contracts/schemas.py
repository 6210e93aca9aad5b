"""Writes the JSON Schema of every event to `shared/schemas/`: `python -m rihla.contracts.schemas`.

A difference in review is a change of contract: within a version only optional fields are added.
"""

import json
from pathlib import Path

from rihla.contracts.events import catalogue

FOLDER = Path(__file__).resolve().parents[2] / "schemas"


def schema_files() -> dict[str, str]:
    """File name to content, for each event of the catalogue."""
    return {
        f"{name}.json": json.dumps(kind.model_json_schema(), indent=2, sort_keys=True) + "\n"
        for name, kind in sorted(catalogue().items())
    }


def main() -> None:
    """Write the files and drop those of events that no longer exist."""
    FOLDER.mkdir(exist_ok=True)
    files = schema_files()
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (FOLDER / name).write_text(content)


if __name__ == "__main__":
    main()
