"""An installation that nothing outside can reach: answers and reports are fetched, and a kill neither loses nor doubles one."""

import time
from collections import Counter
from collections.abc import Callable

from tests.integration.installation import OVER_THE_BANK_M, Installation
from tests.integration.programs import Programs, ledger, rows
from tests.integration.test_mqtt_to_sms import publish
from tests.services.mosquitto import Mosquitto

QUICK = {"prompt": [0.5, 3], "slow": [1, 4], "evacuating": [0.5, 2], "evacuated": [1, 4]}
BY_TEXT = {"prompt": 0.8, "slow": 0.2}
KILLS = 3


def test_answers_are_fetched_once_each_although_the_engine_is_killed_in_between(
    programs: Programs, mosquitto_with: Callable[..., Mosquitto]
) -> None:
    sources = {"mqtt": {"adapter": "mqtt", "port": mosquitto_with().port}}
    polled = {"receipts": "poll", "poll_s": 1}
    installed = Installation(programs, sources=sources, sms=polled, habits={"delays": QUICK, "shares": BY_TEXT})
    installed.start_town()
    engine = installed.start()
    publish(installed, OVER_THE_BANK_M)
    for answered in range(1, KILLS + 1):
        engine.until(lambda: len(answers(installed)) >= answered, "an answer")  # noqa: B023 - called before it changes
        engine.kill()
        time.sleep(1)  # people go on writing
        engine = installed.start()

    engine.until(lambda: said(installed) and answers(installed) == said(installed), "each text of a villager as one answer")
    engine.until(lambda: not rows(installed.database, AWAITED), "a report on every text")
    kinds = {entry["kind"] for entry in ledger(installed.ledger)}
    assert not kinds & {"callback.sent", "callback.gave_up"}
    assert answers(installed) == said(installed)


AWAITED = "SELECT id FROM deliveries WHERE channel = 'sms' AND state IN ('accepted', 'sent') AND person <> ''"


def said(installed: Installation) -> Counter[str]:
    """What villagers wrote, in the town's own ledger."""
    return Counter(entry["body"] for entry in ledger(installed.ledger) if entry["kind"] == "sms.reply")


def answers(installed: Installation) -> Counter[str]:
    """What the engine recorded: the text of each answer is its note."""
    return Counter(row["note"] for row in rows(installed.database, "SELECT note FROM answers"))
