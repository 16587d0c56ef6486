"""Rule files to a checked RuleSet. What the language does not know is refused with its place, never ignored."""

import posixpath
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from rules.change import Mode
from rules.errors import RuleError, RuleErrors
from rules.input_text import input_names, read_inputs
from rules.ladder_text import read_ladder, read_lower, read_raise, read_scale
from rules.leaning import check_forecasts
from rules.model import GRADES, Columns, NoData, OverrideRow, Rule, RuleSet, Silence
from rules.nodes import Node, Notes, is_sequence
from rules.quality_text import read_quality
from rules.season import Season, hour, joined, season
from rules.tables import Table, columns, overrides

_REQUIRED = ("rule", "version", "hazard", "for_each", "inputs", "ladder", "lower", "no_data")
_OPTIONAL = ("title", "issued_by", "mode", "season", "day", "columns", "override", "scale", "raise", "quality")
_WORD = r"[a-z][a-z0-9_-]{0,63}"
_DAY_S = 8 * 3600
"""The hydrologists' day begins at 08:00 local time (SL 651)."""


def parse_rules(sources: Mapping[str, str]) -> RuleSet:
    """All rules in the YAML files of ``sources`` (file name → text), with the CSV tables they name, relative to the rule file.

    RuleErrors carries every mistake found.
    """
    rules: list[Rule] = []
    errors: list[RuleError] = []
    for file in sorted(sources):
        if file.endswith((".yaml", ".yml")):
            _read_file(file, sources, rules, errors)
        elif not file.endswith(".csv"):
            errors.append(RuleError(file, 1, 1, "neither a rule file nor a table; allowed: .yaml, .yml, .csv"))
    if not errors and not rules:
        errors.append(RuleError(min(sources, default="rules"), 1, 1, "there is no rule; at least one is needed"))
    if errors:
        raise RuleErrors(tuple(sorted(set(errors))))
    text = "\n".join(sorted(f"{r.name} {r.digest}" for r in rules))
    return RuleSet(rules=tuple(rules), digest=f"sha256:{sha256(text.encode()).hexdigest()}")


def _read_file(file: str, sources: Mapping[str, str], rules: list[Rule], errors: list[RuleError]) -> None:
    notes = Notes(file)
    root = notes.compose(sources[file])
    if root is not None:
        top = notes.fields(root, "a rule file", ("rules",), ("grades",))
        if "grades" in top:
            words = [notes.text(n, "a grade") for n in notes.items(top["grades"], "grades")]
            if words != [g.word for g in GRADES]:
                notes.wrong(top["grades"], f"grades must be [{', '.join(g.word for g in GRADES)}], low to high")
        for node in notes.items(top["rules"], "rules") if "rules" in top else []:
            rule = _RuleText(notes, sources, node).read()
            if rule and any(r.name == rule.name for r in rules):
                notes.wrong(node, f"rule {rule.name!r} is given twice")
            elif rule:
                rules.append(rule)
    errors.extend(notes.errors)


