"""The files of one installation: the sample county with everything switched on, the deployment, and how the people of the town behave.

Red over flash floods needs two officers. Blue is under review, nobody looks at it, and silence releases it.
"""

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dispatcher.accounts import Role
from tests.integration.installation import COUNTY, SECRETS, SENDER

OUTLET = "board"
#: The number of the gateway that cannot call us and is asked instead.
POLLED, POLLED_SENDER = "polled", "+447700900998"
#: How the engine's readings are called at Mosquitto.
SESSION = "engine-readings"
COUNTRY = "+44"
SIGNED = {"ROBOT_SECRET": "secret-of-the-robot", "ROBOT_CALLBACK_SECRET": "secret-of-the-callback"}
TWO_OFFICERS, SILENCE = ("flash-flood", "red"), ("flash-flood", "blue")
#: What is under review waits so long of the recording before officers are called, or before silence releases it.
CALLED_AFTER, SILENT_FOR = "3m", "2m"
#: Notices hold for weeks: on a slow machine hours of the recording pass while an engine starts.
HOLDS = "600h"
#: The exercise of five villages that is played while the storm in earnest comes up the valley, and ends with it at the latest.
EXERCISED = tuple(f"99012110120{n}" for n in range(1, 6))
DRILL: dict[str, Any] = {"title": "before the storm", "areas": EXERCISED, "minutes": 30, "speakers": True, "speed": 10}
DRILL |= {"storm": "before-the-season.scenario.yaml:cloudburst upstream"}
#: Who has a token.
PEOPLE = {
    "sensors": Role.FORECASTER,
    "officer": Role.DUTY_OFFICER,
    "first": Role.RELEASING_OFFICER,
    "second": Role.RELEASING_OFFICER,
}
AT_ONCE = ["village.party_secretary", "village.head", "village.warden"]
#: Everybody answers sooner than in the demonstration, so that a run is short.
DELAYS = {"prompt": [10, 60], "slow": [60, 300], "evacuating": [20, 90], "evacuated": [60, 240], "undelivered": [5, 15]}
DELAYS |= {"speaker_start": [1, 4], "speaker_play": [5, 15]}
#: Who answers what is said in the chat, and at which speakers somebody presses which key: every so many of them.
CHATS_EVERY, PRESSES_EVERY = 3, 3
KEYS = "1239"


