"""Search may answer from a read replica; whatever is decided, is decided on the database itself."""

from typing import Any

import asyncpg

from flight_service.main import create_app
from rihla.kernel import new_id
from rihla.testing import running
from rihla.testing.databases import with_database


async def test_the_timetable_comes_from_the_replica_and_decisions_from_the_database(
    network_url: str, real_servers: Any, settings_for: Any, keyring: Any, clock: Any
) -> None:
    """The stand-in for a replica is a copy from which one route was removed: search must not know that route."""
    name = f"t_{new_id().hex}"
    admin = await asyncpg.connect(real_servers.database_url)
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{network_url.rsplit("/", 1)[1]}"')
    replica_url = with_database(real_servers.database_url, name)
    replica = await asyncpg.connect(replica_url)
    await replica.execute("DELETE FROM flight WHERE origin = 'DAC' AND destination = 'JED'")
    await replica.close()
    app = create_app(settings_for(network_url, search_database_url=replica_url), clock=clock)
    token = keyring.token(audience="flight", user_id=new_id(), roles=("traveller",), issuer="gateway")
    query = {"origin": "DAC", "destination": "JED", "departure_date": "2026-12-04", "max_stops": "0"}
    try:
        async with running(app, token=token) as client:
            assert (await client.get("/v1/flight-offers", params=query)).json()["items"] == []
            assert (await client.get("/v1/flight-offers", params={**query, "origin": "CGP"})).status_code == 200
            in_database = await app.state.container.pool.fetchval(
                "SELECT count(*) FROM flight WHERE origin = 'DAC' AND destination = 'JED'"
            )
            assert in_database > 0
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()
