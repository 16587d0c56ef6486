"""Twilio's signature of a call to a webhook."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

HEADER = "X-Twilio-Signature"


def signature(token: str, url: str, form: Sequence[tuple[str, str]]) -> str:
    """base64(HMAC-SHA1(token, url + every field, sorted, name and value)); a repeated pair counts once."""
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
