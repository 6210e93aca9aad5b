"""An example for every request body that brings none, put together from the examples of its fields. Pure."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_BY_FORMAT = {
    "uuid": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
    "date": "2026-12-01",
    "date-time": "2026-12-01T08:30:00Z",
    "time": "08:30",
    "email": "amina@example.com",
    "uri": "https://example.com/",
    "binary": "",
}
_DEEPEST = 12


def add_examples(paths: dict[str, Any], schemas: dict[str, Schema]) -> None:
    """Give each JSON request body of `paths` an `example`, unless it or its schema has some."""
    for item in paths.values():
        for operation in item.values():
            contents = operation.get("requestBody", {}).get("content", {}) if isinstance(operation, dict) else {}
            for media_type, content in contents.items():
                if not media_type.startswith(("application/json", "application/x-www-form-urlencoded")):
                    continue
                schema = _resolved(content.get("schema", {}), schemas)
                if not any(name in each for each in (content, schema) for name in ("example", "examples")):
                    content["example"] = example_of(schema, schemas)


def example_of(schema: Schema, schemas: dict[str, Schema], depth: int = 0) -> Any:
    """A value the schema allows: its own example, else made of those of its parts."""
    schema = _resolved(schema, schemas)
    if "example" in schema:
        return schema["example"]
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if "const" in schema:
        return schema["const"]
    if depth > _DEEPEST:
        return None
    for choice in ("anyOf", "oneOf", "allOf"):
        options = [one for one in schema.get(choice, ()) if one.get("type") != "null"]
        if options:
            return example_of(options[0], schemas, depth + 1)
    return _of_type(schema, schemas, depth)


def _of_type(schema: Schema, schemas: dict[str, Schema], depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, schemas, depth)
    if kind == "array":
        return [example_of(schema.get("items", {}), schemas, depth + 1)]
    if kind == "string":
        return schema.get("default") or _BY_FORMAT.get(
            schema.get("format", ""), "x" * max(3, schema.get("minLength", 0))
        )
    if kind in ("integer", "number"):
        return schema.get("default", schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
    return schema.get("default", False) if kind == "boolean" else {}


def _object(schema: Schema, schemas: dict[str, Schema], depth: int) -> Any:
    required = schema.get("required", ())
    return {
        name: example_of(part, schemas, depth + 1)
        for name, part in schema.get("properties", {}).items()
        if name in required or _says_one(part, schemas)
    }


def _says_one(schema: Schema, schemas: dict[str, Schema]) -> bool:
    schema = _resolved(schema, schemas)
    if "example" in schema or schema.get("examples"):
        return True
    return any(_says_one(one, schemas) for choice in ("anyOf", "oneOf") for one in schema.get(choice, ()))


def _resolved(schema: Schema, schemas: dict[str, Schema]) -> Schema:
    reference = schema.get("$ref", "")
    while reference:
        schema = {**schemas.get(reference.rpartition("/")[2], {}), **{k: v for k, v in schema.items() if k != "$ref"}}
        reference = schema.get("$ref", "")
    return schema
