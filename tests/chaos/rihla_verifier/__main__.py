"""`python -m rihla_verifier [stack.json] [history.jsonl]`: prints the table, exits 1 on any violation."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rihla_verifier.checks import ALL
from rihla_verifier.databases import connect
from rihla_verifier.findings import Evidence, judge, sound, table
from rihla_verifier.history import Told, read_history


async def verify(databases_by_name: Mapping[str, str], history: Sequence[Told]) -> bool:
    """Judge one stack; True when every check holds."""
    async with connect(databases_by_name) as databases:
        verdicts = await judge(ALL, Evidence(databases, history, datetime.now(UTC)))
    print(table(verdicts))
    return sound(verdicts)


def main() -> int:
    """Read the arguments and judge."""
    arguments = [Path(argument) for argument in sys.argv[1:]]
    stack_file = arguments[0] if arguments else Path(".run/stack.json")
    if not stack_file.exists():
        print(f"{stack_file} is not there: start the platform with `make up` first.", file=sys.stderr)
        return 2
    history = read_history(arguments[1]) if len(arguments) > 1 else []
    return 0 if asyncio.run(verify(json.loads(stack_file.read_text())["databases"], history)) else 1


if __name__ == "__main__":
    sys.exit(main())
