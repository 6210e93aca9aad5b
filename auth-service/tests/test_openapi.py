"""The public document: unique names, summaries, problems, and no credentials asked for where none are needed."""

from typing import Any

from auth_service.main import create_app
from auth_service.settings import Settings
from rihla.testing.keyring import Keyring

PUBLIC = ("/v1/auth/", "/.well-known/")


def _operations(keyring: Keyring) -> dict[str, dict[str, Any]]:
    document = create_app(Settings(**keyring.settings("auth"))).openapi()
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_every_operation_has_a_name_a_summary_a_tag_and_problems(keyring: Keyring) -> None:
    operations = _operations(keyring)
    names = [operation["operationId"] for operation in operations.values()]
    assert len(names) == len(set(names))
    for name, operation in operations.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        if name != "GET /.well-known/jwks.json":
            assert any(status.startswith("4") for status in operation["responses"]), name


def test_signing_in_asks_for_no_token_and_everything_else_does(keyring: Keyring) -> None:
    for name, operation in _operations(keyring).items():
        path = name.split()[1]
        assert ("security" not in operation) == path.startswith(PUBLIC), name


def test_a_refused_body_is_a_problem_in_the_document_too(keyring: Keyring) -> None:
    register = _operations(keyring)["POST /v1/auth/register"]
    assert "application/problem+json" in register["responses"]["422"]["content"]
