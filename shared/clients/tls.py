"""What all HTTP clients of a process share: reading the known authorities takes longer than a request."""

from __future__ import annotations

import ssl
from functools import lru_cache

import httpx


@lru_cache(maxsize=2)
def tls_context(*, trust_env: bool) -> ssl.SSLContext:
    """Return the context that checks servers' certificates; with ``trust_env``, by SSL_CERT_FILE where that is set."""
    return httpx.create_ssl_context(trust_env=trust_env)
