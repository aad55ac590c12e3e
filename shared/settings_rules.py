"""Rules over several settings: what development keeps to this machine, and what production refuses.

Each takes settings and gives lines that say what to write instead; ``shared/settings.py`` says when each is asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

FEWEST_LETTERS = 10
"""How many different characters a secret has at the least: 32 hexadecimal digits have fewer as good as never."""
SECURE_MODES = frozenset({"require", "verify-ca", "verify-full"})
LOCAL = "localhost"
IMPLICIT_TLS_PORT = 465
"""Where a mail server speaks TLS from the first byte on (RFC 8314)."""


def is_this_machine(host: str) -> bool:
    """Tell whether a host name or address can only be this machine: ``localhost``, below it, or a loopback address."""
    name = host.strip("[]").lower().rstrip(".")
    if name == LOCAL or name.endswith(f".{LOCAL}"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_of(origin: str) -> str:
    """Return the host name of an origin."""
    return urlsplit(origin).hostname or ""


def leaves_this_machine(host: str, origins: Iterable[str], provider: str) -> Iterator[str]:
    """Say what of an installation that is not for production would reach beyond this machine.

    Development has known secrets, and shows everybody's mails: on the internet anybody could be an admin.
    """
    at_home = "or set ENVIRONMENT=production: everything else is for this machine alone"
    if not is_this_machine(host):
        yield f"set HOST to 127.0.0.1, not {host}, {at_home}"
    for origin in origins:
        if not is_this_machine(host_of(origin)):
            yield f"leave out the public origin {origin}, {at_home}"
    if provider and not is_this_machine(host_of(provider)):
        yield f"leave out SUMUP_BASE_URL {provider}, so that the sandbox takes the payments, {at_home}"


def weak_secrets(secrets: Iterable[str]) -> Iterator[str]:
    """Say what is wrong with secrets that are kept apart for a reason."""
    every = list(secrets)
    if any(len(set(secret)) < FEWEST_LETTERS for secret in every):
        yield "make SECRET_KEY and INTERNAL_SECRETS at random, such as by: openssl rand -hex 32"
    if len(set(every)) < len(every):
        # The internal secret is sent over the network: it must not sign the cookies as well.
        yield "set SECRET_KEY and each of INTERNAL_SECRETS to values of their own"


def wrong_cookie_domain(domain: str, hosts: Iterable[str]) -> Iterator[str]:
    """Say what is wrong with the sign-in cookie's domain: it goes to all hosts below it, and to no other's."""
    if not domain:
        return
    bare = domain.lower().strip(".")
    if _public_suffixes().is_public(bare):
        yield f"set COOKIE_DOMAIN to a domain of yours: {bare} is shared with strangers"
    outside = [host for host in hosts if host != bare and not host.endswith(f".{bare}")]
    if outside:
        yield f"set COOKIE_DOMAIN to the domain above all four hosts: {outside[0]} is not below {bare}"


def open_database(name: str, url: str | None) -> Iterator[str]:
    """Say where a database would be asked over a network that others may read.

    A name without a dot is one of a private network, such as that of docker-compose.yml.
    """
    parts = urlsplit(url or "")
    host = parts.hostname or LOCAL
    is_private = is_this_machine(host) or "." not in host
    if not is_private and not any(f"sslmode={mode}" in parts.query for mode in SECURE_MODES):
        yield f"add ?sslmode=verify-full (or require) to {name}: {host} is another machine"


def unsafe_mail(host: str, port: int | None, *, starttls: bool, sender: str) -> Iterator[str]:
    """Say what is wrong with how mails leave: only the processes that send them are asked."""
    if port is None and is_this_machine(host):
        yield "set SMTP_HOST and SMTP_PORT to your mail server: without one nobody can sign in"
    if not is_this_machine(host) and not starttls and port != IMPLICIT_TLS_PORT:
        yield f"set SMTP_STARTTLS=true, or SMTP_PORT={IMPLICIT_TLS_PORT}: mails must not cross the network in the open"
    if sender.lower().rstrip(">").endswith(".example"):
        yield "set MAIL_FROM to a sender of yours: mails from another domain are thrown away as spam"


@lru_cache(maxsize=1)
def _public_suffixes() -> PublicSuffixList:
    # The list comes with the package: nothing is fetched.
    return PublicSuffixList()
