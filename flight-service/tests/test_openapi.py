"""The service's OpenAPI document is complete, and its processes start."""

from typing import Any

from openapi_spec_validator import validate

from flight_service.main import create_app
from flight_service.worker import create_worker
from rihla.testing import eventually, running


def test_operations_have_ids_summaries_tags_and_problems(settings_for: Any) -> None:
    document = create_app(settings_for("postgresql://nobody@127.0.0.1/none")).openapi()
    validate(document)
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith(("/v1", "/internal"))
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids)) > 30
    for path, method, operation in operations:
        assert operation.get("summary"), (method, path)
        assert operation.get("tags"), (method, path)
        problems = [code for code, answer in operation["responses"].items() if code[0] in "45"]
        assert problems, (method, path)


async def test_the_worker_creates_what_is_missing_and_is_ready(
    network_url: str, settings_for: Any, clock: Any, namespace: str
) -> None:
    settings = settings_for(network_url, namespace=namespace, generate_days_ahead=10)
    app = create_worker(settings, clock=clock)
    async with running(app) as client:
        assert (await client.get("/health/ready")).status_code == 200
        db = app.state.container.db

        async def tenth_day_is_there() -> bool:
            async with db.transaction() as session:
                connection = await session.connection()
                found = await connection.exec_driver_sql(
                    "SELECT 1 FROM flight WHERE local_date >= '2026-12-11' LIMIT 1"
                )
                return found.first() is not None

        await eventually(tenth_day_is_there)
