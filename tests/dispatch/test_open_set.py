"""Over any life: who is open, who is called on, and why. The model beside the engine knows the policy and what was done, no more."""

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.errors import TransientFailure
from dispatcher.model.answer import Answer, Said
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.policy.model import Action, Step
from dispatcher.ports import DeliveryState, Heard, Receipt
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import CONTACTS, EAST, V1, V2, V3, WEST, change, minutes, sample_policy
from tests.dispatch.running import Running, running

Places = Callable[[], FarSide]
PHONES = sorted({c.phone for c in CONTACTS if c.role.startswith("village.")})
WORDS = ("收到", "1", "2", "正在转移", "已转移35人", "拒绝转移", "求助，水进屋了", "今天天气不好")
ORDER = (Action.RECEIVED, Action.EVACUATING, Action.EVACUATED)
#: Who asks for help has heard; who refuses is called on.
IMPLIES = {Said.RECEIVED: 0, Said.HELP: 0, Said.EVACUATING: 1, Said.EVACUATED: 2}
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("rule"), st.sampled_from(["G1", "G3"]), st.sampled_from(list(Grade))),
        st.tuples(st.just("reply"), st.sampled_from(PHONES), st.sampled_from(WORDS)),
        st.tuples(st.just("fails"), st.sampled_from(PHONES), st.sampled_from(["30005", "30003"])),
        st.tuples(st.just("away"), st.sampled_from(PHONES), st.just("")),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 12)),
    ),
    min_size=4,
    max_size=14,
)
BEGIN = ("rule", "G1", Grade.RED)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
async def test_no_village_leaves_the_open_set_without_evidence_and_steps_are_taken_for_those_alone_who_have_not_answered(
    acts: list[tuple[str, str, object]], places: Places
) -> None:
    async with running(places()) as engine:
        told: dict[str, Grade] = {}
        for n, act in enumerate([BEGIN, *acts, ("wait", "", 12)]):
            await do(engine, act, told, n)
            notices, answers, deliveries = await engine.notices(), await engine.answers(), await engine.deliveries()
            for village in (V1, V2, V3):
                own = [one for one in notices if one.village == village]
                if own and own[-1].purpose is Purpose.WARN:
                    last = own[-1]
                    holds(
                        last,
                        [a for a in answers if a.notice == last.id],
                        [d for d in deliveries if d.notice == last.id],
                        engine.clock.now(),
                    )


async def do(engine: Running, act: tuple[str, str, object], told: dict[str, Grade], n: int) -> None:
    kind, where, what = act
    if kind == "rule":
        assert isinstance(what, Grade)
        grade = what
        if grade is not told.get(where, Grade.NONE):
            await engine.change(change(grade, where, before=told.get(where, Grade.NONE), at=engine.clock.now(), step=n))
            told[where] = grade
        await engine.later(timedelta(seconds=11))  # past the time in which changes are gathered
    elif kind == "reply":
        await engine.reply(where, str(what))
        await engine.send()
    elif kind == "fails":
        out = [d for d in await engine.deliveries(where) if d.state is DeliveryState.ACCEPTED and not d.carried_by]
        receipts = tuple(Receipt(delivery=d.id, state=DeliveryState.UNDELIVERED, code=str(what)) for d in out)
        await engine.desk.take(Heard(receipts=receipts))
        await engine.send()
    elif kind == "away":
        engine.sms.troubles[where] = [TransientFailure("503", "the gateway is away")]
    else:
        await engine.later(minutes(int(str(what))))


def holds(notice: Notice, answers: list[Answer], deliveries: list[Delivery], now: datetime) -> None:
    """What must be true of a village's newest warning, by its answers and the policy."""
    plan = sample_policy().grades[notice.grade]
    reached = [min((a.at for a in answers if IMPLIES.get(a.action, -1) >= rank), default=None) for rank in range(len(ORDER))]
    wanted = [reached[ORDER.index(action)] for action in plan.actions]
    given = f"{notice.id} is {notice.state} with {[a.action for a in answers]}"
    assert (notice.state is NoticeState.CALLING) == (wanted[0] is None), given
    assert notice.state is not NoticeState.DONE or None not in wanted, given
    assert notice.state in {NoticeState.CALLING, NoticeState.ANSWERED, NoticeState.ACTING, NoticeState.DONE}
    for number, step in enumerate(plan.steps):
        start = timedelta(0) if step.action is Action.RECEIVED else plan.deadlines[step.action]
        due, answered = notice.released_at + start + step.after, reached[ORDER.index(step.action)]
        taken = [d for d in deliveries if d.step == number and not d.repeat]
        missing = expected(step, notice.village) - {d.address for d in taken}
        if due <= now and (answered is None or answered > due):
            assert not missing, f"{notice.id}: step {number} was due at {due}, nobody had answered, and {missing} were not called"
        if answered is not None and answered < due:
            assert not [d for d in taken if d.planned_at >= answered], f"{notice.id}: step {number} was taken although it was answered for"


def expected(step: Step, village: str) -> set[str]:
    """The phones of those whom a step names for a village."""
    areas = {village, EAST if village in (V1, V2) else WEST, village[:6] + "000000"}
    return {c.phone for c in CONTACTS if c.role in step.to and c.area in areas}
