"""The command line of the town."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from simulators import faults, recording_time, speakers

T = TypeVar("T")

EPILOG = """\
The account and its token come from the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, or the names given),
the broker's password from TOWN_MQTT_PASSWORD. When ready it prints one JSON line with the addresses.
Started again with the same ledger it goes on where it was.

examples:
  python -m simulators.town --registry config/sample --ledger var/town.jsonl
  python -m simulators.town --registry config/sample --ledger var/town.jsonl --port 8443 --mqtt 127.0.0.1:1883 \\
      --inbound-url http://127.0.0.1:8080/hooks/sms/inbound --habits habits.yaml --seed 7
  python -m simulators.town --registry config/sample --ledger var/town.jsonl \\
      --clock-start 2026-07-20T08:00:00+08:00 --clock-epoch 1784505600 --clock-speed 60
  python -m simulators.town --registry config/sample --ledger var/town.jsonl --swallow 12 --fault lose-answer=0.05
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything the town is told at its start."""

    registry: Path
    ledger: Path
    host: str
    port: int
    broker: speakers.Broker | None
    inbound_url: str
    uncalled: tuple[str, ...]
    habits: Path | None
    seed: int
    account: str
    token: str
    rate: float
    swallow: int
    fault: tuple[tuple[faults.Fault, float], ...]
    patience_s: float
    clock: recording_time.RecordingTime
    until_stdin_closes: bool = False


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str] = os.environ) -> Options:
    """Read the command line; exits with 2 and a sentence when it is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    secrets = {name: environment.get(name, "") for name in (given.account_sid_env, given.auth_token_env)}
    unset = [name for name, value in secrets.items() if not value]
    if unset:
        parser.error(f"set {' and '.join(unset)} in the environment")
    return Options(
        registry=given.registry,
        ledger=given.ledger,
        host=given.host,
        port=given.port,
        broker=_broker(given, environment),
        inbound_url=given.inbound_url,
        uncalled=tuple(given.uncalled),
        habits=given.habits,
        seed=given.seed,
        account=secrets[given.account_sid_env],
        token=secrets[given.auth_token_env],
        rate=given.rate,
        swallow=given.swallow,
        fault=tuple(given.fault),
        patience_s=given.callback_patience,
        clock=clock_of(parser, given),
        until_stdin_closes=given.until_stdin_closes,
    )


def _broker(given: argparse.Namespace, environment: Mapping[str, str]) -> speakers.Broker | None:
    if given.mqtt is None:
        return None
    host, port = given.mqtt
    password = environment.get("TOWN_MQTT_PASSWORD") if given.mqtt_user else None
    return speakers.Broker(host=host, port=port, username=given.mqtt_user, password=password)


def add_clock(parser: argparse.ArgumentParser) -> None:
    """The options of a recording's time."""
    add = parser.add_argument
    add("--clock-start", type=_said(datetime.fromisoformat), metavar="ISO", help="recording time at the epoch, with time zone")
    add("--clock-epoch", type=float, metavar="SECONDS", help="wall time (seconds since 1970) of the recording's start")
    add("--clock-speed", type=float, default=1.0, metavar="N", help="recording seconds per real second (default 1)")


def clock_of(parser: argparse.ArgumentParser, given: argparse.Namespace) -> recording_time.RecordingTime:
    """What ``add_clock`` was given; exits with a sentence when it does not fit together."""
    if given.clock_start is None:
        if given.clock_epoch is not None or given.clock_speed != 1:
            parser.error("--clock-epoch and --clock-speed need --clock-start")
        return recording_time.RecordingTime()
    if given.clock_epoch is None:
        parser.error("--clock-start needs --clock-epoch, the wall time in seconds at which the recording starts")
    try:
        return recording_time.RecordingTime(start=given.clock_start, epoch_s=given.clock_epoch, speed=given.clock_speed)
    except ValueError as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.town",
        description="The world outside the engine: a phone network, speakers and villagers, and a ledger of what they received.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--registry", type=Path, required=True, metavar="DIR", help="contacts.csv, speakers.csv and villages.csv")
    add("--ledger", type=Path, required=True, metavar="FILE", help="JSON lines, appended to and read at start")
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=int, default=0, help="port of the phone network's HTTP API; 0 takes a free one (default)")
    add("--mqtt", type=_address, metavar="HOST:PORT", help="broker of the speakers; without it no speakers play")
    add("--mqtt-user", metavar="NAME", help="user name at the broker")
    add("--inbound-url", default="", metavar="URL", help="where villagers' replies are posted")
    add("--uncalled", action="append", default=[], metavar="NUMBER", help="replies to this number of ours are only listed; may be repeated")
    add("--habits", type=Path, metavar="FILE", help="YAML with shares, delays and single habits")
    add("--seed", type=int, default=1, help="fixes every habit and delay (default %(default)s)")
    add("--account-sid-env", default="TWILIO_ACCOUNT_SID", metavar="NAME", help="variable with the account (default %(default)s)")
    add("--auth-token-env", default="TWILIO_AUTH_TOKEN", metavar="NAME", help="variable with its token (default %(default)s)")
    add("--until-stdin-closes", action="store_true", help="stop when standard input ends, as it does when the program that started us dies")
    _add_troubles(parser)
    add_clock(parser)
    return parser


def _add_troubles(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("troubles")
    group.add_argument("--rate", type=float, default=0.0, metavar="N", help="messages per real second before 429; 0 is no limit (default)")
    group.add_argument("--swallow", type=int, default=0, metavar="N", help="answer 201 to the N-th message and forget it")
    group.add_argument(
        "--fault",
        type=_said(faults.parse),
        action="append",
        default=[],
        metavar="NAME=P",
        help=f"{', '.join(faults.Fault)}; may be repeated",
    )
    group.add_argument(
        "--callback-patience",
        type=float,
        default=600.0,
        metavar="S",
        help="real seconds a call is repeated before it is given up (default 600)",
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _said(read: Callable[[str], T]) -> Callable[[str], T]:
    """A reader of text whose own words are shown when it refuses."""

    def shown(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return shown
