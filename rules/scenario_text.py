"""Scenario files (``*.scenario.yaml``) to checked scenarios. Every mistake is named with its line and column."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from rules.duration import LONGEST_S, seconds, words
from rules.errors import RuleErrors
from rules.feed_text import ALLOWED, Step, steps
from rules.grade import Grade
from rules.issue_text import read_issues
from rules.nodes import Node, Notes, is_mapping, is_sequence
from rules.reading import Reading
from rules.scenario import Arrival, Expected, Never, Scenario, Site

SUFFIX = ".scenario.yaml"
_GRADES = tuple(g.word for g in Grade)
_TOLD = ("duty-room", "no_data", "data_back", "suspect", "clock", "late", "ask")
_NOW = "now"
_ASPECTS = ("because", "no_data", "onset", "told", "values")
_SITE = ("type", "like", "every", "columns")
_LISTS = ("members", "areas", "counters")
_DEGREES = ("lat", "lon")
_ID = r"[\w-]{1,64}(?:\.[\w-]{1,64})*"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_scenarios(file: str, text: str) -> tuple[Scenario, ...]:
    """The tests of one file. RuleErrors carries every mistake found."""
    notes = Notes(file)
    root = notes.compose(text)
    found: list[Scenario] = []
    if root is not None:
        top = notes.fields(root, "a scenario file", ("tests",))
        for node in notes.items(top["tests"], "tests") if "tests" in top else []:
            scenario = _Reader(notes, node).read()
            if scenario and any(s.name == scenario.name for s in found):
                notes.wrong(node, f"test {scenario.name!r} is given twice")
            elif scenario:
                found.append(scenario)
    if notes.errors:
        raise RuleErrors(tuple(sorted(set(notes.errors))))
    return tuple(found)


class _Reader:
    """One scenario under reading."""

    def __init__(self, notes: Notes, node: Node) -> None:
        self.notes = notes
        self.node = node
        self.before = len(notes.errors)
        self.fields = notes.fields(node, "a test", ("name", "rule", "step", "start", "feed", "expect"), ("stations", "forecasts"))
        self.places: set[str] = set()

    def read(self) -> Scenario | None:
        """The scenario, or None when there is a mistake in it."""
        notes, fields = self.notes, self.fields
        if len(notes.errors) > self.before:
            return None
        self.step = timedelta(seconds=notes.span(fields["step"], "step"))
        self.begin = self._start() - self.step
        sites = self._sites()
        arrivals = self._feed()
        self.places.update(s.id for s in sites)
        begin_s = round(self.begin.timestamp())
        issues = read_issues(notes, fields["forecasts"], begin_s) if "forecasts" in fields else ()
        self.places.update(i.forecast.place for i in issues)
        expected: list[Expected] = []
        never: list[Never] = []
        for node in notes.items(fields["expect"], "expect"):
            self._expectation(node, expected, never)
        if not expected and not never:
            notes.wrong(fields["expect"], "a test must expect something: {at: 2h15m, PLACE: blue} or {never: orange}")
        mark = self.node.start_mark
        name, rule = notes.text(fields["name"], "name"), notes.name(fields["rule"], "rule")
        if len(notes.errors) > self.before:
            return None
        return Scenario(
            name=name, rule=rule, begin=self.begin, step=self.step, sites=sites, arrivals=arrivals, issues=issues,
            expected=tuple(expected), never=tuple(never), file=notes.file, line=mark.line + 1, column=mark.column + 1,
        )  # fmt: skip

    def _start(self) -> datetime:
        return self._moment(self.fields["start"], "start") or _EPOCH

    def _moment(self, node: Node, what: str) -> datetime | None:
        text = self.notes.text(node, what, "a time")
        try:
            found = datetime.fromisoformat(text)
            if found.tzinfo is not None:
                return found
        except ValueError:
            pass
        self.notes.wrong(node, f"{what} {text!r:.40} is not a time with an offset; allowed: such as 2024-07-01T00:05+08:00")
        return None

    def _sites(self) -> tuple[Site, ...]:
        node = self.fields.get("stations")
        if node is None:
            return ()
        return tuple(self._site(name, value) for name, key, value in self.notes.pairs(node, "stations") if self._is_id(name, key))

    def _site(self, name: str, node: Node) -> Site:
        notes = self.notes
        found = notes.fields(node, "a station", (), (*_SITE, "catchment", *_DEGREES, *_LISTS))
        details: dict[str, object] = {
            key: tuple(notes.text(n, key) for n in notes.items(found[key], key)) for key in _LISTS if key in found
        }
        details |= {key: notes.number(found[key], key) for key in _DEGREES if key in found}
        if "catchment" in found:
            details["catchment"] = notes.text(found["catchment"], "catchment")
        pairs = notes.pairs(found["columns"], "columns") if "columns" in found else []
        return Site(
            id=name, type=notes.name(found["type"], "type", r"[a-z][a-z0-9_-]{0,63}") if "type" in found else "",
            like=notes.text(found["like"], "like") if "like" in found else "",
            every_s=notes.span(found["every"], "every") if "every" in found else 0,
            columns={key: notes.number(value, key) for key, _, value in pairs}, details=details,
        )  # fmt: skip

    def _is_id(self, name: str, node: Node) -> bool:
        fits = re.fullmatch(_ID, name) is not None
        if not fits:
            self.notes.wrong(node, f"{name!r:.60} cannot be a station; allowed: letters, digits, _ - .")
        return fits

    def _feed(self) -> tuple[Arrival, ...]:
        arrivals: list[Arrival] = []
        for name, key, value in self.notes.pairs(self.fields["feed"], "feed"):
            station, dot, variable = name.rpartition(".")
            if not dot or not re.fullmatch(_ID, station) or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", variable):
                self.notes.wrong(key, f"{name!r:.60} is no series; allowed: STATION.variable, such as S1.rain")
                continue
            self.places.add(station)
            try:
                sent = steps(self.notes.text(value, name, ALLOWED))
            except ValueError as e:
                self.notes.wrong(value, f"{name}: {e}")
                continue
            arrivals += self._arrivals(station, variable, sent)
        # Stable: what arrives at the same moment arrives in the order of the file.
        return tuple(sorted(arrivals, key=lambda a: a.at_s))

    def _arrivals(self, station: str, variable: str, sent: tuple[Step, ...]) -> list[Arrival]:
        begin_s, step_s = round(self.begin.timestamp()), round(self.step.total_seconds())
        found = []
        for n, step in enumerate(sent, start=1):
            at_s = begin_s + n * step_s
            for s in step:
                reading = Reading(station, variable, s.value, at_s + s.ahead_s, s.quality)
                found += [Arrival(at_s=at_s + s.late_s, reading=reading)] * s.copies
        return found

    def _expectation(self, node: Node, expected: list[Expected], never: list[Never]) -> None:
        notes = self.notes
        pairs = {name: (key, value) for name, key, value in notes.pairs(node, "an expectation")}
        mark = node.start_mark
        if "never" in pairs:
            found = notes.fields(node, "an expectation with 'never'", ("never",), ("place",))
            grade = Grade.from_word(notes.choice(found["never"], "never", _GRADES[1:]))
            place = self._place(notes.text(found["place"], "place"), found["place"]) if "place" in found else ""
            never.append(Never(grade=grade, place=place, line=mark.line + 1, column=mark.column + 1))
            return
        if "at" not in pairs:
            notes.wrong(node, "an expectation needs 'at' or 'never', such as {at: 2h15m, S1: blue} or {never: orange}")
            return
        after = self._after(pairs.pop("at")[1])
        general = {name: pairs.pop(name)[1] for name in _ASPECTS if name in pairs}
        if not pairs:
            notes.wrong(node, f"the expectation names no place; allowed: {self._known()}")
        for name, (key, value) in pairs.items():
            self._place(name, key)
            expected.append(self._expected(name, value, general, after, (mark.line + 1, mark.column + 1)))

    def _expected(self, place: str, node: Node, general: Mapping[str, Node], after: timedelta, at: tuple[int, int]) -> Expected:
        notes = self.notes
        if is_mapping(node):
            found = {**general, **notes.fields(node, f"what is expected of {place}", (), ("grade", *_ASPECTS))}
        else:
            found = {**general, "grade": node}
        return Expected(
            after=after, place=place, line=at[0], column=at[1],
            grade=Grade.from_word(notes.choice(found["grade"], f"the grade of {place}", _GRADES)) if "grade" in found else None,
            because=self._because(found["because"]) if "because" in found else (),
            no_data=self._yes(found["no_data"]) if "no_data" in found else None,
            onset=self._onset(found["onset"]) if "onset" in found else "",
            told=notes.choice(found["told"], "told", _TOLD) if "told" in found else "",
            values={n: notes.number(v, n) for n, _, v in notes.pairs(found["values"], "values")} if "values" in found else {},
        )  # fmt: skip

    def _because(self, node: Node) -> tuple[str, ...]:
        if is_sequence(node):
            return tuple(self.notes.text(n, "because") for n in self.notes.items(node, "because"))
        return (self.notes.text(node, "because"),)

    def _onset(self, node: Node) -> str:
        return _NOW if node.value == _NOW else written(self._after(node))

    def _yes(self, node: Node) -> bool:
        if node.value not in ("true", "false"):
            self.notes.wrong(node, "no_data must be true or false")
        return bool(node.value == "true")

    def _place(self, name: str, node: Node) -> str:
        if name not in self.places:
            self.notes.wrong(node, f"unknown key {name!r:.60}; allowed: at, never, {', '.join(_ASPECTS)} or a place ({self._known()})")
        return name

    def _known(self) -> str:
        return ", ".join(sorted(self.places)) or "none"

    def _after(self, node: Node) -> timedelta:
        text = self.notes.text(node, "at", "a duration or a time")
        if "T" in text:
            found = self._moment(node, "at")
            return found - self.begin if found else timedelta(0)
        try:
            return timedelta(seconds=_spans(text))
        except ValueError as e:
            self.notes.wrong(node, f"at: {e}; or a time with an offset")
            return timedelta(0)


def _spans(text: str) -> int:
    return 0 if text in ("0", "0s", "0m", "0h") else seconds(text)


def written(after: timedelta) -> str:
    """A time of a scenario as people write it, such as ``2h15m``."""
    total_s = int(after.total_seconds())
    days, rest_s = divmod(total_s, LONGEST_S)
    return words(rest_s) if not days else str(after)
