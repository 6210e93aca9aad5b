"""From a path and a method to the operation behind it, one lookup a request.

Built from the route table and the paths the services' OpenAPI documents list; rebuilt and exchanged whole when one
of them changes. A service whose document has not been seen yet is routed by prefix alone, so that being down is 503 and
never 404.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gateway.routes import Route
from gateway.telemetry.route_metrics import OperationMetrics

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
MetricsOf = Callable[[str, str], OperationMetrics]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path template, with the row that rules it."""

    route: Route
    method: str
    template: str
    metrics: OperationMetrics


@dataclass(slots=True)
class KnownPath:
    """A path template and its operations; `allow` is the value of the `Allow` header."""

    template: str
    operations: dict[str, Operation]
    allow: bytes = b""


@dataclass(slots=True)
class _Node:
    static: dict[bytes, _Node] = field(default_factory=dict)
    patterns: dict[str, tuple[re.Pattern[bytes], _Node]] = field(default_factory=dict)
    parameter: _Node | None = None
    path: KnownPath | None = None


class PathTable:
    """Immutable once built."""

    def __init__(
        self, routes: Iterable[Route], documents: Mapping[str, Mapping[str, set[str]]], metrics: MetricsOf
    ) -> None:
        self._rows = {route.prefix.encode(): route for route in routes}
        self._documented = frozenset(documents)
        self._metrics = metrics
        self._exact: dict[bytes, KnownPath] = {}
        self._root = _Node()
        self._by_prefix: dict[str, KnownPath] = {}
        self.unclaimed: list[str] = []
        self.rows_of: dict[str, Route] = {}
        for route in self._rows.values():
            if route.methods is not None:
                self._add(route.prefix, route, set(route.methods))
        for upstream, paths in documents.items():
            for template, methods in paths.items():
                self._add_documented(upstream, template, methods)

    def find(self, path: bytes) -> KnownPath | None:
        """The known path that answers `path` (canonical bytes), or None."""
        known = self._exact.get(path)
        if known is not None:
            return known
        known = _walk(self._root, path.split(b"/"), 1)
        return known if known is not None else self._undocumented(path)

    def row_for(self, path: bytes) -> Route | None:
        """The row with the longest prefix of `path` that ends at a segment."""
        while path:
            row = self._rows.get(path)
            if row is not None:
                return row
            path = path.rpartition(b"/")[0]
        return None

    def _add_documented(self, upstream: str, template: str, methods: set[str]) -> None:
        row = self.row_for(template.encode())
        if row is None or row.upstream != upstream:
            self.unclaimed.append(f"{upstream} {template}")
            return
        self._add(template, row, methods)

    def _add(self, template: str, row: Route, methods: set[str]) -> None:
        node = self._root
        for segment in template.encode().split(b"/")[1:]:
            node = _child(node, segment)
        if node.path is None:
            node.path = KnownPath(template, {})
        for method in methods & METHODS:
            node.path.operations[method] = Operation(row, method, template, self._metrics(template, method))
        node.path.allow = ", ".join(sorted(node.path.operations)).encode()
        self.rows_of[template] = row
        if "{" not in template:
            self._exact[template.encode()] = node.path

    def _undocumented(self, path: bytes) -> KnownPath | None:
        row = self.row_for(path)
        if row is None or (row.methods is None and row.upstream in self._documented):
            return None
        if row.websocket:
            return None
        known = self._by_prefix.get(row.prefix)
        if known is None:
            methods = row.methods if row.methods is not None else METHODS
            template = row.prefix + "/..."
            operations = {m: Operation(row, m, template, self._metrics(template, m)) for m in methods}
            known = KnownPath(template, operations, ", ".join(sorted(methods)).encode())
            self._by_prefix[row.prefix] = known
        return known


def _child(node: _Node, segment: bytes) -> _Node:
    if b"{" not in segment:
        return node.static.setdefault(segment, _Node())
    if re.fullmatch(rb"\{[^{}]+\}", segment):
        if node.parameter is None:
            node.parameter = _Node()
        return node.parameter
    shape = re.sub(rb"\{[^{}]+\}", b"{}", segment)
    pattern = b"[^/]+".join(re.escape(part) for part in shape.split(b"{}"))
    _, child = node.patterns.setdefault(shape.decode(), (re.compile(pattern), _Node()))
    return child


def _walk(node: _Node, segments: list[bytes], at: int) -> KnownPath | None:
    if at == len(segments):
        return node.path
    segment = segments[at]
    child = node.static.get(segment)
    if child is not None:
        found = _walk(child, segments, at + 1)
        if found is not None:
            return found
    for pattern, child in node.patterns.values():
        if pattern.fullmatch(segment):
            found = _walk(child, segments, at + 1)
            if found is not None:
                return found
    if node.parameter is not None and segment:
        return _walk(node.parameter, segments, at + 1)
    return None
