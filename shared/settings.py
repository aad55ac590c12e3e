"""Every setting: an environment variable of the same name in capitals, typed, with its default and why.

``docs/operating.md`` holds the same list as a table, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .settings_rules import (
    host_of,
    leaves_this_machine,
    open_database,
    unsafe_mail,
    weak_secrets,
    wrong_cookie_domain,
)
from .settings_types import Currency, Host, Line, LogLevel, Origin, Sender, ZoneName

APPS = ("blog", "market", "cart", "events")
QUEUE_CONNECTIONS = 3
"""What the worker's job queue keeps beside DB_WORKER_POOL_SIZE: one connection listens, two fetch and mark."""
# ``secrets.token_urlsafe(24)`` gives as many: 192 random bits.
SHORTEST_SECRET = 32
DEV_CREDENTIALS_KEY = "ZGV2ZWxvcG1lbnQtb25seS1rZXktbmV2ZXItb25saW4="
SUMUP_API = "https://api.sumup.com"
SANDBOX_KEY = "sup_sk_sandbox"
DEV_SECRET = "development-only-secret-never-use-it-on-the-internet"  # noqa: S105 - refused in production below


class Settings(BaseSettings):
    """The settings of an installation; all apps read the same ones."""

    # ``extra="ignore"``: the environment is full of other people's variables. Frozen: nothing changes while it runs.
    model_config = SettingsConfigDict(env_prefix="", extra="ignore", frozen=True)

    environment: Literal["development", "production", "test"] = Field(
        default="development",
        description="production refuses what is unsafe on the internet; anything else keeps to this machine",
    )
    site_name: Line = Field(default="Maypole", description="The name in headers, titles and mails")
    secret_key: SecretStr = Field(
        default=SecretStr(DEV_SECRET),
        description="Signs the sign-in cookie; the same for all apps, 32 characters or more",
    )
    secret_keys_before: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Earlier values of SECRET_KEY, comma-separated: links to guests' orders that they made stay alive",
    )
    currency: Currency = Field(default="GBP", description="The one currency of the installation (ISO 4217)")
    time_zone: ZoneName = Field(default="Europe/London", description="The zone for times that belong to no calendar")

    data_dir: Path = Field(
        default=Path(".data"), description="Where the embedded PostgreSQL, mails and logs of ./run live"
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql:// URL of the apps' role; without it ./run starts the embedded PostgreSQL"
    )
    migrate_database_url: SecretStr | None = Field(
        default=None,
        description="postgresql:// URL of the owner's role, for migrations; without it DATABASE_URL is used",
    )
    db_pool_size: int = Field(default=8, description="Connections that each app keeps at most", ge=1, le=50)
    db_worker_pool_size: int = Field(default=6, description="Connections that the worker keeps at most", ge=1, le=50)
    db_lock_timeout_ms: int = Field(
        default=5000, description="How long a transaction waits for a lock before it gives up", ge=1
    )
    db_statement_timeout_ms: int = Field(default=15000, description="How long one statement may take", ge=1)

    host: Host = Field(default="127.0.0.1", description="The address that the apps listen on")
    blog_port: int = Field(default=8000, description="The port of the blog app", ge=1, le=65535)
    market_port: int = Field(default=8001, description="The port of the market app", ge=1, le=65535)
    cart_port: int = Field(default=8002, description="The port of the cart app", ge=1, le=65535)
    events_port: int = Field(default=8003, description="The port of the events app", ge=1, le=65535)
    sandbox_port: int = Field(default=8010, description="The port of the SumUp sandbox", ge=1, le=65535)
    outbox_port: int = Field(default=8025, description="The port of the development mail server", ge=1, le=65535)
    blog_url: Origin = Field(
        default="", description="The public origin of the blog app; empty: http://localhost and its port"
    )
    market_url: Origin = Field(default="", description="The public origin of the market app; empty: as above")
    cart_url: Origin = Field(default="", description="The public origin of the cart app; empty: as above")
    events_url: Origin = Field(default="", description="The public origin of the events app; empty: as above")
    internal_blog_url: Origin = Field(
        default="", description="Where the other apps reach the blog's internal API; empty: its port on HOST"
    )
    internal_market_url: Origin = Field(default="", description="Where they reach the market's; empty: as above")
    internal_cart_url: Origin = Field(default="", description="Where they reach the cart's; empty: as above")
    internal_events_url: Origin = Field(default="", description="Where they reach the events app's; empty: as above")
    internal_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(SecretStr(DEV_SECRET),),
        description="Bearer secrets of the internal API, comma-separated: the first is sent, all are accepted",
        min_length=1,
    )
    internal_timeout_ms: int = Field(
        default=300,
        description="How long a page waits for what it does well without: the number in the cart's badge",
        ge=1,
    )
    internal_page_timeout_ms: int = Field(
        default=1500,
        description="How long a page waits for what another app is to show on it; never shorter than the above",
        ge=1,
    )
    cookie_domain: str = Field(
        default="", description="The domain of the sign-in cookie in production; empty: the host alone"
    )
    trusted_proxies: int = Field(
        default=0, description="How many reverse proxies of ours add X-Forwarded-* headers", ge=0
    )

    sumup_base_url: Origin = Field(default="", description="SumUp's API; empty: the local sandbox under ./run")
    sumup_api_key: SecretStr = Field(
        default=SecretStr(SANDBOX_KEY), description="The secret API key of the SumUp account"
    )
    sumup_merchant_code: str = Field(default="MSANDBOX", description="The merchant code of the SumUp account")
    credentials_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(SecretStr(DEV_CREDENTIALS_KEY),),
        description="Keys that encrypt the pages' SumUp keys at rest (`maypole new-key` prints one), comma-separated:"
        " the first encrypts, all decrypt",
        min_length=1,
    )
    sumup_hosted_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("https://checkout.sumup.com", "https://pay.sumup.com"),
        description="Origins of the provider's hosted page, for the form-action policy, comma-separated",
    )
    sumup_connect_timeout_s: float = Field(default=5.0, description="How long to wait for a connection to SumUp", gt=0)
    sumup_read_timeout_s: float = Field(default=15.0, description="How long to wait for an answer of SumUp", gt=0)
    sumup_create_timeout_s: float = Field(
        default=2.5,
        description="How long each of at most three tries to open a payment page may take, while a buyer waits",
        gt=0,
    )
    sandbox_accounts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("MFARM=sup_sk_sandbox_farm", "MEURO=sup_sk_sandbox_euro=EUR"),
        description="More accounts of the sandbox, CODE=KEY or CODE=KEY=CURRENCY, comma-separated",
    )
    sandbox_webhook_delays_s: Annotated[tuple[float, ...], NoDecode] = Field(
        default=(0.2, 60.0, 300.0, 1200.0, 7200.0),
        description="When the sandbox sends a webhook and its retries, in seconds, comma-separated; empty: never",
    )

    order_minutes: int = Field(
        default=30, description="How long an unpaid order holds its seats (at most SumUp's 30)", ge=1, le=30
    )
    hold_again_minutes: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(10, 5),
        description="How long things are held for who held them within a day and did not pay: the second time and the"
        " next ones, comma-separated; after these they have to wait; empty: always ORDER_MINUTES",
    )
    unpaid_orders_per_network: int = Field(
        default=20,
        description="How many unpaid orders the guests of one network (an address, or a /64) may have together",
        ge=2,
    )
    cart_days: int = Field(default=30, description="How long things wait in a cart before they leave it", ge=1)
    guest_link_days: int = Field(
        default=365,
        description="How long after the last event, or the order, the link to a guest's order opens it",
        ge=1,
    )
    max_tickets_per_order: int = Field(
        default=20, description="The limit for entries that name none of their own", ge=1, le=500
    )
    sign_in_link_minutes: int = Field(default=15, description="How long a sign-in link works", ge=1, le=120)
    sign_in_fresh_minutes: int = Field(
        default=60,
        description="How long after signing in somebody may move money without signing in again",
        ge=1,
        le=1440,
    )
    payee_delay_hours: int = Field(
        default=0,
        description="How long after an admin chose another account for a page it is used, so that others can object",
        ge=0,
        le=720,
    )
    session_days: int = Field(default=30, description="How long a sign-in lasts without a visit", ge=1)
    session_days_at_most: int = Field(
        default=90, description="How long a sign-in lasts at the most, however often it is used", ge=1, le=366
    )
    role_session_hours: int = Field(default=12, description="The same for somebody with a role, in hours", ge=1, le=720)
    role_idle_minutes: int = Field(
        default=120, description="How long a sign-in of somebody with a role lasts without a visit", ge=5, le=43200
    )
    sign_in_mails_per_hour: int = Field(default=5, description="Sign-in mails to one inbox in an hour", ge=1)
    sign_in_mails_per_network: int = Field(
        default=360, description="Sign-in mails that one network (an address, or a /64) may ask for in an hour", ge=1
    )
    sign_in_mails_in_all: int = Field(
        default=2000, description="Sign-in mails in all in an hour; past that the log has an error", ge=1
    )

    smtp_host: str = Field(default="127.0.0.1", description="The mail server")
    smtp_port: int | None = Field(default=None, description="Its port; empty: OUTBOX_PORT")
    smtp_username: str = Field(default="", description="Its user name; empty: none")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Its password")
    smtp_starttls: bool = Field(
        default=False, description="Whether to ask for TLS on the mail server's port; port 465 has it always"
    )
    mail_from: Sender = Field(default="Maypole <tickets@maypole.example>", description="The sender of every mail")

    mail_days: int = Field(
        default=90, description="How long sent mails keep whom they went to and what they said", ge=1
    )
    security_contact: str = Field(
        default="", description="An e-mail or https:// address for /.well-known/security.txt; empty: there is none"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How log lines look")
    log_level: LogLevel = Field(default="INFO", description="The lowest level that is logged")
    log_file: Path | None = Field(
        default=None,
        description="A file of this process for its log lines; standard error then shows warnings and errors alone",
    )
    static_max_age_s: int = Field(
        default=31536000, description="How long browsers keep static files (their URLs have a hash)", ge=0
    )
    reconcile_every_s: float = Field(
        default=5.0, description="How often the worker looks for payments that are due a check", gt=0
    )

    @field_validator(
        "secret_keys_before",
        "internal_secrets",
        "credentials_keys",
        "sumup_hosted_origins",
        "sandbox_accounts",
        "sandbox_webhook_delays_s",
        "hold_again_minutes",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        # pydantic-settings would want JSON here (hence NoDecode), which nobody writes right in a shell.
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("secret_key", "secret_keys_before", "internal_secrets")
    @classmethod
    def _long_enough(cls, value: SecretStr | tuple[SecretStr, ...]) -> SecretStr | tuple[SecretStr, ...]:
        secrets = value if isinstance(value, tuple) else (value,)
        if any(len(secret.get_secret_value()) < SHORTEST_SECRET for secret in secrets):
            message = f"must have {SHORTEST_SECRET} characters or more"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        # At the start, not at the first payment: a mistake must be seen by whoever makes it.
        for message in self._unsafe() if self.environment == "production" else self._not_at_home():
            raise ValueError(message)
        return self

    def _not_at_home(self) -> Iterator[str]:
        yield from leaves_this_machine(self.host, self.public_origins, self.sumup_base_url)

    def _unsafe(self) -> Iterator[str]:
        if DEV_SECRET in {secret.get_secret_value() for secret in (self.secret_key, *self.internal_secrets)}:
            yield "set SECRET_KEY and INTERNAL_SECRETS to random values of 32 characters or more in production"
        if any(not url.startswith("https://") for url in self.public_origins):
            yield "set BLOG_URL, MARKET_URL, CART_URL and EVENTS_URL to https:// origins in production"
        if not self.sumup_base_url.startswith("https://"):
            yield f"set SUMUP_BASE_URL to SumUp's API, {SUMUP_API}, in production"
        yield from weak_secrets(each.get_secret_value() for each in (self.secret_key, *self.internal_secrets))
        yield from wrong_cookie_domain(self.cookie_domain, map(host_of, self.public_origins))
        urls = {"DATABASE_URL": self.database_url, "MIGRATE_DATABASE_URL": self.migrate_database_url}
        for name, url in urls.items():
            yield from open_database(name, None if url is None else url.get_secret_value())

    def port_of(self, app: str) -> int:
        """Return the port of one of the four apps."""
        return int(getattr(self, f"{app}_port"))

    def url_of(self, app: str) -> str:
        """Return the public origin of one of the four apps, without a slash at its end."""
        return str(getattr(self, f"{app}_url")) or f"http://localhost:{self.port_of(app)}"

    @property
    def guest_keys(self) -> tuple[SecretStr, ...]:
        """The keys that links to guests' orders may be made with, the present one first."""
        return (self.secret_key, *self.secret_keys_before)

    @property
    def outbox_folder(self) -> Path:
        """Where the development mail server keeps its mails."""
        return self.data_dir / "outbox"

    @property
    def public_origins(self) -> tuple[str, ...]:
        """The public origins of the four apps."""
        return tuple(self.url_of(app) for app in APPS)

    def internal_origin_of(self, app: str) -> str:
        """Return where one of the four apps has its internal API, without a slash at its end."""
        return str(getattr(self, f"internal_{app}_url")) or f"http://{self.host}:{self.port_of(app)}"

    @property
    def uses_sandbox(self) -> bool:
        """Whether payments go to the local sandbox."""
        return not self.sumup_base_url

    @property
    def lacks_account(self) -> bool:
        """Whether real payments would be asked for with the sandbox's key; only what takes payments needs another."""
        return self.environment == "production" and self.sumup_api_key.get_secret_value() == SANDBOX_KEY

    @property
    def mail_problem(self) -> str:
        """What is wrong with how mails would leave; empty: nothing. Only what sends mails need ask."""
        if self.environment != "production":
            return ""
        found = unsafe_mail(self.smtp_host, self.smtp_port, starttls=self.smtp_starttls, sender=self.mail_from)
        return next(found, "")

    @property
    def uses_outbox(self) -> bool:
        """Whether mails go to the development outbox: nobody has named a mail server."""
        return self.environment != "production" and not self.model_fields_set & {"smtp_host", "smtp_port"}

    @property
    def sumup_origin(self) -> str:
        """The base URL of SumUp's API."""
        # localhost and not HOST: the browser is sent there too, and 0.0.0.0 is no address to go to.
        return self.sumup_base_url or f"http://localhost:{self.sandbox_port}"

    @property
    def hosted_origins(self) -> tuple[str, ...]:
        """The origins that a checkout may send the browser to."""
        return (*self.sumup_hosted_origins, *((self.sumup_origin,) if self.uses_sandbox else ()))


# Once: all parts of a process must see the same values.
@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, read once from its environment."""
    return Settings()