class _RuleText:
    """One rule under reading."""

    def __init__(self, notes: Notes, sources: Mapping[str, str], node: Node) -> None:
        self.notes = notes
        self.sources = sources
        self.node = node
        self.before = len(notes.errors)
        self.used = [sources[notes.file][node.start_mark.index : node.end_mark.index]]
        self.fields = notes.fields(node, "a rule", _REQUIRED, _OPTIONAL)

    def read(self) -> Rule | None:
        """The rule, or None when there is a mistake in it."""
        notes, fields = self.notes, self.fields
        if any(name not in fields for name in _REQUIRED):
            return None
        no_data = self._no_data()
        for_each = notes.name(fields["for_each"], "for_each", _WORD)
        table = self._columns(input_names(notes, fields["inputs"]), for_each)
        known = table.names if table else ()
        inputs = read_inputs(notes, fields["inputs"], no_data.after_s, known)
        names = tuple(i.name for i in inputs)
        tables, rows = read_ladder(notes, fields["ladder"], names, known)
        lower = read_lower(notes, fields["lower"], names, known)
        scale = read_scale(notes, fields.get("scale"), names, known)
        over = self._override(tuple(t.input for t in tables), for_each)
        looked_at = [i for i in inputs if i.observed and i.variable]
        quality = read_quality(
            notes, fields.get("quality"), tuple(dict.fromkeys(i.variable for i in looked_at if not i.near)),
            tuple(dict.fromkeys(i.variable for i in looked_at)),
        )  # fmt: skip
        mark = fields["for_each"].start_mark
        rule = Rule(
            **self._words(), for_each=for_each, season=self._season(), day_s=self._day(), inputs=inputs, tables=tables, rows=rows,
            overrides=over, columns=table, scale=scale, patience=read_raise(notes, fields.get("raise")), lower=lower, no_data=no_data,
            quality=quality, file=notes.file, line=mark.line + 1, column=mark.column + 1, digest=self._digest(),
        )  # fmt: skip
        if len(notes.errors) == self.before:
            check_forecasts(notes, rule, fields)
        return None if len(notes.errors) > self.before else rule

    def _words(self) -> dict[str, Any]:
        notes, fields = self.notes, self.fields
        name = notes.name(fields["rule"], "rule")
        return {
            "name": name,
            "version": notes.whole(fields["version"], "version", 1),
            "title": notes.text(fields["title"], "title") if "title" in fields else name,
            "hazard": notes.name(fields["hazard"], "hazard"),
            "issued_by": notes.choice(fields["issued_by"], "issued_by", ("county", "township")) if "issued_by" in fields else "county",
            "mode": Mode(notes.choice(fields["mode"], "mode", tuple(Mode))) if "mode" in fields else Mode.LIVE,
        }

    def _digest(self) -> str:
        return "sha256:" + sha256("\0".join(self.used).encode()).hexdigest()

    def _no_data(self) -> NoData:
        found = self.notes.fields(self.fields["no_data"], "no_data", ("after", "grade"), ("tell",))
        if "tell" in found:
            self.notes.choice(found["tell"], "tell", ("duty-room",))
        after_s = self.notes.span(found["after"], "after") if "after" in found else 1
        grade = self.notes.choice(found["grade"], "grade of no_data", tuple(Silence)) if "grade" in found else Silence.HOLD
        return NoData(after_s=after_s, grade=Silence(grade))

    def _season(self) -> Season | None:
        node = self.fields.get("season")
        if node is None:
            return None
        found = []
        for one in self.notes.items(node, "season") if is_sequence(node) else [node]:
            try:
                found.append(season(self.notes.text(one, "season")))
            except ValueError as e:
                self.notes.wrong(one, str(e))
        return joined(found)

    def _day(self) -> int:
        node = self.fields.get("day")
        try:
            return hour(self.notes.text(node, "day")) if node is not None else _DAY_S
        except ValueError as e:
            if node is not None:
                self.notes.wrong(node, str(e))
            return _DAY_S

    def _table(self, key: str) -> Table | None:
        node = self.fields.get(key)
        if node is None:
            return None
        path = self.notes.text(node, key, "the path of a CSV file")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(self.notes.file), path))
        if file not in self.sources or not file.endswith(".csv"):
            there = ", ".join(f for f in sorted(self.sources) if f.endswith(".csv")) or "none"
            self.notes.wrong(node, f"there is no table {file!r:.120}; tables there are: {there}")
            return None
        self.used.append(self.sources[file])
        return Table(file, self.sources[file])

    def _columns(self, inputs: tuple[str, ...], for_each: str) -> Columns | None:
        table = self._table("columns")
        if table is None:
            return None
        found = columns(table, (*inputs, "none", *(g.word for g in GRADES)), ("station", "place", for_each))
        self.notes.errors.extend(table.errors)
        return found

    def _override(self, inputs: tuple[str, ...], for_each: str) -> tuple[OverrideRow, ...]:
        table = self._table("override")
        if table is None:
            return ()
        found = overrides(table, inputs, ("station", "place", for_each))
        self.notes.errors.extend(table.errors)
        return found
