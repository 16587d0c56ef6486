"""How Twilio's HTTP API says things: message resources, pages, errors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import urlencode

from simulators import calls, listing, phone_network, segments

API_VERSION = "2010-04-01"

ERRORS: Mapping[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20503: (503, "Service unavailable, please try again later"),
    21211: (400, "The 'To' number is not a valid phone number"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21205: (400, "Url is not a valid URL"),
    20001: (400, "ValidityPeriod must be a whole number of seconds from 1 to 36000; dates must be YYYY-MM-DD or ISO 8601"),
}


def error(code: int) -> tuple[int, dict[str, object]]:
    """The HTTP status and body of an error."""
    status, message = ERRORS[code]
    return status, {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}


def message(record: phone_network.Record, account: str) -> dict[str, object]:
    """One message resource."""
    sms = record.sms
    return {
        "account_sid": account,
        "api_version": API_VERSION,
        "body": sms.body,
        "date_created": _date(sms.accepted_at),
        "date_sent": _date(record.sent_at),
        "date_updated": _date(record.updated_at or sms.accepted_at),
        "direction": "outbound-api",
        "error_code": int(record.code) if record.code else None,
        "error_message": None,
        "from": sms.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments.segments(sms.body)),
        "price": None,
        "price_unit": "USD",
        "sid": sms.reference,
        "status": record.status,
        "subresource_uris": {"media": f"/{API_VERSION}/Accounts/{account}/Messages/{sms.reference}/Media.json"},
        "to": sms.to,
        "uri": f"/{API_VERSION}/Accounts/{account}/Messages/{sms.reference}.json",
    }


def inbound(text: listing.Inbound, account: str) -> dict[str, object]:
    """The message resource of a text that somebody sent to us."""
    return {
        "account_sid": account,
        "api_version": API_VERSION,
        "body": text.body,
        "date_created": _date(text.at),
        "date_sent": _date(text.at),
        "date_updated": _date(text.at),
        "direction": "inbound",
        "error_code": None,
        "error_message": None,
        "from": text.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments.segments(text.body)),
        "sid": text.reference,
        "status": "received",
        "to": text.to,
        "uri": f"/{API_VERSION}/Accounts/{account}/Messages/{text.reference}.json",
    }


def call(record: calls.Record, account: str) -> dict[str, object]:
    """One call resource."""
    made = record.call
    return {
        "account_sid": account,
        "answered_by": record.picked_up or None,
        "api_version": API_VERSION,
        "date_created": _date(made.accepted_at),
        "date_updated": _date(record.updated_at or made.accepted_at),
        "direction": "outbound-api",
        "duration": str(record.duration_s) if record.duration_s else None,
        "from": made.sender,
        "sid": made.reference,
        "status": record.status,
        "to": made.to,
        "uri": f"/{API_VERSION}/Accounts/{account}/Calls/{made.reference}.json",
    }


def page(
    name: str, shown: Sequence[object], total: int, account: str, asked: Mapping[str, str], number: int, size: int
) -> dict[str, object]:
    """One page of a list (``Messages``, ``Calls``), counted from 0, with the address of the next."""
    return {
        name.lower(): shown,
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": max(number * size, number * size + len(shown) - 1),
        "uri": _page_uri(name, account, asked, number, size),
        "first_page_uri": _page_uri(name, account, asked, 0, size),
        "previous_page_uri": _page_uri(name, account, asked, number - 1, size) if number else None,
        "next_page_uri": _page_uri(name, account, asked, number + 1, size) if (number + 1) * size < total else None,
    }


def _page_uri(name: str, account: str, asked: Mapping[str, str], number: int, size: int) -> str:
    query = urlencode({**asked, "PageSize": size, "Page": number, "PageToken": f"PA{number}"})
    return f"/{API_VERSION}/Accounts/{account}/{name}.json?{query}"


def _date(at: datetime | None) -> str | None:
    return _written(at.replace(microsecond=0)) if at else None


@lru_cache(64)
def _written(second: datetime) -> str:
    return format_datetime(second)
