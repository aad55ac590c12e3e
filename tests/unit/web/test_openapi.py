"""The document of each app's internal API, and that what writes it leaves the rest of the app alone."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from pydantic import SecretStr
from quart import Quart
from quart.json.provider import DefaultJSONProvider

from shared.contracts.paths import SLUG
from shared.settings import APPS, Settings
from shared.web.internal import PREFIX
from shared.web.openapi import DOCUMENT_PATH
from tests.support.internal_api import BEARER, assert_error

NOWHERE = SecretStr("postgresql://nobody:nothing@127.0.0.1:9/none")
EVERY_ROUTES_ANSWERS = {"200", "401", "422", "500", "503"}
Document = dict[str, Any]


@pytest.fixture(params=APPS)
async def app(request: pytest.FixtureRequest) -> AsyncIterator[Quart]:
    """Each app in turn, without a database: its document needs none."""
    made: Quart = importlib.import_module(f"{request.param}.app").create_app(
        Settings(environment="test", database_url=NOWHERE)
    )
    async with made.test_app():
        yield made


@pytest.fixture
async def document(app: Quart) -> Document:
    """Its document, as another app of ours gets it."""
    response = await app.test_client().get(DOCUMENT_PATH, headers=BEARER)
    assert response.status_code == 200
    found: Document = await response.get_json()
    return found


def _internal_routes(app: Quart) -> set[str]:
    return {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(PREFIX)} - {DOCUMENT_PATH}


async def test_only_our_own_apps_get_the_document(app: Quart) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        await assert_error(await app.test_client().get(DOCUMENT_PATH, headers=headers), 401, "unauthorized")


async def test_it_names_all_internal_routes_and_no_other(app: Quart, document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == f"The internal API of the {app.name} app"
    assert len(document["paths"]) == len(_internal_routes(app))
    assert all(path.startswith(PREFIX) for path in document["paths"])


async def test_every_route_names_its_answers_and_the_one_shape_of_its_errors(document: Document) -> None:
    for path, methods in document["paths"].items():
        (answers,) = [operation["responses"] for operation in methods.values()]
        assert answers.keys() - {"404"} == EVERY_ROUTES_ANSWERS, path
        for status in answers.keys() - {"200"}:
            error = answers[status]["content"]["application/json"]["schema"]
            assert error["properties"] == {"error": {"$ref": "#/components/schemas/Problem"}}


async def test_every_route_wants_the_secret(document: Document) -> None:
    assert document["components"]["securitySchemes"] == {"secret": {"type": "http", "scheme": "bearer"}}
    assert document["security"] == [{"secret": []}]
    assert not any("security" in operation for methods in document["paths"].values() for operation in methods.values())


async def test_a_part_of_a_path_is_described_as_narrowly_as_it_is_read(document: Document) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    for part in (each for operation in operations for each in operation["parameters"] if each["in"] == "path"):
        limits = {"page_post_id": {"minimum": 0, "maximum": 2**63 - 1}, "slug": {"pattern": f"^(?:{SLUG.pattern})$"}}
        assert part["schema"].items() >= limits[part["name"]].items()


async def test_its_schemas_are_those_of_openapi(document: Document) -> None:
    for schema in _schemas(document):
        OAS31Validator.check_schema(schema)
        assert not schema.keys() & {"ge", "le"}, "a limit that no reader of the document knows"


def _schemas(part: Any) -> list[dict[str, Any]]:
    """Return all schemas of a document, of any depth."""
    if isinstance(part, list):
        return [schema for each in part for schema in _schemas(each)]
    if not isinstance(part, dict):
        return []
    inner = [schema for each in part.values() for schema in _schemas(each)]
    own = [part["schema"]] if "schema" in part else []
    return [*own, *part.get("schemas", {}).values(), *inner]


async def test_what_writes_the_document_has_no_hand_in_other_answers(app: Quart) -> None:
    assert "QUART_SCHEMA" not in app.extensions
    assert type(app.json) is DefaultJSONProvider
    assert app.make_response.__func__ is Quart.make_response  # type: ignore[attr-defined]
    assert not {"redoc_ui", "scalar_ui", "swagger_ui"} & app.view_functions.keys()
    assert {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == "openapi"} == {DOCUMENT_PATH}
