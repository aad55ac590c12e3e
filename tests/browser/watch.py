"""What a browser complains of while somebody uses the site: a test that causes any of it fails."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, Response, WebError

HERE = frozenset({"localhost", "127.0.0.1"})
PAGES = frozenset({"document", "xhr", "fetch"})
"""What may be refused with a 4xx: a form that was filled in wrongly. A style or a script may not."""
SAID_BY_THE_RESPONSE = "Failed to load resource: the server responded with a status of"


class Watch:
    """Collects errors and warnings of the console (broken policies are among them), scripts and the network."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.expected_statuses: set[int] = set()

    def expect(self, *statuses: int) -> None:
        """Take answers of 5xx with these statuses for what the test is about."""
        self.expected_statuses.update(statuses)

    def attach(self, context: BrowserContext) -> None:
        """Listen to everything that happens in a browser's window."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(SAID_BY_THE_RESPONSE):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _on_error(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and address.hostname not in HERE:
            self.complaints.append(f"asks a foreign host: {request.url}")

    def _on_failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # given up because the next page was opened
            self.complaints.append(f"no answer: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        status = response.status
        refused = status >= 400 and response.request.resource_type not in PAGES
        crashed = status >= 500 and status not in self.expected_statuses
        if refused or crashed:
            self.complaints.append(f"{status}: {response.request.method} {response.url}")
