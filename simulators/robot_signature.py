"""What robots of chat groups hold to be proof of who sends them something, written from what their makers say."""

import base64
import hashlib
import hmac

SKEW_S = 3600.0


def signed(secret: str, key: str, text: str) -> bytes:
    """HMAC-SHA256 with {secret} filled in."""
    return hmac.new(key.replace("{secret}", secret).encode(), text.replace("{secret}", secret).encode(), hashlib.sha256).digest()


def dingtalk_sign(secret: str, at: str) -> str:
    """What DingTalk expects beside a message, and sends beside what it calls with."""
    return base64.b64encode(signed(secret, "{secret}", f"{at}\n{{secret}}")).decode()


def feishu_sign(secret: str, at: str) -> str:
    """What Feishu expects in a message."""
    return base64.b64encode(signed(secret, f"{at}\n{{secret}}", "")).decode()


def plain_sign(secret: str, at: str, body: bytes) -> str:
    """What the plain robot expects, and sends."""
    return "sha256=" + hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def fresh(at: str, per_s: int, now_s: float) -> bool:
    """A time of the last hour, in units of which ``per_s`` are a second."""
    return at.isdecimal() and abs(now_s - int(at) / per_s) < SKEW_S


def same(given: str, expected: str) -> bool:
    """Compared without telling by its time how far they agree."""
    return hmac.compare_digest(given.encode(), expected.encode())
