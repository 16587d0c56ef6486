"""``dispatcher rules backtest`` and ``diff``: versions of rules held against history and against each other."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from dispatcher.application import catalogue_of
from dispatcher.cli.running import WRONG, WRONG_USAGE, fail, say_problems
from dispatcher.errors import ConfigurationError
from dispatcher.files.duration import parse_duration
from dispatcher.registry.load import load_registry
from dispatcher.registry.model import Registry
from dispatcher.rulework.backtest import Result, concerned, results, run, version
from dispatcher.rulework.events import Events, read_events
from dispatcher.rulework.history import History, read_history
from dispatcher.rulework.pictures import draw_events
from rules.apart import Apart, apart
from rules.skill import Score

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
County = Annotated[Path, typer.Option("--registry", help="Directory of the county.")]
Recording = Annotated[Path, typer.Option("--history", help="Recorded readings: CSV or JSON lines.")]
_TIMES = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]
Since = Annotated[datetime | None, typer.Option("--from", help="Begin here; without offset local to the county.", formats=_TIMES)]
Until = Annotated[datetime | None, typer.Option("--to", help="End here.", formats=_TIMES)]


def backtest(  # noqa: PLR0913 - the options of the command line
    *,
    registry: County,
    history: Recording,
    events: Annotated[Path, typer.Option(help="What happened: CSV with place, from, to, grade; optional hazard, name.")],
    rules: Annotated[list[Path] | None, typer.Option(help="A version of the rules; repeat to compare. Default <registry>/rules.")] = None,
    since: Since = None,
    until: Until = None,
    before: Annotated[str, typer.Option(help="How long before an event a warning still counts as about it.")] = "24h",
    plot: Annotated[Path | None, typer.Option(help="Write one SVG per event into this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hits, misses, false alarms and lead time of rules per grade, against events that are known.

    Example: dispatcher rules backtest --registry config/sample --history config/sample/storm.csv --events events.csv
    """
    ahead = _ahead(before)
    try:
        county = load_registry(registry)
        known = read_events(events, county)
        past = _past(registry, county, history, since, until)
        versions = [version(path, county) for path in rules or [registry / "rules"]]
        changed = {v.name: run(v, past) for v in versions}
        found = [r for v in versions for r in results(v.name, changed[v.name], known, past, ahead)]
        asked = [(group, e) for group in known for e in group.events if concerned(e, past, ahead)]
        drawn = draw_events(plot, county, past, asked, [(v.plan, changed[v.name], v.name) for v in versions]) if plot else []
    except ConfigurationError as error:
        _refused(error)
    if as_json:
        shown = {"from": past.begin.isoformat(), "to": past.end.isoformat(), "unused_readings": len(past.unusable)}
        plots = {"plots": [str(p) for p in drawn]} if plot else {}
        typer.echo(json.dumps({**shown, "results": [_record(r) for r in found], **plots}, ensure_ascii=False))
        return
    _say(found, known, past, county)
    for path in drawn:
        typer.echo(f"drawn: {path}")


