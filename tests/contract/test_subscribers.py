"""What is listed as subscribed is really handled, and what is handled is listed."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from rihla.contracts import events
from rihla.contracts.events.subscribers import SUBSCRIBERS
from rihla.messaging import Binding, Consumer

ROOT = Path(__file__).resolve().parents[2]


CONSUMERS = {
    folder.name.removesuffix("-service"): f"{folder.name.replace('-', '_')}.worker"
    for folder in sorted(ROOT.glob("*-service"))
    if (folder / folder.name.replace("-", "_") / "worker.py").exists()
}


@pytest.fixture
async def bindings_of(
    database_for: Any, namespace: str, redis_url: str, amqp_url: str, keyring: Any, tmp_path: Path, monkeypatch: Any
) -> Callable[[str], Any]:
    """The bindings a service's worker would run with, by starting its wiring."""

    async def find(service: str) -> dict[str, Binding]:
        worker = import_module(CONSUMERS[service])
        settings_type = import_module(f"{service}_service.settings").Settings
        files = {"document_storage_url"} & settings_type.model_fields.keys()
        settings = settings_type(
            database_url=await database_for(f"{service}-service"),
            redis_url=redis_url,
            amqp_url=amqp_url,
            namespace=namespace,
            **dict.fromkeys(files, f"file://{tmp_path}"),
            **keyring.settings(service),
        )
        found: dict[str, Binding] = {}
        original = Consumer.__init__

        def note(self: Consumer, *args: Any, **kwargs: Any) -> None:
            assert kwargs["name"] == service, "the queue is named after its service"
            found.update({one.event_type: one for one in kwargs["bindings"]})
            original(self, *args, **kwargs)

        monkeypatch.setattr(Consumer, "__init__", note)
        app = worker.create_worker(settings)
        async with app.router.lifespan_context(app):
            pass
        return found

    return find


@pytest.mark.parametrize("service", sorted(CONSUMERS))
async def test_each_service_hears_exactly_what_the_catalogue_says_it_hears(service: str, bindings_of: Any) -> None:
    handled = await bindings_of(service)
    listed = {event for event, services in SUBSCRIBERS.items() if service in services}
    assert set(handled) == listed
    for event_type, binding in handled.items():
        assert binding.producer == _producer(event_type), f"{event_type} is bound to the wrong exchange"


def test_every_event_of_the_catalogue_has_its_row_and_every_subscriber_exists() -> None:
    known = {kind.event_type for kind in _event_types()}
    assert set(SUBSCRIBERS) <= known
    assert {service for services in SUBSCRIBERS.values() for service in services} <= set(CONSUMERS)


def _event_types() -> list[Any]:
    return [kind for kind in vars(events).values() if isinstance(kind, type) and getattr(kind, "event_type", "")]


def _producer(event_type: str) -> str:
    return next(kind.producer for kind in _event_types() if kind.event_type == event_type)
