"""SumUp's own OpenAPI document, and whether a request and its answer fit it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker
from referencing import Registry, Resource, Specification

PATH = Path(__file__).resolve().parents[3] / "shared" / "sumup" / "openapi.json"
BASE = "urn:sumup"

UNDOCUMENTED = {
    "CreateCheckout 400 array": "ErrorExtended",
    "UpdateCheckout 400": "ErrorExtended",
    "UpdateCheckout 400 array": "ErrorExtended",
    "UpdateCheckout 409": "Error",
    "GetTransactionV2.1 400": "ErrorExtended",
    "ListTransactionsV2.1 404": "Error",
    "RefundTransaction 401": "Problem",
    "GetMerchant 401": "Problem",
}
"""Answers that the document leaves out and the service was seen to give (docs/sumup.md § 8), each with its schema."""


class DoesNotFit(AssertionError):
    """A request or an answer is not what the document says."""


@dataclass(frozen=True)
class Operation:
    """One operation: its description and where in the document that stands."""

    content: dict[str, Any]
    pointer: str
    parameters: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return str(self.content["operationId"])


class Document:
    """The document, loaded."""

    def __init__(self, path: Path = PATH) -> None:
        self._content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        resource = Resource(contents=self._content, specification=Specification.OPAQUE)
        self._registry: Registry[Any] = Registry().with_resource(BASE, resource)
        self.seen: set[str] = set()

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        """Raise DoesNotFit unless both fit; the body of the response must have been read."""
        operation = self._operation(request)
        self.seen.add(f"{operation.name} {response.status_code}")
        self._check_query(operation, request)
        self._check_request_body(operation, request)
        self._check_answer(operation, response)

    def _operation(self, request: httpx.Request) -> Operation:
        path = request.url.raw_path.decode().partition("?")[0]
        for template, methods in self._content["paths"].items():
            pattern = re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(template))
            method = request.method.lower()
            if re.fullmatch(pattern, path) and method in methods:
                pointer = "/paths/" + template.replace("~", "~0").replace("/", "~1")
                parameters = methods.get("parameters", []) + methods[method].get("parameters", [])
                return Operation(methods[method], f"{pointer}/{method}", parameters)
        raise DoesNotFit(f"no operation for {request.method} {path}")

    def _check_query(self, operation: Operation, request: httpx.Request) -> None:
        known = {item["name"] for item in operation.parameters if item["in"] == "query"}
        given = {name for name, _ in parse_qsl(request.url.query.decode())}
        if given - known:
            raise DoesNotFit(f"{operation.name}: unknown parameters {given - known}")

    def _check_request_body(self, operation: Operation, request: httpx.Request) -> None:
        if "requestBody" not in operation.content:
            if request.content:
                raise DoesNotFit(f"{operation.name}: takes no body")
            return
        pointer = f"{operation.pointer}/requestBody/content/application~1json/schema"
        body = json.loads(request.content)
        self._validate(OAS30WriteValidator, pointer, body, operation.name)
        unknown = set(body) - set(self._schema(pointer).get("properties", {}))
        if unknown:
            raise DoesNotFit(f"{operation.name}: unknown members {unknown}")

    def _check_answer(self, operation: Operation, response: httpx.Response) -> None:
        body = response.json()
        key = f"{operation.name} {response.status_code}" + (" array" * (response.is_error and isinstance(body, list)))
        if key in UNDOCUMENTED:
            for item in body if isinstance(body, list) else [body]:
                self._validate(OAS30ReadValidator, f"/components/schemas/{UNDOCUMENTED[key]}", item, key)
            return
        documented = operation.content["responses"].get(str(response.status_code))
        if documented is None:
            raise DoesNotFit(f"{key} is not documented")
        media_type = response.headers["content-type"].partition(";")[0]
        if media_type not in documented["content"]:
            raise DoesNotFit(f"{key}: {media_type} is not documented")
        pointer = f"{operation.pointer}/responses/{response.status_code}/content/{media_type.replace('/', '~1')}/schema"
        self._validate(OAS30ReadValidator, pointer, body, key)

    def _validate(self, validator: Any, pointer: str, body: Any, where: str) -> None:
        schema = {"$ref": f"{BASE}#{pointer}"}
        checker = validator(schema, registry=self._registry, format_checker=oas30_format_checker)
        errors = [f"{error.json_path}: {error.message}" for error in checker.iter_errors(body)]
        if errors:
            raise DoesNotFit(f"{where}: {'; '.join(errors)}")

    def _schema(self, pointer: str) -> dict[str, Any]:
        schema: dict[str, Any] = self._registry.resolver(BASE).lookup(f"#{pointer}").contents
        if "$ref" in schema:
            return self._schema(schema["$ref"].removeprefix("#"))
        return schema