def diff(
    old: Annotated[Path, typer.Argument(help="Rules as they are.")],
    new: Annotated[Path, typer.Argument(help="Rules as they would be.")],
    *,
    registry: County,
    history: Recording,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """What a new version of the rules would have decided differently.

    Example: dispatcher rules diff config/sample/rules new/rules --registry config/sample --history config/sample/storm.csv
    """
    try:
        county = load_registry(registry)
        past = _past(registry, county, history, since, until)
        versions = [version(path, county) for path in (old, new)]
        found = apart(*(run(v, past) for v in versions))
    except ConfigurationError as error:
        _refused(error)
    if as_json:
        typer.echo(json.dumps({"old": str(old), "new": str(new), "differences": [_apart(a) for a in found]}, ensure_ascii=False))
        return
    for a in found:
        zone = county.county.timezone
        end = f"{a.end.astimezone(zone):%m-%d %H:%M}" if a.end else "the end"
        rows = f"{a.begin.astimezone(zone):%Y-%m-%d %H:%M} – {end:<11}  {a.rule:<24} {a.old.word:>6} → {a.new.word:<6}"
        typer.echo(f"{rows}  {county.name_of(a.place, 'zh')} {county.name_of(a.place, 'en')} ({a.place})")
    typer.echo(_sum(found))


def _sum(found: Sequence[Apart]) -> str:
    if not found:
        return "no difference"
    up = sum(a.new > a.old for a in found)
    places = len({a.place for a in found})
    return f"{len(found)} differences at {places} places: {up} times higher, {len(found) - up} times lower"


def _ahead(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        fail(f"--before: {error}", WRONG_USAGE)


def _refused(error: ConfigurationError) -> NoReturn:
    say_problems(error)
    raise typer.Exit(WRONG) from error


def _past(directory: Path, county: Registry, file: Path, since: datetime | None, until: datetime | None) -> History:
    zone = county.county.timezone
    bounds = [at if at is None or at.tzinfo else at.replace(tzinfo=zone) for at in (since, until)]
    return read_history(directory, file, catalogue_of(county), bounds[0], bounds[1])


def _say(found: Sequence[Result], known: Sequence[Events], past: History, county: Registry) -> None:
    zone = county.county.timezone
    typer.echo(f"{past.begin.astimezone(zone):%Y-%m-%d %H:%M} – {past.end.astimezone(zone):%Y-%m-%d %H:%M}")
    head = f"{'grade':<7}{'version':<34}{'events':>7}{'hits':>6}{'late':>6}{'misses':>8}{'false':>7}{'POD':>7}{'FAR':>7}{'CSI':>7}  lead"
    for events in known:
        same = [r for r in found if (r.kind, r.hazard) == (events.kind.value, events.hazard)]
        typer.secho(f"\nby {events.kind.value}{', ' if events.hazard else ''}{events.hazard}", bold=True)
        typer.echo(head)
        for n in range(4):
            for r in same:
                typer.echo(_line(r.version, r.scores[n]))
        for unit in sorted({u for r in same for u in r.units}):
            typer.echo(f"\n{county.name_of(unit, 'zh')} {county.name_of(unit, 'en')} ({unit})")
            for n in range(4):
                for r in same:
                    if unit in r.units and (r.units[unit][n].outcomes or r.units[unit][n].false_alarms):
                        typer.echo(_line(r.version, r.units[unit][n]))


def _line(name: str, s: Score) -> str:
    shares = "".join(f"{'–' if x is None else format(x, '.2f'):>7}" for x in (s.detection, s.false_ratio, s.success))
    counts = f"{len(s.outcomes):>7}{s.hits:>6}{s.late:>6}{s.misses:>8}{len(s.false_alarms):>7}"
    lead = "–" if s.median_lead is None else f"{_hours(s.median_lead)} ({_hours(s.leads[0])} … {_hours(s.leads[-1])})"
    return f"{s.grade.word:<7}{name[-33:]:<34}{counts}{shares}  {lead}"


def _hours(length: timedelta) -> str:
    total = round(length.total_seconds() / 60)
    return f"{'-' if total < 0 else ''}{abs(total) // 60}h{abs(total) % 60:02d}m"


def _record(r: Result) -> dict[str, Any]:
    units = {unit: [_score(s) for s in scores] for unit, scores in r.units.items()}
    return {"version": r.version, "kind": r.kind, "hazard": r.hazard, "scores": [_score(s) for s in r.scores], "units": units}


def _score(s: Score) -> dict[str, Any]:
    counts = {"events": len(s.outcomes), "hits": s.hits, "late": s.late, "misses": s.misses, "false_alarms": len(s.false_alarms)}
    leads = [round(lead.total_seconds()) for lead in s.leads]
    shares = {"pod": s.detection, "far": s.false_ratio, "csi": s.success}
    outcomes = [
        {
            "place": o.event.unit,
            "name": o.event.name,
            "from": o.event.begin.isoformat(),
            "raised_at": o.raised_at.isoformat() if o.raised_at else None,
            "lead_s": round(o.lead.total_seconds()) if o.lead is not None else None,
        }
        for o in s.outcomes
    ]
    return {"grade": s.grade.word, **counts, **shares, "leads_s": leads, "outcomes": outcomes}


def _apart(a: Apart) -> dict[str, Any]:
    times = {"from": a.begin.isoformat(), "to": a.end.isoformat() if a.end else None}
    return {"place": a.place, "rule": a.rule, **times, "old": a.old.word, "new": a.new.word}
