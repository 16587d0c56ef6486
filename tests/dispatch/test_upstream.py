"""CAP messages of other authorities: which of our villages they concern, in which grade, until when; and their chain."""

import asyncio
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

import pytest

from dispatcher.accounts import Principal, Role
from dispatcher.intake.codecs.cap import decode_cap
from dispatcher.intake.http_intake import HttpIntake
from dispatcher.model.cap import CapAlert
from dispatcher.model.notice import Purpose
from dispatcher.model.task import TaskKind
from dispatcher.ports import Batch, Item, Kind, Status
from dispatcher.testing.stores import FarSide
from dispatcher.warnings.releasing import By, Choice
from dispatcher.warnings.upstream import Chain, Outcome, Understood, root_of, understand_alert
from rules.grade import Grade
from tests.dispatch.making import COUNTY, EAST, HAZARD, START, V1, V2, V3, house, minutes
from tests.dispatch.running import Running, running

SENDER = "qxj@province.example"
LI = By(who=Principal(name="li", role=Role.RELEASING_OFFICER))
EAST_PREFIX = EAST[:9]


def geocodes(*codes: str) -> str:
    return "".join(f"<geocode><valueName>CN:STATS12</valueName><value>{c}</value></geocode>" for c in codes)


def info(
    area: str = geocodes(EAST), *, severity: str = "Severe", language: str = "zh-CN", event: str = "山洪橙色预警", level: str = "",
    expires: datetime | None = None, response: str = "Prepare", code: str = "11A06", headline: str = "省气象台发布山洪灾害预警",
) -> str:  # fmt: skip
    until = (expires or START + timedelta(hours=3)).isoformat()
    coded = f"<eventCode><valueName>GB/T35561</valueName><value>{code}</value></eventCode>" if code else ""
    colour = f"<parameter><valueName>CN:WarningLevel</valueName><value>{level}</value></parameter>" if level else ""
    return (
        f"<info><language>{language}</language><category>Met</category><event>{escape(event)}</event><responseType>{response}</responseType>"
        f"<urgency>Immediate</urgency><severity>{severity}</severity><certainty>Likely</certainty>{coded}<expires>{until}</expires>"
        f"<senderName>省气象台</senderName><headline>{headline}</headline>{colour}<area><areaDesc>x</areaDesc>{area}</area></info>"
    )


def cap(
    *infos: str, identifier: str = "m1", sent: datetime = START, status: str = "Actual", kind: str = "Alert", scope: str = "Public",
    references: str = "", sender: str = SENDER,
) -> bytes:  # fmt: skip
    after = {"Public": "", "Restricted": "<restriction>x</restriction>", "Private": "<addresses>x</addresses>"}[scope]
    refs = f"<references>{references}</references>" if references else ""
    return (
        f'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier><sender>{sender}</sender>'
        f"<sent>{sent.isoformat()}</sent><status>{status}</status><msgType>{kind}</msgType><scope>{scope}</scope>{after}{refs}"
        f"{''.join(infos)}</alert>"
    ).encode()


def to(identifier: str, sent: datetime = START) -> str:
    return f"{SENDER},{identifier},{sent.isoformat()}"


def alert(body: bytes) -> CapAlert:
    decoded = decode_cap(Item(body, "test"))
    assert decoded.rejects == []
    return decoded.alerts[0]


def understood(body: bytes, chain: Chain | None = None, now: datetime = START, status: Status = Status.ACTUAL) -> Understood:
    return understand_alert(alert(body), chain or Chain(root="m1", newest=None, held={}), house(status=status), now)


def grades(found: Understood) -> dict[str, Grade]:
    return {s.village: s.grade for s in found.sayings}


@pytest.mark.parametrize(
    ("area", "villages"),
    [
        pytest.param(geocodes(EAST), {V1, V2}, id="a township"),
        pytest.param(geocodes(COUNTY[:6]), {V1, V2, V3}, id="a county by six digits"),
        pytest.param(geocodes(V3, V1), {V1, V3}, id="villages"),
        pytest.param(geocodes("99"), {V1, V2, V3}, id="a province"),
        pytest.param("<polygon>25.9,110.9 25.9,111.1 26.1,111.1 26.1,110.9 25.9,110.9</polygon>", {V1, V2, V3}, id="a polygon around them"),
        pytest.param("<circle>26.0,111.1 20</circle>", {V1, V2, V3}, id="a circle that reaches them"),
        pytest.param("<circle>26.0,112.0 20</circle>" + geocodes("110000"), set(), id="elsewhere"),
    ],
)
def test_the_villages_are_those_in_the_union_of_codes_polygons_and_circles(area: str, villages: set[str]) -> None:
    found = understood(cap(info(area)))
    assert set(grades(found)) == villages
    assert found.outcome is (Outcome.HEARD if villages else Outcome.ELSEWHERE)


