"""Each process is given its own settings only."""

from __future__ import annotations

import pytest

from launcher.database import DatabaseUrls
from launcher.processes import ONLY_FOR, Program, environment_of, programs_of
from shared.settings import APPS, Settings

URLS = DatabaseUrls(app="postgresql://app", owner="postgresql://owner")
SETTINGS = Settings()
PROGRAMS = [program.name for program in programs_of(SETTINGS)]


def given(name: str) -> dict[str, str]:
    return environment_of(Program(name, ()), SETTINGS, URLS, verbose=False)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_process_gets_only_the_secrets_that_it_has_a_use_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ONLY_FOR:
        monkeypatch.setenv(setting, "something")
    monkeypatch.setenv("SITE_NAME", "The Barn")

    environment = given(name)
    assert {setting for setting in ONLY_FOR if setting in environment} == {
        setting for setting, users in ONLY_FOR.items() if name in users
    }
    assert environment["SITE_NAME"] == "The Barn"


def test_every_secret_is_somebodys_alone() -> None:
    secrets = {name.upper() for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert secrets <= set(ONLY_FOR)
    assert {name for users in ONLY_FOR.values() for name in users} <= set(PROGRAMS)


@pytest.mark.parametrize("name", [*APPS, "worker"])
def test_who_has_a_database_has_the_apps_role(name: str) -> None:
    assert given(name)["DATABASE_URL"] == URLS.app
    assert URLS.owner not in given(name).values()
