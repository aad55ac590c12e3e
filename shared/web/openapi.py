"""The OpenAPI document of an app's internal JSON API, written by quart-schema from the routes themselves.

Only what writes the document is used of quart-schema: its extension would take part in every response of the app, and
have routes of its own for viewers that load scripts from elsewhere. See docs/decisions/quart-schema.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quart import Quart, Response, jsonify
from quart_schema import HttpSecurityScheme, Info, OpenAPIProvider, QuartSchema, hide
from werkzeug.routing import BaseConverter, Rule
from werkzeug.routing.converters import NumberConverter

from .internal import PREFIX, internal_only

DOCUMENT_PATH = f"{PREFIX}v1/openapi.json"
VERSION = "1"
DESCRIPTION = "For our own apps only. Never routed to the public; every call bears a secret."


class InternalProvider(OpenAPIProvider):
    """Describes the routes under the prefix, and what the routing itself refuses of a path."""

    def generate_rules(self) -> Iterable[Rule]:
        """Return the rules of the internal API."""
        return [rule for rule in super().generate_rules() if rule.rule.startswith(PREFIX)]

    def build_path_parameter(self, name: str, converter: BaseConverter) -> dict[str, Any]:
        """Describe a part of a path as narrowly as its converter reads it."""
        parameter = super().build_path_parameter(name, converter)
        if isinstance(converter, NumberConverter):
            limits = {"minimum": converter.min, "maximum": converter.max}
            parameter["schema"] |= {word: limit for word, limit in limits.items() if limit is not None}
        else:
            parameter["schema"]["pattern"] = f"^(?:{converter.regex})$"
        return parameter


def _document_of(app: Quart) -> dict[str, Any]:
    about = QuartSchema(
        info=Info(title=f"The internal API of the {app.name} app", version=VERSION, description=DESCRIPTION),
        security_schemes={"secret": HttpSecurityScheme(scheme="bearer")},
        security=[{"secret": []}],
    )
    return InternalProvider(app, about).schema()


def install_openapi(app: Quart) -> None:
    """Let ``app`` answer our own apps with its document."""
    # What the provider reads, and the extension would have set.
    app.config.update(QUART_SCHEMA_CONVERSION_PREFERENCE="pydantic", QUART_SCHEMA_CONVERT_CASING=False)

    @hide
    @internal_only
    async def openapi() -> Response:
        return jsonify(_document_of(app))

    app.add_url_rule(DOCUMENT_PATH, "openapi", openapi)
