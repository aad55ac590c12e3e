"""docs/privacy.md knows every column that holds something about a person."""

from __future__ import annotations

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB

from shared.models import Base
from tests.support.documents import quoted, read_document, rows

NOT_PERSONAL = {
    "booking_rules": {"name"},
    "calendar_closures": {"reason"},
    "calendar_entries": {"name", "description"},
    "calendars": {"container_type", "slug", "name", "place", "description", "time_zone"},
    "cart_notices": {"title"},
    "debts": {"currency"},
    "journal": {"thing", "event", "actor", "why", "data", "request_id"},
    "mails": {"kind", "key", "reply_to"},
    "order_lines": {"kind", "title", "detail", "option_name", "time_zone", "place"},
    "order_sellers": {"page_title", "terms", "refund_policy", "collection_place", "collection_times"},
    "orders": {"number", "access_token_hash", "merchant_code", "currency"},
    "page_configs": {
        "container_type",
        "terms",
        "refund_policy",
        "collection_place",
        "collection_times",
        "sumup_merchant_code",
        "next_merchant_code",
    },
    "payment_accounts": {"merchant_code", "api_key_encrypted", "name", "currency"},
    "payment_notices": {"event_type"},
    "payments": {
        "provider",
        "merchant_code",
        "currency",
        "checkout_reference",
        "checkout_id",
        "hosted_url",
        "return_token",
        "webhook_token",
        "transaction_id",
        "transaction_code",
        "review_reason",
        "answer",
    },
    "posts": {"slug", "title", "excerpt", "body", "body_html"},
    "product_variants": {"size", "colour"},
    "products": {"container_type", "slug", "title", "description", "unit"},
    "provider_findings": {"merchant_code", "transaction_id", "transaction_code", "currency", "provider_event"},
    "provider_walks": {"merchant_code"},
    "refunds": {"currency", "reason", "provider_event"},
    "security_journal": {"event", "data", "request_id"},
    "sessions": {"token_hash"},
    "sign_in_links": {"token_hash"},
    "ticket_types": {"name", "description"},
    "tickets": {"code"},
}
"""Columns of free text that hold nothing about a person: what is sold, ids, and words of ours."""


def test_every_text_is_in_the_document_or_known_to_be_about_nobody() -> None:
    texts = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if type(column.type) is Text or isinstance(column.type, JSONB)
    }
    personal = {".".join(quoted(row[0])) for row in rows(read_document("privacy.md"), 4)}
    others = {f"{table}.{column}" for table, columns in NOT_PERSONAL.items() for column in columns}
    assert personal & others == set()
    assert personal | others == texts


def test_what_each_is_for_and_how_long_it_stays_is_said() -> None:
    assert all(cell for row in rows(read_document("privacy.md"), 4) for cell in row)
