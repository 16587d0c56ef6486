"""What a file holds, as the engine would read it; nothing is stored and nothing decided."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from dispatcher.application import load
from dispatcher.intake.codecs.cap import decode_cap
from dispatcher.intake.codecs.choose import CAP, Decoding
from dispatcher.intake.codecs.load import load_formats
from dispatcher.intake.decode import DEFAULT_LIMITS
from dispatcher.intake.units import VARIABLES
from dispatcher.model.cap import CapAlert
from dispatcher.model.reject import Reject
from dispatcher.ports import Item
from dispatcher.settings import Deployment
from rules.reading import Reading


def show_decoded(item: Item, deployment: Deployment, now: datetime, *, as_json: bool) -> bool:
    """Print what an item holds, rejects on standard error; true when nothing was refused. ConfigurationError from files."""
    if item.format == CAP:
        alerts = decode_cap(item)
        for alert in alerts.alerts:
            typer.echo(json.dumps(asdict(alert), ensure_ascii=False, default=datetime.isoformat) if as_json else _line(alert))
        return _show_rejects(alerts.rejects, as_json=as_json)
    codecs = load_formats(deployment)
    loaded = load(deployment)
    decoded = Decoding(loaded.catalogue, DEFAULT_LIMITS, codecs).decode(item, now)
    for reading in decoded.readings:
        record = _record(reading)
        typer.echo(json.dumps(record, ensure_ascii=False) if as_json else "  ".join(map(str, record.values())))
    return _show_rejects(decoded.rejects, as_json=as_json)


def _record(reading: Reading) -> dict[str, object]:
    return {
        "time": datetime.fromtimestamp(reading.at_s, UTC).isoformat(),
        "station": reading.station,
        "variable": reading.variable,
        "value": reading.value,
        "unit": VARIABLES[reading.variable].unit,
        "quality": reading.quality,
    }


def _line(alert: CapAlert) -> str:
    head = f"{alert.sent.isoformat()}  {alert.status}  {alert.msg_type}  {alert.sender}  {alert.identifier}"
    infos = [f"  {i.language}  {i.severity}  {i.event}: {', '.join(area.description for area in i.areas)}" for i in alert.infos]
    return "\n".join([head, *infos, *(f"  remark: {remark}" for remark in alert.remarks)])


def _show_rejects(rejects: Sequence[Reject], *, as_json: bool) -> bool:
    for reject in rejects:
        if as_json:
            record = {
                "refused": reject.code.value,
                "message": reject.message,
                "item": reject.index,
                "line": reject.line,
                "count": reject.count,
            }
            typer.echo(json.dumps(record, ensure_ascii=False))
        else:
            typer.secho(f"{reject.code.value}: {reject.message}", err=True, fg="red")
    return not rejects
