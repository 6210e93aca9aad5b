"""Examples put together from those of their parts."""

from typing import Any

from gateway.reference.examples import add_examples, example_of

SCHEMAS: dict[str, Any] = {
    "Child": {"type": "object", "required": ["born"], "properties": {"born": {"type": "string", "format": "date"}}},
    "Node": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
}


def test_required_fields_and_fields_that_show_one_are_in_it() -> None:
    schema = {
        "type": "object",
        "required": ["name", "kind", "count", "child"],
        "properties": {
            "name": {"type": "string", "examples": ["Amina"]},
            "kind": {"enum": ["a", "b"]},
            "count": {"type": "integer", "minimum": 2},
            "child": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Child"}]},
            "silent": {"type": "string"},
            "shown": {"anyOf": [{"type": "string", "examples": ["yes"]}, {"type": "null"}]},
        },
    }
    child = {"born": "2026-12-01"}
    expected = {"name": "Amina", "kind": "a", "count": 2, "child": child, "shown": "yes"}
    assert example_of(schema, SCHEMAS) == expected


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    assert example_of({"$ref": "#/components/schemas/Node"}, SCHEMAS)


def test_a_body_that_brings_an_example_keeps_it() -> None:
    own = {"schema": {"type": "object"}, "example": {"a": 1}}
    bare: dict[str, Any] = {"schema": {"type": "array", "items": {"type": "boolean"}}}
    paths = {
        "/a": {"post": {"requestBody": {"content": {"application/json": own}}}},
        "/b": {"post": {"requestBody": {"content": {"application/json": bare}}}},
    }
    add_examples(paths, {})
    assert (own["example"], bare["example"]) == ({"a": 1}, [False])
