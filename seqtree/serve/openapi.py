"""The OpenAPI document of the service, from its table of operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from seqtree import __version__
from seqtree.serve.operations import Json, Operation
from seqtree.serve.requests import ModelRequest
from seqtree.settings import Field, fields_of

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
ERRORS = {
    "400": "The request cannot be answered: what, where, and what was expected.",
    "403": "Another host or origin.",
    "408": "The request did not arrive in time.",
    "413": "Too large.",
    "415": "No JSON.",
    "429": "Too many requests.",
    "503": "No answer in time.",
}


def document(operations: Iterable[Operation]) -> Json:
    """The OpenAPI 3.1 document of these operations."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "seqtree", "version": __version__, "description": "Models on this machine."},
        "paths": {f"/api/{operation.name}": {"post": _post(operation)} for operation in operations},
    }


def _post(operation: Operation) -> Json:
    media = "application/x-ndjson" if operation.pieces else "application/json"
    error = {"application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}}
    answers: Json = {code: {"description": text, "content": error} for code, text in ERRORS.items()}
    done = {"description": operation.summary, "content": {media: {"schema": {"type": "object"}}}}
    return {
        "summary": operation.summary,
        "operationId": operation.name,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": request_schema(operation.request)}},
        },
        "responses": {"200": done, **answers},
    }


def request_schema(request: type[ModelRequest]) -> Json:
    """The JSON schema of a request."""
    fields = fields_of(request)
    return {
        "type": "object",
        "properties": {name: _schema(field) for name, field in fields.items()},
        "required": [request.subject],
        "additionalProperties": False,
    }


def _schema(field: Field) -> Json:
    about = field.about
    schema: dict[str, Any] = {"description": about.help}
    if field.type is tuple:
        schema |= {"type": "array", "items": {"type": "string"}, "default": []}
    else:
        schema["type"] = [TYPES[field.type], "null"] if field.optional else TYPES[field.type]
        schema["default"] = field.default
    bounds = {
        "minimum": about.minimum,
        "maximum": about.maximum,
        "exclusiveMinimum": about.above,
        "exclusiveMaximum": about.below,
    }
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}