def test_one_message_may_hold_villages_in_different_grades() -> None:
    found = understood(cap(info(geocodes(V1), severity="Extreme"), info(geocodes(V2, V3), severity="Minor")))
    assert grades(found) == {V1: Grade.RED, V2: Grade.BLUE, V3: Grade.BLUE}


def test_the_colour_counts_before_the_severity_and_the_worse_of_two_blocks() -> None:
    assert set(grades(understood(cap(info(severity="Unknown", level="Yellow/III")))).values()) == {Grade.YELLOW}
    assert grades(understood(cap(info(geocodes(V1), severity="Minor"), info(geocodes(V1), severity="Severe"))))[V1] is Grade.ORANGE


def test_each_language_gives_its_own_words() -> None:
    (one, *_) = understood(cap(info(), info(language="en", headline="Flash flood warning"))).sayings
    assert ("山洪灾害预警" in one.reason_zh, one.reason_en.endswith("Flash flood warning")) == (True, True)


def test_a_message_ends_when_it_says_and_says_whose_it_is() -> None:
    (one, *_) = understood(cap(info())).sayings
    assert one.expires_at == START + timedelta(hours=3)
    assert one.contributor == f"cap:{SENDER},m1"
    assert one.reason_zh.startswith("省气象台：")


@pytest.mark.parametrize("status", ["Exercise", "System", "Test", "Draft"])
def test_what_is_not_actual_is_never_heard(status: str) -> None:
    assert understood(cap(info(), status=status)) == Understood(outcome=Outcome.NOT_ACTUAL)


def test_an_installation_that_only_drills_hears_exercises_and_nothing_else() -> None:
    assert understood(cap(info(), status="Exercise"), status=Status.EXERCISE).outcome is Outcome.HEARD
    assert understood(cap(info()), status=Status.EXERCISE).outcome is Outcome.NOT_ACTUAL


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        pytest.param(cap(info(), scope="Restricted"), Outcome.NOT_PUBLIC, id="not public"),
        pytest.param(cap(info(), sender="alerts@dispatch.example"), Outcome.OWN, id="our own, come back"),
        pytest.param(cap(info(), kind="Ack", references=to("x", START - minutes(1))), Outcome.NOTHING_SAID, id="a receipt"),
        pytest.param(cap(info(expires=START - minutes(1)), sent=START - minutes(9)), Outcome.EXPIRED, id="too old"),
        pytest.param(cap(info(code="12345", event="蝗灾")), Outcome.UNKNOWN_HAZARD, id="a hazard nobody has a plan for"),
        pytest.param(cap(info(severity="Unknown")), Outcome.UNKNOWN_GRADE, id="no grade"),
        pytest.param(cap(), Outcome.NOTHING_SAID, id="nothing in it"),
    ],
)
def test_what_cannot_count_has_a_name(body: bytes, outcome: Outcome) -> None:
    assert understood(body) == Understood(outcome=outcome)


def test_an_event_without_a_code_is_known_by_its_name() -> None:
    assert understood(cap(info(code="", event="某县山洪灾害红色预警"))).sayings[0].hazard == HAZARD


HELD = {(HAZARD, V1): EAST, (HAZARD, V2): EAST}


def test_an_update_lets_go_of_the_villages_it_names_no_more_and_a_cancel_of_all() -> None:
    chain = Chain(root="m1", newest=START, held=HELD)
    update = cap(info(geocodes(V1)), identifier="m2", kind="Update", sent=START + minutes(5), references=to("m1"))
    assert grades(understood(update, chain)) == {V1: Grade.ORANGE, V2: Grade.NONE}
    cancel = cap(identifier="m3", kind="Cancel", sent=START + minutes(9), references=to("m1"))
    assert grades(understood(cancel, chain)) == {V1: Grade.NONE, V2: Grade.NONE}
    over = cap(info(geocodes(V1, V2), response="AllClear"), identifier="m3", kind="Update", sent=START + minutes(9), references=to("m1"))
    assert grades(understood(over, chain)) == {V1: Grade.NONE, V2: Grade.NONE}


def test_an_update_that_is_not_understood_takes_nothing_back() -> None:
    chain = Chain(root="m1", newest=START, held=HELD)
    update = cap(info(geocodes(V1), severity="Unknown"), identifier="m2", kind="Update", sent=START + minutes(5), references=to("m1"))
    assert understood(update, chain) == Understood(outcome=Outcome.UNKNOWN_GRADE)