def county(folder: Path) -> Path:
    """The sample county. Whom a red or orange notice calls at once is telephoned as well, and wardens are mentioned in their chat."""
    shutil.copytree(COUNTY, folder)
    for file in (folder / "policies").glob("*.yaml"):
        found = yaml.safe_load(file.read_text("utf-8"))
        for policy in found["policies"]:
            for grade, plan in policy["grades"].items():
                _switch_on(policy["id"], grade, plan)
        file.write_text(yaml.safe_dump(found, allow_unicode=True), "utf-8")
    for file in (folder / "templates").glob("*-flood.*.yaml"):
        text = re.sub(r"^    sms: (.*)$", r"    sms: \1\n    chat: \1", file.read_text("utf-8"), flags=re.MULTILINE)
        file.write_text(text, "utf-8")
    contacts = folder / "contacts.csv"
    with contacts.open(encoding="utf-8", newline="") as lines:
        listed = list(csv.DictReader(lines))
    for person in listed:
        if person["channels"] == "sms":
            person["channels"] = "sms voice chat" if person["role"] == "village.warden" else "sms voice"
    with contacts.open("w", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, list(listed[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(listed)
    return folder


def _switch_on(hazard: str, grade: str, plan: dict[str, Any]) -> None:
    plan["valid_for"] = HOLDS
    for step in plan["steps"]:
        if step["to"] == AT_ONCE and step["after"] == "0m":
            step["by"] = [["voice", "sms", "chat"]]
    if (hazard, grade) == TWO_OFFICERS:
        rule: dict[str, Any] = {"by": "releasing_officer", "within": CALLED_AFTER, "page": {"to": ["county.leader_on_duty"]}}
        plan["release"] = {"observed": {"two_person": rule}}
    elif (hazard, grade) == SILENCE:
        plan["release"] = {"observed": {"review": {"within": SILENT_FOR, "then": "release"}}}


def people(folder: Path) -> dict[str, tuple[str, str]]:
    """Contact → number and name."""
    return {row["id"]: (row["phone"], row["name"]) for row in _rows(folder / "contacts.csv")}


def participants(folder: Path) -> frozenset[str]:
    """The numbers of all who take part in the exercise, and the speakers of their villages."""
    there = [row["phone"] for row in _rows(folder / "contacts.csv") if row["area"] in EXERCISED]
    return frozenset(there) | {row["id"] for row in _rows(folder / "speakers.csv") if row["village"] in EXERCISED}


def habits(folder: Path) -> dict[str, Any]:
    """What the town is told of its people: when they answer, and which keys are pressed at speakers."""
    speakers = [row["id"] for row in _rows(folder / "speakers.csv")][::PRESSES_EVERY]
    return {"delays": DELAYS, "terminals": {speaker: KEYS[n % len(KEYS)] for n, speaker in enumerate(speakers)}}


def chatting(folder: Path) -> list[str]:
    """Who answers in the chat, as he is mentioned there."""
    wardens = [row["phone"] for row in _rows(folder / "contacts.csv") if "chat" in row["channels"]]
    return [phone.removeprefix(COUNTRY) for phone in wardens[::CHATS_EVERY]]


def channels(folder: Path, *, town: str, mqtt_port: int) -> dict[str, Any]:
    """Three gateways for texts, one of which is asked; the telephone, the speakers, and a robot in a chat group."""
    sms = {"adapter": "sms", "sender": SENDER, "base_url": town, "timeout_s": 2, "connect_timeout_s": 1}
    chat = {"adapter": "chat", "kind": "dingtalk", "groups": [{"url_env": "ROBOT_URL", "secret_env": "ROBOT_SECRET"}], "country": COUNTRY}
    answered = {"callback_secret_env": "ROBOT_CALLBACK_SECRET", "members": {m: COUNTRY + m for m in chatting(folder)}}
    return {
        "sms": sms,
        "second": sms | {"serves": "sms"},
        POLLED: sms | {"serves": "sms", "sender": POLLED_SENDER, "receipts": "poll", "poll_s": 1},
        "voice": sms | {"adapter": "voice"},
        "chat": chat | answered | {"timeout_s": 2, "connect_timeout_s": 1},
        "loudspeaker": {"adapter": "loudspeaker", "port": mqtt_port, "report_within_s": 3, "timeout_s": 2},
    }


def topics(name: str) -> tuple[str, str, str, str]:
    """The topics of a storm: of readings, of what is published of warnings and of exercises, and of rejects."""
    return f"readings.{name}", f"changes.{name}", f"exercises.{name}", f"rejects.{name}"


def sources_and_outlets(mqtt_port: int, bootstrap: str, name: str) -> dict[str, Any]:
    """Readings come by both brokers; what happens is published."""
    readings, changes, exercises, rejects = topics(name)
    mqtt = {"adapter": "mqtt", "client_id": SESSION, "port": mqtt_port, "keepalive_s": 5, "timeout_s": 3}
    kafka = {"adapter": "kafka", "bootstrap": [bootstrap], "readings": [readings], "group": readings, "probe_s": 1}
    board = {"adapter": "kafka", "bootstrap": [bootstrap], "changes": changes, "exercises": exercises, "rejects": rejects, "timeout_s": 2}
    return {"sources": {"mqtt": mqtt, "kafka": kafka}, "outlets": {OUTLET: board}}


def environment(robots: str) -> dict[str, str]:
    """What the engine finds in its environment: accounts, secrets, and the address of the robot, which is one."""
    return SECRETS | SIGNED | {"ROBOT_URL": f"{robots}/robot/send?access_token=token-of-the-robot"}


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
