"""A consultation carries the plots that were looked at, as they were seen, with who and when."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.accounts import Principal, Role
from dispatcher.errors import NotAllowed
from dispatcher.policy.release import DEFAULT, Origin, ReleaseRule, Way
from dispatcher.reports.compose import compose
from dispatcher.reports.gather import gather
from dispatcher.rulework.seen import as_json, digest_of, picture_of, plot_of
from dispatcher.rulework.svg import Panel, Picture, drawing
from dispatcher.testing.stores import FarSide
from dispatcher.views.proposal import load_proposal
from dispatcher.warnings.releasing import By, Choice, Releases
from rules.grade import Grade
from tests.dispatch.making import START, house, minutes, sample_policy
from tests.dispatch.running import Running, batch, rain, running

WANG = By(who=Principal(name="wang", role=Role.FORECASTER), origin="198.51.100.7")
LI = By(who=Principal(name="li", role=Role.RELEASING_OFFICER), origin="198.51.100.8")


def reviewed() -> ReleaseRule:
    return ReleaseRule(way=Way.REVIEW, within=minutes(60))


async def consulting(engine: Running) -> Releases:
    """Twelve millimetres of rain at G1, a proposal that waits, and officers who can look at plots."""
    for _ in range(4):
        engine.clock.advance(minutes(5))
        await engine.read(batch(rain(3.0, engine.clock.now())))
    zone = engine.house.registry.county.timezone

    def look(place: str, since: datetime, until: datetime) -> Picture:
        return plot_of(engine.pipeline.engine, place, f"站{place}", (since, until), zone)

    return Releases(engine.place, lambda: None, look=look)


@pytest.fixture
def kept() -> object:
    policy = sample_policy()
    rule = dict(DEFAULT) | {Origin.OBSERVED: reviewed()}
    return house(policy=replace(policy, grades={g: replace(p, release=rule) for g, p in policy.grades.items()}))


async def test_a_plot_is_kept_as_it_was_seen_with_who_when_and_what(place: FarSide, kept: object) -> None:
    async with running(place, kept) as engine:  # type: ignore[arg-type]  # a house
        releases = await consulting(engine)
        digest = await releases.look_at("p1", "G1", 2, WANG)
        await engine.read(batch(rain(9.0, engine.clock.now() + minutes(1))))  # it goes on raining
        async with engine.store.read() as reader:
            view = await load_proposal(reader, engine.house, "p1", engine.clock.now())
        assert view is not None
        (line,) = view.consultation
        assert (line["person"], line["kind"], line["plot"]) == ("wang", "looked_at", digest)
        (panel,) = view.plots[digest].panels
        assert panel.points[-1][1] == 12.0
        assert [(value, grade) for value, grade in panel.limits] == [(4, Grade.BLUE), (6, Grade.YELLOW), (8, Grade.ORANGE), (10, Grade.RED)]
        assert drawing(view.plots[digest]).startswith("<svg")
        act = [row for row in await engine.rows("desk.audit", after=0, limit=99) if row["act"] == "consult"][-1]
        detail = json.loads(act["detail"])
        assert (act["actor"], detail["place"], detail["plot"]) == ("wang", "G1", digest)


async def test_the_report_of_the_warning_shows_what_was_looked_at(place: FarSide, kept: object) -> None:
    async with running(place, kept) as engine:  # type: ignore[arg-type]  # a house
        releases = await consulting(engine)
        await releases.look_at("p1", "G1", 2, WANG)
        await releases.consult("p1", "said", "上游还在下", WANG)
        async with engine.store.read() as reader:
            view = await load_proposal(reader, engine.house, "p1", engine.clock.now())
        assert view is not None
        await releases.approve("p1", Choice(hash=view.proposal.hash), LI)
        warning = (await engine.notices())[0].warning
        async with engine.store.read() as reader:
            found = await gather(reader, engine.house.registry, warning, engine.clock.now())
        assert found is not None
        sheet = compose(engine.house, engine.pipeline.engine.plan, found, "en")
        section = next(s for s in sheet.sections if s.title == "Consultation")
        assert section.table is not None
        assert [row[2] for row in section.table.rows] == ["wang: 站G1 (2 h)", "wang: 上游还在下"]
        assert len(section.plots) == 1


async def test_what_cannot_be_looked_at_is_refused_with_a_reason(place: FarSide, kept: object) -> None:
    async with running(place, kept) as engine:  # type: ignore[arg-type]  # a house
        releases = await consulting(engine)
        for args, says in ((("p1", "nowhere", 2), "no rule looks at"), (("p1", "G1", 48), "24 hours"), (("p9", "G1", 2), "no proposal")):
            with pytest.raises(NotAllowed, match=says):
                await releases.look_at(*args, WANG)
        with pytest.raises(NotAllowed, match="does not decide"):
            await engine.releases.look_at("p1", "G1", 2, WANG)
        assert await engine.rows("proposals.consultations", proposal="p1") == []


points = st.lists(st.tuples(st.integers(0, 100), st.floats(-1e6, 1e6)), max_size=9)
limits = st.lists(st.tuples(st.floats(-1e6, 1e6), st.sampled_from(Grade)), max_size=4)
panels = st.builds(
    lambda title, at, held: Panel(title=title, points=tuple((START + minutes(n), v) for n, v in at), limits=tuple(held)),
    st.text(max_size=8), points, limits,
)  # fmt: skip


@given(st.lists(panels, max_size=3))
def test_a_plot_that_was_kept_is_the_plot_again_and_each_has_its_own_name(found: list[Panel]) -> None:
    picture = Picture(title="站", begin=START, end=START + timedelta(hours=2), event=None, bands=(), panels=tuple(found), zone=UTC)
    text = as_json(picture)
    assert picture_of(text, UTC) == picture
    assert digest_of(as_json(replace(picture, end=datetime(2030, 1, 1, tzinfo=UTC)))) != digest_of(text)
