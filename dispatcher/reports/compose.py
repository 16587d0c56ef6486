"""A gathered warning as a sheet: what happened, why each grade was reached, who was told and who answered. Decisions only."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from dispatcher.house import House
from dispatcher.model.answer import Said
from dispatcher.policy.model import Action
from dispatcher.ports import Row, Status
from dispatcher.reports.account import Account, NoticeAccount, account
from dispatcher.reports.gather import Gathered
from dispatcher.reports.sheet import Section, Sheet, Table
from dispatcher.reports.words import WORDS, Words
from dispatcher.rulework.panels import panels_of
from dispatcher.rulework.seen import picture_of
from dispatcher.rulework.svg import Picture
from dispatcher.timestamps import from_ms
from rules.grade import Grade
from rules.plan import Plan

_MOST_PLOTS = 6
_MARK = "演练 EXERCISE"


def compose(house: House, plan: Plan, found: Gathered, language: str) -> Sheet:
    """The report of a warning in one language. Numbers of telephones stand nowhere in it."""
    w, told = found.warning, Told(house, language)
    says = WORDS[language]
    concerned = _changes_by_village(house, found.changes)
    result = account(found.notices, found.plans, found.deliveries, found.answers, found.delivered, concerned)
    title = says["title"].format(area=told.name(w.area), hazard=told.hazard(w.hazard))
    return Sheet(
        title=title,
        subtitle=f"{w.id}: {told.full(w.opened_at)} – {told.full(found.until) if w.closed_at else says['in_force']}",
        mark="" if w.status is Status.ACTUAL else _MARK,
        language=language,
        sections=(
            Section(title=says["summary"], lines=tuple(_summary(told, result))),
            Section(title=says["why"], plots=tuple(_plots(told, plan, found))),
            *_consultation(told, found),
            Section(title=says["time_line"], table=_time_line(told, found)),
            Section(title=says["villages"], table=villages_table(told, result)),
            Section(title=says["failures"], lines=tuple(_failures(told, result)), table=_tasks(told, found)),
            Section(title=says["channels"], table=_channels(told, result)),
        ),
        facts=facts(found, result),
    )


def facts(found: Gathered, result: Account) -> dict[str, object]:
    """The same for programs: times in RFC 3339 (UTC), durations in seconds."""
    w = found.warning
    head = {"warning": w.id, "hazard": w.hazard, "area": w.area, "status": w.status.value}
    return head | {
        "opened_at": w.opened_at,
        "closed_at": w.closed_at,
        "totals": asdict(result.totals),
        "notices": [asdict(n) | {"grade": n.grade.word, "answered_at": n.answered_at, "within": n.within} for n in result.notices],
        "channels": [asdict(c) for c in result.channels],
        "consultation": [{k: r[k] for k in ("proposal", "kind", "person", "text")} | {"at": from_ms(r["at"])} for r in found.consultation],
        "dead": [{"channel": c, "person": p} for c, p in result.dead],
        "speakers_failed": list(result.speakers_failed),
    }


def csv_table(house: House, found: Gathered, language: str) -> Table:
    """One row per notice, for a spreadsheet."""
    told = Told(house, language)
    result = account(
        found.notices, found.plans, found.deliveries, found.answers, found.delivered, _changes_by_village(house, found.changes)
    )
    return villages_table(told, result)


class Told:
    """Names and times as this reader has them."""

    def __init__(self, house: House, language: str) -> None:
        """A reader of this language."""
        self.registry, self.language = house.registry, language
        self.words: Words = WORDS[language]
        self._hazards = house.templates.words[language].hazards if language in house.templates.words else {}

    def name(self, code: str) -> str:
        """The name of an area or place."""
        return self.registry.name_of(code, self.language)

    def person(self, contact: str) -> str:
        """The name of a contact."""
        known = self.registry.contacts.get(contact)
        if known is None:
            return contact
        return known.name if self.language == "zh" or not known.name_en else known.name_en

    def hazard(self, code: str) -> str:
        """The word for a hazard."""
        return self._hazards.get(code, code)

    def grade(self, grade: Grade) -> str:
        """The word for a grade."""
        return self.words[f"grade.{grade.word}"]

    def full(self, at: datetime) -> str:
        """A whole local time."""
        return at.astimezone(self.registry.county.timezone).strftime("%Y-%m-%d %H:%M:%S")

    def clock(self, at: datetime | None) -> str:
        """A local time without its year; empty for none."""
        return "" if at is None else at.astimezone(self.registry.county.timezone).strftime("%m-%d %H:%M:%S")

    def since(self, at: datetime | None, start: datetime) -> str:
        """A time of day with the minutes it took."""
        if at is None:
            return "—"
        minutes = (at - start) / timedelta(minutes=1)
        return f"{at.astimezone(self.registry.county.timezone):%H:%M:%S} (+{minutes:.1f})"


def _changes_by_village(house: House, changes: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    by_village: dict[str, list[Row]] = defaultdict(list)
    for row in changes:
        for link in house.registry.villages_of_station(row["place"]):
            by_village[link.village].append(row)
    return by_village


def _summary(told: Told, result: Account) -> Iterator[str]:
    t, says = result.totals, told.words
    yield says["s.villages"].format(villages=t.villages, notices=len(result.notices))
    if t.asked:
        yield says["s.answered"].format(answered=t.answered, asked=t.asked, share=round(100 * t.answered / t.asked), in_time=t.in_time)
    if t.median_s is not None and t.slowest_s is not None:
        yield says["s.waits"].format(median=round(t.median_s / 60, 1), slowest=round(t.slowest_s / 60, 1))
    yield says["s.people"].format(people=t.people, evacuated=t.evacuated)
    if t.listed:
        yield says["s.listed"].format(moved=t.listed - t.not_moved, listed=t.listed, open=t.not_moved)


def _plots(told: Told, plan: Plan, found: Gathered) -> Iterator[Picture]:
    """The places that rose highest, each with its inputs and thresholds."""
    highest: dict[str, int] = {}
    for row in found.changes:
        highest[row["place"]] = max(row["after"], highest.get(row["place"], 0))
    begin = min([found.warning.opened_at, *(s[0][0] for s in found.samples.values() if s)])
    window = (begin, max(found.until, begin + timedelta(minutes=10)))
    for place in sorted(highest, key=lambda p: (-highest[p], p))[:_MOST_PLOTS]:
        line = tuple((from_ms(r["at"]), Grade(r["after"])) for r in found.changes if r["place"] == place)
        yield Picture(
            title=told.name(place),
            begin=window[0],
            end=window[1],
            event=None,
            bands=((told.words["grade"], line),),
            panels=tuple(panels_of(plan, place, found.samples.get(place, ()), window)),
            zone=told.registry.county.timezone,
        )


def _consultation(told: Told, found: Gathered) -> Iterator[Section]:
    """What was said before release, who took part, and the plots that were looked at, as they were seen."""
    if found.consultation:
        says = told.words
        rows = tuple((told.clock(from_ms(r["at"])), says[f"k.{r['kind']}"], f"{r['person']}: {r['text']}") for r in found.consultation)
        zone = told.registry.county.timezone
        yield Section(
            title=says["consultation"],
            table=Table(columns=(says["c.time"], says["c.kind"], says["c.what"]), rows=rows),
            plots=tuple(picture_of(r["picture"], zone) for r in found.consultation if r["picture"])[:_MOST_PLOTS],
        )


def _time_line(told: Told, found: Gathered) -> Table:
    entries: list[tuple[datetime, str, str]] = []
    says = told.words
    for row in found.changes:
        text = row["reason_zh"] if told.language == "zh" else row["reason_en"]
        entries.append((from_ms(row["decided_at"]), says["k.change"], text))
    for alert in found.alerts:
        text = says["k.alert_of"].format(kind=says[f"msg.{alert.message_type.value}"], villages=len(alert.places), by=alert.released_by)
        entries.append((alert.sent_at, says["k.alert"], text))
    for answer in found.answers:
        people = says["people"].format(n=answer.people) if answer.people is not None else ""
        who = told.person(answer.person) or answer.on_behalf_by
        note = answer.note if answer.action in (Said.HELP, Said.REFUSED) else ""
        text = f"{told.name(answer.village)} {who}: {says[f'said.{answer.action.value}']} {people} {note}"
        entries.append((answer.at, says["k.answer"], " ".join(text.split())))
    rows = tuple((told.clock(at), kind, text) for at, kind, text in sorted(entries))
    return Table(columns=(says["c.time"], says["c.kind"], says["c.what"]), rows=rows)


def villages_table(told: Told, result: Account) -> Table:
    """One row per notice: the way from reading to evacuated."""
    says = told.words
    keys = ("village", "notice", "grade", "reading", "released", "accepted", "delivered", "answered", "by", "evacuating", "evacuated",
            "people", "in_time")  # fmt: skip
    return Table(columns=tuple(says[f"c.{k}"] for k in keys), rows=tuple(_village(told, n) for n in result.notices))


def _village(told: Told, n: NoticeAccount) -> tuple[str, ...]:
    says = told.words
    in_time = "" if not n.asked else says["yes"] if n.within else says["no"]
    return (
        told.name(n.village),
        str(n.revision),
        told.grade(n.grade),
        told.clock(n.reading_at),
        told.clock(n.released_at),
        told.since(n.accepted_at, n.released_at),
        told.since(n.delivered_at, n.released_at),
        told.since(n.answered_at, n.released_at) if n.asked else says["not_asked"],
        told.person(n.answered_by),
        told.since(n.actions.get(Action.EVACUATING), n.released_at) if n.asked else "",
        told.since(n.actions.get(Action.EVACUATED), n.released_at) if n.asked else "",
        _counted(n),
        in_time,
    )


def _counted(n: NoticeAccount) -> str:
    """People moved, of those on the lists."""
    moved = "" if n.people is None else str(n.people)
    return f"{moved or '—'} / {n.listed}" if n.listed else moved


def _failures(told: Told, result: Account) -> Iterator[str]:
    says = told.words
    for channel, person in result.dead:
        yield says["f.dead"].format(person=told.person(person), channel=says.get(f"channel.{channel}", channel))
    for speaker in result.speakers_failed:
        yield says["f.speaker"].format(speaker=speaker)
    silent = [n for n in result.notices if n.asked and n.answered_at is None]
    for n in silent:
        yield says["f.silent"].format(village=told.name(n.village), revision=n.revision)
    short = [n for n in result.notices if n.people is not None and n.people < n.listed]
    for n in short:
        yield says["f.short"].format(village=told.name(n.village), moved=n.people, listed=n.listed, open=n.listed - (n.people or 0))
    if not result.dead and not result.speakers_failed and not silent and not short:
        yield says["f.none"]


def _tasks(told: Told, found: Gathered) -> Table:
    says = told.words
    rows = tuple(
        (
            told.clock(from_ms(r["opened_at"])),
            r["text_zh"] if told.language == "zh" else r["text_en"],
            told.clock(from_ms(r["closed_at"])) if r["closed_at"] is not None else "—",
            r["closed_by"],
        )
        for r in found.tasks
    )
    return Table(columns=(says["c.time"], says["c.task"], says["c.closed"], says["c.by"]), rows=rows)


def _channels(told: Told, result: Account) -> Table:
    says = told.words
    rows = tuple(
        (says.get(f"channel.{c.channel}", c.channel), str(c.planned), str(c.delivered), str(c.failed), str(c.possible_duplicates))
        for c in result.channels
    )
    return Table(columns=(says["c.channel"], says["c.planned"], says["c.delivered"], says["c.failed"], says["c.twice"]), rows=rows)
