"""Who may do what: users with passwords, API tokens, and the five roles."""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from dispatcher.ports import Row, Store
from dispatcher.timestamps import to_ms

MIN_PASSWORD = 10
_COST_LOG2 = 14
_BLOCK = 8
_LANES = 1
_MEMORY = 64 * 1024 * 1024
_TOKEN_BYTES = 32


class Role(IntEnum):
    """What a person or program may do; a higher role may do all that a lower one may."""

    VIEWER = 1
    FORECASTER = 2
    DUTY_OFFICER = 3
    RELEASING_OFFICER = 4
    ADMINISTRATOR = 5

    @property
    def word(self) -> str:
        """The lower-case word used in the store, the API and on the command line."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> "Role":
        """The role of a word such as ``duty_officer``; ValueError names what is allowed."""
        try:
            return cls[word.upper().replace("-", "_")]
        except KeyError:
            allowed = ", ".join(r.word for r in cls)
            raise ValueError(f"unknown role {word!r}; allowed: {allowed}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking. ``stamp`` changes with the password, so that a new password ends old sessions."""

    name: str
    role: Role
    stamp: str = ""

    def may(self, role: Role) -> bool:
        """Whether this role is held or exceeded."""
        return self.role >= role


async def add_user(store: Store, name: str, role: Role, password: str, now: datetime) -> None:
    """Make a user, or give an existing one this role and password. ValueError when name or password will not do."""
    if not name.strip() or name != name.strip():
        raise ValueError(f"a user needs a name without spaces around it, not {name!r}")
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"the password of {name!r} has {len(password)} characters; at least {MIN_PASSWORD} are needed")
    hashed = await asyncio.to_thread(hash_password, password)
    async with store.write() as transaction:
        await transaction.run("accounts.add_user", {"name": name, "role": role.word, "password": hashed, "created_at": to_ms(now)})


async def check_password(store: Store, name: str, password: str) -> Principal | None:
    """The user with this password, or None. Takes as long for an unknown name as for a wrong password."""
    row = await _user(store, name)
    stored = row["password"] if row else _NOBODY
    matches = await asyncio.to_thread(password_matches, password, stored)
    return _principal(row) if row is not None and matches else None


async def principal_of_user(store: Store, name: str, stamp: str) -> Principal | None:
    """The user a session was made for, or None when disabled since or given another password."""
    row = await _user(store, name)
    found = _principal(row) if row is not None else None
    return found if found is not None and hmac.compare_digest(found.stamp, stamp) else None


async def add_token(store: Store, name: str, role: Role, now: datetime) -> str:
    """Make an API token; what is returned is shown once, the store keeps its SHA-256 only."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = {"digest": _digest(token), "name": name, "role": role.word, "created_at": to_ms(now)}
    async with store.write() as transaction:
        await transaction.run("accounts.add_token", row)
    return token


async def principal_of_token(store: Store, token: str) -> Principal | None:
    """Whom a token stands for, or None when unknown or revoked."""
    async with store.read() as reader:
        rows = await reader.fetch("accounts.token", {"digest": _digest(token)})
    return Principal(name=rows[0]["name"], role=Role.from_word(rows[0]["role"])) if rows else None


def hash_password(password: str) -> str:
    """A salted scrypt hash, with its costs in front so that they can be raised later."""
    salt = secrets.token_bytes(16)
    derived = _scrypt(password, salt, _COST_LOG2, _BLOCK, _LANES)
    return f"scrypt${_COST_LOG2}${_BLOCK}${_LANES}${salt.hex()}${derived.hex()}"


def password_matches(password: str, hashed: str) -> bool:
    """Whether the password made this hash; compared in constant time."""
    _, cost, block, lanes, salt, expected = hashed.split("$")
    derived = _scrypt(password, bytes.fromhex(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(derived, bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes, cost_log2: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << cost_log2, r=block, p=lanes, maxmem=_MEMORY, dklen=32)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _principal(row: Row) -> Principal:
    return Principal(name=row["name"], role=Role.from_word(row["role"]), stamp=_digest(row["password"])[:16])


async def _user(store: Store, name: str) -> Row | None:
    async with store.read() as reader:
        rows = await reader.fetch("accounts.user", {"name": name})
    return rows[0] if rows and rows[0]["disabled_at"] is None else None


# What an unknown name is checked against: the hash of nothing anybody can type.
_NOBODY = f"scrypt${_COST_LOG2}${_BLOCK}${_LANES}${'00' * 16}${'00' * 32}"
