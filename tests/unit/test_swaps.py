"""No swap takes away what somebody is just pressing: a browser drops the click on an element that has gone meanwhile.

A part that somebody has asked for may replace the form that they sent, and the part of the page around it. What comes
by itself (a poll, the header's badge), or lands elsewhere in the page, replaces no link, button or control.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from shared.settings import APPS
from shared.web.factory import HOUSE
from shared.web.templating import TEMPLATE_FOLDER
from tests.support.templates import Element, Written

PRESSED = {"a", "button", "input", "select", "textarea", "summary", "label", "option"}
REQUESTS = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
REPLACING = {"outerHTML", "delete", "true"}
BY_ITSELF = ("every", "load", "revealed", "intersect")


def written(app: str) -> dict[str, list[Element]]:
    """Give the elements of every template that an app has."""
    sources = {
        path.relative_to(folder).as_posix(): path.read_text()
        for folder in (TEMPLATE_FOLDER, HOUSE / app / "templates")
        for path in folder.rglob("*.html")
    }
    templates = Written(sources)
    return {name: templates.elements(name) for name in sources}


def problems(templates: dict[str, list[Element]]) -> Iterator[str]:
    """Say of each swap that replaces something to press what is wrong."""
    by_id: dict[str, list[Element]] = {}
    for element in (each for elements in templates.values() for each in elements):
        by_id.setdefault(element.attributes.get("id", ""), []).append(element)
    for name, elements in templates.items():
        for element in elements:
            lost = _lost_in_place(element, by_id) | _lost_out_of_band(element, by_id)
            if lost:
                yield f"{name}: <{element.tag}> {_target(element)} takes away {', '.join(sorted(lost))}"


def _lost_in_place(element: Element, by_id: dict[str, list[Element]]) -> set[str]:
    """Name what a request's answer takes away."""
    if not any(name in element.attributes for name in REQUESTS):
        return set()
    target = _target(element)
    own = next((each for each in element.up() if target in ("this", f"#{each.attributes.get('id', '')}")), None)
    is_asked_for = not any(word in element.attributes.get("hx-trigger", "") for word in BY_ITSELF)
    if own is not None and is_asked_for:
        return set()
    swap = element.inherited("hx-swap", "innerHTML").split()[0]
    return _lost(swap, [own] if own else _with_id(target, by_id))


def _lost_out_of_band(element: Element, by_id: dict[str, list[Element]]) -> set[str]:
    """Name what an element that goes to its place by its id takes away."""
    if "hx-swap-oob" not in element.attributes:
        return set()
    swap, _, target = element.attributes["hx-swap-oob"].partition(":")
    return _lost(swap, _with_id(target or f"#{element.attributes['id']}", by_id))


def _target(element: Element) -> str:
    return element.inherited("hx-target", "this")


def _with_id(target: str, by_id: dict[str, list[Element]]) -> Sequence[Element]:
    assert target.startswith("#"), f"{target}: a target elsewhere in the page is named by its id"
    assert target[1:] in by_id, f"{target}: there is no such element"
    return by_id[target[1:]]


def _lost(swap: str, targets: Sequence[Element]) -> set[str]:
    """Name what people press among what a swap replaces."""
    if swap not in REPLACING | {"innerHTML"}:
        return set()
    gone = [each for target in targets for each in target.inside()]
    gone += targets if swap in REPLACING else []
    return {f"<{each.tag}>" for each in gone if each.tag in PRESSED and each.attributes.get("type") != "hidden"}


@pytest.mark.parametrize("app", APPS)
def test_no_swap_takes_away_what_people_press(app: str) -> None:
    assert list(problems(written(app))) == []


def test_the_templates_are_read_with_what_they_include_and_call() -> None:
    elements = written("cart")["_types/cart/overview/_main_panel.html"]
    forms = [each for each in elements if each.attributes.get("hx-target") == "#cart-panel"]
    assert len(forms) >= 4
    assert all(any(around.attributes.get("id") == "cart-panel" for around in form.up()) for form in forms)


LINK = '<a id="badge" href="/"><span>3</span></a>'
PANEL = '<div id="panel"><p>Hello</p><button>Go</button></div>'
PART = "{% macro part() %}<button>Go</button>{% endmacro %}"


@pytest.mark.parametrize(
    "sources",
    [
        {"a": LINK, "b": '<span hx-get="/badge" hx-trigger="load" hx-target="#badge" hx-swap="outerHTML"></span>'},
        {"a": f'<div hx-target="#badge" hx-swap="outerHTML">{LINK}<form hx-post="/"></form></div>'},
        {"a": LINK.replace(">", ' hx-swap-oob="true">', 1)},
        {"a": PANEL, "b": '<form hx-post="/" hx-target="#panel"></form>'},
        {"a": PANEL, "b": '<div id="panel" hx-swap-oob="innerHTML">New</div>'},
        {"a": '<div hx-get="/" hx-trigger="every 3s" hx-swap="outerHTML"><a href="/">Back</a></div>'},
        {"a": '<div hx-get="/" hx-trigger="every 3s">{% include "b" %}</div>', "b": "{{ part() }}", "c": PART},
    ],
)
def test_a_swap_that_takes_something_away_is_found(sources: dict[str, str]) -> None:
    assert list(problems({name: Written(sources).elements(name) for name in sources}))


@pytest.mark.parametrize(
    "sources",
    [
        {"a": LINK, "b": '<span hx-get="/badge" hx-trigger="load" hx-target="#badge"></span>'},
        {"a": LINK.replace(">", ' hx-swap-oob="innerHTML">', 1)},
        {"a": '<form id="buy" hx-post="/" hx-target="#buy" hx-swap="outerHTML"><button>Buy</button></form>'},
        {"a": '<div id="panel"><form hx-post="/" hx-target="#panel" hx-swap="outerHTML">{{ part() }}</form></div>', "b": PART},
        {"a": '<div hx-get="/" hx-trigger="every 4s" hx-swap="none"><a href="/">Back</a></div>'},
    ],
)  # fmt: skip
def test_a_swap_that_takes_nothing_away_is_left_alone(sources: dict[str, str]) -> None:
    assert not list(problems({name: Written(sources).elements(name) for name in sources}))
