"""/outbox/: only in development, and safe to look at whatever a mail holds."""

from __future__ import annotations

from email.message import EmailMessage

from pydantic import SecretStr
from quart import Quart
from selectolax.lexbor import LexborHTMLParser as Html

from blog.app import create_app
from shared.settings import Settings

EVIL = "<html><head></head><body><script>alert(1)</script><a href='http://localhost:8000/x'>go</a></body></html>"


def _keep(settings: Settings, name: str = "20261122T100000000000-abc") -> str:
    message = EmailMessage()
    message["Subject"], message["To"] = "Hi <script>", "ada@maypole.example"
    message.set_content(
        "<script>0</script> http://localhost:8000/auth/link/x?a=1&b=2. <script>alert(1)</script> javascript:alert(1)"
    )
    message.add_alternative(EVIL, subtype="html")
    folder = settings.outbox_folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.eml").write_bytes(message.as_bytes())
    return name


async def test_the_list_is_newest_first(blog: Quart, settings: Settings) -> None:
    older, newer = _keep(settings, "20261122T1-a"), _keep(settings, "20261122T2-b")
    page = Html(await (await blog.test_client().get("/outbox/")).get_data())
    assert [a.attributes["href"] for a in page.css(".lines a")] == [f"/outbox/{newer}/", f"/outbox/{older}/"]


async def test_an_empty_outbox_says_so(blog: Quart) -> None:
    assert Html(await (await blog.test_client().get("/outbox/")).get_data()).css_first(".empty") is not None


async def test_a_mails_text_is_escaped_and_only_its_web_addresses_are_links(blog: Quart, settings: Settings) -> None:
    name = _keep(settings)
    page = Html(await (await blog.test_client().get(f"/outbox/{name}/")).get_data())

    assert [a.attributes["href"] for a in page.css(".preserve a")] == ["http://localhost:8000/auth/link/x?a=1&b=2"]
    assert page.css_first("main script") is None
    assert page.css_first("iframe").attributes["sandbox"] == "allow-top-navigation-by-user-activation"


async def test_a_mails_html_can_do_nothing_but_be_looked_at(blog: Quart, settings: Settings) -> None:
    response = await blog.test_client().get(f"/outbox/{_keep(settings)}/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert "allow-scripts" not in policy


async def test_a_mail_that_is_not_there_is_not_found(blog: Quart) -> None:
    assert (await blog.test_client().get("/outbox/nothing/")).status_code == 404


def test_production_has_no_outbox() -> None:
    production = Settings(
        environment="production",
        secret_key=SecretStr("0123456789abcdef" * 2),
        internal_secrets=(SecretStr("fedcba9876543210" * 2),),
        sumup_base_url="https://api.sumup.com",
        **{f"{app}_url": f"https://{app}.maypole.example" for app in ("blog", "market", "cart", "events")},
    )
    rules = {rule.rule for rule in create_app(production).url_map.iter_rules()}
    assert not any(rule.startswith("/outbox") for rule in rules)
    assert "/auth/sign-in" in rules
