"""How somebody is written to, and rung: which e-mail addresses and telephone numbers are any, and how they are kept."""

from __future__ import annotations

import ipaddress
import re

from email_validator import EmailNotValidError, validate_email

# Two names of one service: mail to an address at either arrives in one inbox.
GOOGLE = ("gmail.com", "googlemail.com")
IPV4 = 4
LONGEST_PHONE = 40
PHONE_DIGITS = range(5, 16)
"""How many digits a number may have: from a village's short ones to the longest that there is in the world (E.164)."""

# Digits of ASCII, not ``\d``, which takes those of all scripts: a telephone has to dial what is kept.
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]*")
_TRUNK = "(0)"
"""What is dialled at home alone, in a number that is written for both: +44 (0)1632 960123."""


def email_of(typed: str) -> str | None:
    """Return an e-mail address in the one form in which we store it, or None where it is none.

    That form is in small letters and ASCII, a name of a domain in other letters as the DNS has it. Nobody is asked
    whether the address exists: only a mail that arrives proves that.
    """
    try:
        # A mailbox that is not ASCII is reached only where every server on the way knows RFC 6531.
        found = validate_email(typed.strip(), strict=True, allow_smtputf8=False, check_deliverability=False)
    except EmailNotValidError:
        return None
    # Also before the @: RFC 5321 would allow case to matter there, and one person would have two accounts.
    return None if found.ascii_email is None else found.ascii_email.lower()


def inbox_of(email: str) -> str:
    """Return the inbox that an address reaches, as far as anybody can tell: for counting, never for writing to.

    What stands behind a plus is a note of the owner's; Google's inboxes take no notice of dots either.
    """
    local, _, domain = email.rpartition("@")
    # An address may begin with a plus: then nothing stands before it, and it is no note.
    local = local.partition("+")[0] or local
    if domain in GOOGLE:
        local, domain = local.replace(".", ""), GOOGLE[0]
    return f"{local}@{domain}"


def network_of(address: str | None) -> str:
    """Return the network that an address is counted by: itself, or the /64 of an IPv6 one, of which a home has many."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:  # a socket without an address
        return ""
    # On a socket for both, IPv4 comes as ``::ffff:192.0.2.1``: all of it would be one /64, and share one limit.
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def shortened_address(address: str | None) -> str:
    """Return a client's address without what tells one of its neighbours from another: the /24, of IPv6 the /48."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ipaddress.ip_network((ip, 24 if ip.version == IPV4 else 48), strict=False))


def phone_of(typed: str) -> str | None:
    """Return a telephone number as it was written, with single spaces, or None where it is none."""
    phone = " ".join(typed.split())
    fits = len(phone) <= LONGEST_PHONE and _PHONE.fullmatch(phone) and len(dialled(phone).lstrip("+")) in PHONE_DIGITS
    return phone if fits else None


def dialled(phone: str) -> str:
    """Return what is dialled of a telephone number: its digits, after a plus where it names its country."""
    if phone.startswith("+"):
        return f"+{_digits(phone.replace(_TRUNK, ''))}"
    return _digits(phone)


def _digits(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)
