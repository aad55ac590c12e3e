"""Every template compiles with the app that it belongs to, has what a page needs, and nothing that the policy forbids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from jinja2 import TemplateSyntaxError, nodes
from quart import Quart

from shared.mail.render import FOLDER as MAIL_FOLDER
from shared.mail.render import mail_environment
from shared.services.wiring import sql_services
from shared.settings import APPS, Settings
from shared.web.factory import HOUSE, make_app
from shared.web.state import utc_now
from shared.web.templating import TEMPLATE_FOLDER

SERVICES = sql_services(Settings(environment="test"), utc_now)
_INLINE = re.compile(r"\sstyle=|<style|\son[a-z]+=[\"']|\shx-on|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)
_SAFE_FILTER = re.compile(r"\|\s*safe\b")


@dataclass(frozen=True)
class Template:
    """One file, and the app whose loader finds it."""

    app: str
    folder: Path
    name: str

    def __str__(self) -> str:
        return f"{self.app}: {self.name}"

    @property
    def source(self) -> str:
        return (self.folder / self.name).read_text()

    @property
    def is_page(self) -> bool:
        return "{% extends" in self.source


def _found(app: str, folder: Path) -> list[Template]:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    return [Template(app, folder, name) for name in names if not name.startswith("email/")]


PAGES = [template for app in APPS for template in _found(app, HOUSE / app / "templates")]
SHARED = _found("blog", TEMPLATE_FOLDER)
TEMPLATES = PAGES + SHARED
MACROS = [template.name for template in SHARED if "/_macros/" in template.name]
MAILS = sorted(path.name for path in MAIL_FOLDER.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def apps() -> dict[str, Quart]:
    return {app: make_app(app, Settings(environment="test"), SERVICES, template_folder="templates") for app in APPS}


def test_every_app_has_templates() -> None:
    assert {template.app for template in PAGES} == set(APPS)


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_it_compiles_and_what_it_refers_to_exists(apps: dict[str, Quart], template: Template) -> None:
    environment = apps[template.app].jinja_env
    try:
        environment.get_template(template.name)
    except TemplateSyntaxError as error:
        pytest.fail(f"{template.name}:{error.lineno}: {error.message}")
    tree = environment.parse(template.source)
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        named = node.template  # type: ignore[attr-defined]
        if isinstance(named, nodes.Const):
            environment.get_template(named.value)


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_what_it_imports_is_defined_there(apps: dict[str, Quart], template: Template) -> None:
    environment = apps[template.app].jinja_env
    for node in environment.parse(template.source).find_all(nodes.FromImport):
        assert isinstance(node.template, nodes.Const)
        tree = environment.parse(environment.loader.get_source(environment, node.template.value)[0])  # type: ignore[union-attr]
        defined = {macro.name for macro in tree.find_all(nodes.Macro)}
        wanted = {name if isinstance(name, str) else name[0] for name in node.names}
        assert wanted <= defined


@pytest.mark.parametrize("template", [t for t in TEMPLATES if t.is_page], ids=str)
def test_a_page_has_a_title_and_something_to_show(apps: dict[str, Quart], template: Template) -> None:
    tree = apps[template.app].jinja_env.parse(template.source)
    blocks = {block.name for block in tree.find_all(nodes.Block)}
    assert {"title", "main"} <= blocks


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_the_policy_allows_all_that_is_in_it(template: Template) -> None:
    assert not _INLINE.findall(template.source)
    assert not _SAFE_FILTER.findall(template.source)


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_a_form_says_how_it_is_sent(template: Template) -> None:
    for form in re.findall(r"<form\b[^>]*>", template.source):
        assert re.search(r'method="(get|post)"', form), form
        assert "action=" in form, form


@pytest.mark.parametrize("name", MACROS)
async def test_each_file_of_macros_loads_in_every_app(apps: dict[str, Quart], name: str) -> None:
    for app in apps.values():
        module = await app.jinja_env.get_template(name).make_module_async()
        assert [thing for thing in vars(module) if not thing.startswith("_")]


def test_there_are_macros() -> None:
    assert MACROS


@pytest.mark.parametrize("event", MAILS)
def test_a_mail_has_a_subject_a_text_and_an_html_part(event: str) -> None:
    environment = mail_environment(Settings())
    for part in ("subject.txt", "body.txt", "body.html"):
        environment.get_template(f"{event}/{part}")
    assert "{% extends" in (MAIL_FOLDER / event / "body.html").read_text()
