"""The container files say what the code says: no Docker runs here, so this is what holds them together."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from launcher import app as maypole
from launcher.postgres.limits import RESERVED_BY_POSTGRESQL, connections_needed
from shared.settings import APPS, Settings
from shared.web.internal import PREFIX

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("migrate", *APPS, "worker")
OF_THE_IMAGES = {"POSTGRES_PASSWORD", "MAYPOLE_OWNER_PASSWORD", "MAYPOLE_APP_PASSWORD"}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
SECRET = re.compile(r"PASSWORD|SECRET|API_KEY")


def dockerfile() -> dict[str, list[tuple[str, str]]]:
    """Return the instructions of each stage."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    stages: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in lines:
        word, rest = line.split(None, 1)
        if word == "FROM":
            name = rest.split()[-1]
            stages[name] = [("FROM", rest.split()[0])]
        else:
            stages[name].append((word, rest))
    return stages


def caddy_sites() -> dict[str, tuple[str, str]]:
    """Return for each host's placeholder the snippet that it imports and where that leads."""
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    return {host: (snippet, to) for host, snippet, to in re.findall(r"\{\$(\w+)\} \{\s*import (\w+) (\S+)\s*\}", text)}


def environment(service: str, **given: str) -> dict[str, str]:
    """Return a service's environment as Compose would make it, with 40 letters for each value that must be set."""

    def value(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        return given.get(name, default if kind == "-" else "x" * 40)

    return {name: VARIABLE.sub(value, str(text)) for name, text in SERVICES[service].get("environment", {}).items()}


def test_the_services_are_the_database_the_migrations_the_four_apps_the_worker_and_the_proxy() -> None:
    assert set(SERVICES) == {"postgres", "migrate", *APPS, "worker", "proxy"}


@pytest.mark.parametrize("service", OURS)
def test_every_command_is_one_that_the_code_has(service: str) -> None:
    result = CliRunner().invoke(maypole, [SERVICES[service]["command"][0], "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_a_setting(service: str) -> None:
    assert {name.lower() for name in environment(service)} <= set(Settings.model_fields)


@pytest.mark.parametrize("service", ["postgres", "proxy"])
def test_the_other_images_get_what_their_files_read(service: str) -> None:
    read = (ROOT / "shared/db/roles.sql").read_text() + (ROOT / "deploy/Caddyfile").read_text() + "POSTGRES_PASSWORD"
    assert all(name in read for name in environment(service))


GIVEN = {
    "SECRET_KEY": "0123456789abcdef" * 2,
    "INTERNAL_SECRETS": "fedcba9876543210" * 2,
    **{f"{app.upper()}_HOST": f"{app}.shop.test" for app in APPS},
    "COOKIE_DOMAIN": "shop.test",
    "SMTP_HOST": "mail.shop.test",
    "MAIL_FROM": "Maypole <tickets@shop.test>",
}


@pytest.mark.parametrize("service", [*APPS, "worker"])
def test_the_environment_makes_settings_that_production_accepts(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(service, **GIVEN).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.environment == "production"
    assert not settings.uses_sandbox
    assert service != "worker" or not settings.mail_problem


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_has_a_default_and_none_is_written_down(service: str) -> None:
    for name, text in SERVICES[service].get("environment", {}).items():
        for variable, kind, _ in VARIABLE.findall(str(text)):
            assert kind == "?" or not SECRET.search(variable) or variable == "SMTP_PASSWORD"
        assert VARIABLE.search(str(text)) or not SECRET.search(name)


@pytest.mark.parametrize("app", APPS)
def test_each_app_is_built_from_its_own_folder_and_served_on_its_port(app: str) -> None:
    service = SERVICES[app]
    assert service["build"] == {"context": ".", "target": "app", "args": {"APP": app}}
    assert service["command"] == ["serve", app]
    assert caddy_sites()[f"{app.upper()}_HOST"] == ("app", f"{app}:{Settings().port_of(app)}")
    assert "ports" not in service


@pytest.mark.parametrize("app", APPS)
def test_the_others_reach_an_apps_internal_api_at_its_port(app: str) -> None:
    for other in APPS:
        assert environment(other)[f"INTERNAL_{app.upper()}_URL"] == f"http://{app}:{Settings().port_of(app)}"


def test_only_who_pays_has_the_key_and_only_who_mails_has_the_mail_server() -> None:
    assert {name for name in OURS if "SUMUP_API_KEY" in environment(name)} == {"cart", "worker"}
    assert {name for name in OURS if "SMTP_HOST" in environment(name)} == {"worker"}


def test_only_the_migrations_connect_as_the_owner() -> None:
    assert {name for name in OURS if "maypole_owner" in str(environment(name))} == {"migrate"}
    assert "//maypole_app:" in environment("cart")["DATABASE_URL"]


def test_the_proxy_routes_the_four_hosts_and_nothing_else() -> None:
    assert set(caddy_sites()) == {f"{app.upper()}_HOST" for app in APPS} == set(environment("proxy"))


def test_the_proxy_never_routes_the_internal_api() -> None:
    snippet = (ROOT / "deploy/Caddyfile").read_text().split("(app) {")[1].split("\n}")[0]
    refused, handled, rest = (snippet.find(part) for part in ("@inside path", "handle @inside", "reverse_proxy"))
    inside = snippet[refused:].split("\n")[0].split()[2:]
    assert 0 <= refused < handled < rest
    assert {PREFIX.rstrip("/"), f"{PREFIX}*"} <= set(inside)
    assert "respond 404" in snippet[handled:rest]
    assert "handle" in snippet[handled + len("handle @inside") : rest]


def test_only_the_proxy_is_open_to_the_outside() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["inside"]


@pytest.mark.parametrize("service", [*APPS, "worker"])
def test_everything_waits_for_the_migrations_and_they_for_the_database(service: str) -> None:
    assert SERVICES[service]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_the_database_takes_as_many_connections_as_the_pools_open() -> None:
    command = SERVICES["postgres"]["command"]
    allowed = int(next(word for word in command if word.startswith("max_connections=")).partition("=")[2])
    assert connections_needed(Settings()) + RESERVED_BY_POSTGRESQL <= allowed


def test_every_mounted_file_exists() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert all((ROOT / file).is_file() for file in files)


def test_every_stage_that_compose_builds_exists_and_the_worker_uses_the_carts() -> None:
    targets = {name: SERVICES[name]["build"]["target"] for name in OURS}
    assert set(targets.values()) <= set(dockerfile())
    assert SERVICES["worker"]["build"] == SERVICES["cart"]["build"]


def test_everything_that_is_copied_into_an_image_exists() -> None:
    for stage in dockerfile().values():
        for word, rest in stage:
            if word == "COPY" and not rest.startswith("--from"):
                source = rest.split()[0]
                assert (ROOT / source.replace("${APP}", "cart")).exists(), source


def test_an_apps_image_holds_its_own_folder_shared_and_the_launcher_and_no_more() -> None:
    copied = [rest.split()[0] for name in ("base", "app") for word, rest in dockerfile()[name] if word == "COPY"]
    assert [source for source in copied if not source.startswith("--from")] == ["shared", "launcher", "${APP}"]


def test_the_migrations_image_holds_what_alembic_reads() -> None:
    copied = {rest.split()[0] for word, rest in dockerfile()["migrate"] if word == "COPY"}
    assert copied == {"alembic.ini", "alembic"}


@pytest.mark.parametrize("stage", ["app", "migrate"])
def test_no_image_runs_as_root(stage: str) -> None:
    words = [word for word, _ in dockerfile()[stage]]
    user = dict(dockerfile()[stage])["USER"]
    assert user.isdigit()
    assert user != "0"
    assert words.index("USER") > max(index for index, word in enumerate(words) if word in {"COPY", "RUN"})


def test_the_image_starts_and_checks_itself_with_commands_that_the_code_has() -> None:
    entry = shlex.split(re.sub(r"[\[\],]", " ", dict(dockerfile()["base"])["ENTRYPOINT"]))
    health = dict(dockerfile()["app"])["HEALTHCHECK"].partition("CMD ")[2]
    assert entry == ["python", "-m", "launcher"]
    assert shlex.split(re.sub(r"[\[\],]", " ", health)) == [*entry, "healthy"]
    assert CliRunner().invoke(maypole, ["healthy", "--help"]).exit_code == 0


def test_the_health_check_says_no_when_nobody_answers(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("CART_PORT", str(free_port))
    monkeypatch.setattr("launcher.commands.HEALTHY_WITHIN_S", 0.05)
    result = CliRunner().invoke(maypole, ["healthy"], env={"APP": "cart"})
    assert result.exit_code == 1
    assert "cart does not answer" in result.output


def test_the_python_of_the_images_is_one_that_the_project_supports() -> None:
    images = {rest for stage in dockerfile().values() for word, rest in stage if word == "FROM" and ":" in rest}
    assert images == {"python:3.11-slim"}