def test_an_older_message_that_comes_late_changes_nothing() -> None:
    chain = Chain(root="m1", newest=START + minutes(5), held=HELD)
    assert understood(cap(info(severity="Minor"), sent=START), chain).outcome is Outcome.OLDER


def test_a_chain_has_one_root_in_whatever_order_its_messages_come() -> None:
    update = alert(
        cap(info(), identifier="m3", kind="Update", sent=START + minutes(9), references=f"{to('m2', START + minutes(5))} {to('m1')}")
    )
    assert root_of(update, {}) == "m1"
    assert root_of(update, {(SENDER, "m2"): "m0"}) == "m0"
    assert root_of(alert(cap(info())), {}) == "m1"


# ---------------------------------------------------------------------------------------------- in a whole engine


def message(body: bytes) -> Batch:
    return Batch("tap", (Item(body, "alerts/test", Kind.ALERTS, "cap"),))


async def approve_all(engine: Running) -> None:
    for row in await engine.rows("proposals.waiting_all"):
        await engine.releases.approve(row["id"], Choice(hash=row["hash"]), LI)


async def test_an_upper_levels_warning_is_relayed_to_its_villages_updated_and_cancelled(engine: Running) -> None:
    await engine.read(message(cap(info(geocodes(V1, V2)))))
    assert await engine.notices() == []
    await approve_all(engine)
    assert {(n.village, n.grade) for n in await engine.notices()} == {(V1, Grade.ORANGE), (V2, Grade.ORANGE)}
    update = cap(info(geocodes(V1), severity="Extreme"), identifier="m2", kind="Update", sent=START + minutes(5), references=to("m1"))
    await engine.read(message(update))
    await approve_all(engine)
    assert ((await engine.notice(V1)).grade, (await engine.notice(V2)).purpose) == (Grade.RED, Purpose.LIFT)
    await engine.read(message(cap(identifier="m3", kind="Cancel", sent=START + minutes(9), references=to("m1"))))
    await approve_all(engine)
    assert (await engine.notice(V1)).purpose is Purpose.LIFT


async def test_a_message_that_comes_twice_is_heard_once_and_a_cancel_takes_back_what_only_waits(engine: Running) -> None:
    first = message(cap(info(geocodes(V1))))
    await engine.read(first)
    await engine.read(first)
    assert len(await engine.rows("proposals.waiting_all")) == 1
    await engine.read(message(cap(identifier="m2", kind="Cancel", sent=START + minutes(1), references=to("m1"))))
    assert await engine.rows("proposals.waiting_all") == []
    assert await engine.notices() == []
    assert [r["outcome"] for r in await engine.rows("upstream.listed", before=99, limit=9)] == ["cancelled", "heard"]


async def test_a_relayed_warning_ends_with_its_message(engine: Running) -> None:
    await engine.read(message(cap(info(geocodes(V1)))))
    await approve_all(engine)
    await engine.later(minutes(181))
    assert (await engine.notice(V1)).purpose is Purpose.LIFT


async def test_what_cannot_be_understood_is_a_task_and_a_broken_message_a_reject(engine: Running) -> None:
    await engine.read(
        message(cap(info(code="", event="蝗灾"))), message(b"<alert>"), message(cap(info(), status="Exercise", identifier="m9"))
    )
    assert [t.kind for t in await engine.tasks()] == [TaskKind.UPSTREAM]
    assert len(await engine.rows("rejects.listed", before=99, limit=9)) == 1
    assert await engine.rows("proposals.waiting_all") == []


async def test_messages_change_nothing_about_the_rules_after_a_restart(place: FarSide) -> None:
    async with running(place) as engine:
        await engine.read(message(cap(info(geocodes(V1)))))
    async with running(place, start=START + minutes(1)) as engine:
        recovered = await engine.pipeline.start()
        assert recovered.seq == 1
        assert len(await engine.rows("proposals.waiting_all")) == 1


async def test_a_message_by_http_is_answered_once_it_is_durable(engine: Running) -> None:
    intake = HttpIntake()
    run = asyncio.create_task(engine.pipeline.run())
    waiting = asyncio.create_task(intake.submit(cap(info(geocodes(V1))), Kind.ALERTS, "/api/v1/alerts"))
    async for one in intake.batches({}):
        await engine.pipeline.offer(intake, one)
        break
    decoded = await waiting
    assert [a.identifier for a in decoded.alerts] == ["m1"]
    assert len(await engine.rows("proposals.waiting_all")) == 1
    await engine.pipeline.stop()
    await run


async def test_a_source_of_readings_may_be_one_of_messages_by_its_format(engine: Running) -> None:
    await engine.read(Batch("tap", (Item(cap(info(geocodes(V1))), "cap/province", Kind.READINGS, "cap"),)))
    assert len(await engine.rows("proposals.waiting_all")) == 1
