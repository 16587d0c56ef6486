"""Reports as PDF with ReportLab, without any file of fonts: Chinese is set in a font that every reader of PDF brings along."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from dispatcher.ports import Adapter, World
from dispatcher.reports.sheet import Section, Sheet, Table
from dispatcher.rulework.svg import COLOURS, Panel, Picture, span, ticks
from rules.grade import Grade
from rules.skill import spells

try:
    from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, TableStyle
    from reportlab.platypus.flowables import Spacer
except ImportError as error:  # the optional extra is not installed: said when somebody asks for it
    raise ImportError("the printer needs the extra 'pdf' (reportlab)") from error

_FONT: Final = "STSong-Light"
_INK, _DIM, _RULE = colors.HexColor("#16202b"), colors.HexColor("#5a6775"), colors.HexColor("#c5ccd3")
_PANEL, _LEFT, _RIGHT, _BAND, _PANELS_PER_PAGE = 90, 60, 50, 10, 2


class PdfSettings(BaseModel):
    """How the sheets look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paper: str = Field(default="A4", pattern="^A4$", description="Size of the paper.")


class PdfPrinter:
    """The ``Printer`` port."""

    def __init__(self) -> None:
        """Make the font known; it is not embedded."""
        if _FONT not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
        body = {"fontName": _FONT, "textColor": _INK, "wordWrap": "CJK"}
        self._text = ParagraphStyle("text", fontSize=9.5, leading=14, **body)
        self._cell = ParagraphStyle("cell", fontSize=7.5, leading=9.5, **body)
        self._head = ParagraphStyle("head", fontSize=7.5, leading=9.5, **(body | {"textColor": _DIM}))
        self._h1 = ParagraphStyle("h1", fontSize=18, leading=24, **body)
        self._h2 = ParagraphStyle("h2", fontSize=12.5, leading=20, spaceBefore=8, **body)

    def print(self, sheet: Sheet) -> bytes:
        """The document, in landscape: the table of villages is wide. The mark of a drill stands on every page."""
        out = io.BytesIO()
        size = landscape(A4)
        document = SimpleDocTemplate(
            out, pagesize=size, leftMargin=14 * mm, rightMargin=14 * mm, topMargin=16 * mm, bottomMargin=14 * mm, title=sheet.title
        )
        width = size[0] - 28 * mm
        story: list[Any] = [Paragraph(_escaped(sheet.title), self._h1), Paragraph(_escaped(sheet.subtitle), self._text)]
        for section in sheet.sections:
            story += self._section(section, width)

        def frame(canvas: Any, page: Any) -> None:  # noqa: ANN401 - ReportLab has no types
            canvas.setFont(_FONT, 8)
            canvas.setFillColor(_DIM)
            canvas.drawRightString(size[0] - 14 * mm, 8 * mm, f"{sheet.title}  –  {page.page}")
            if sheet.mark:
                canvas.setFont(_FONT, 12)
                canvas.setFillColor(colors.HexColor("#b00020"))
                canvas.drawCentredString(size[0] / 2, size[1] - 11 * mm, sheet.mark)

        document.build(story, onFirstPage=frame, onLaterPages=frame)
        return out.getvalue()

    def _section(self, section: Section, width: float) -> Iterator[Any]:
        yield Paragraph(_escaped(section.title), self._h2)
        for line in section.lines:
            yield Paragraph(_escaped(line), self._text)
        for plot in section.plots:
            for part in _parts(plot):
                yield drawn(part, width)
                yield Spacer(1, 6)
        if section.table is not None and section.table.rows:
            yield self._table(section.table, width)

    def _table(self, table: Table, width: float) -> Any:  # noqa: ANN401 - ReportLab has no types
        rows = [[Paragraph(_escaped(c), self._head) for c in table.columns]]
        rows += [[Paragraph(_escaped(c), self._cell) for c in row] for row in table.rows]
        style = TableStyle(
            [("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE), ("VALIGN", (0, 0), (-1, -1), "TOP"), *_padding(2.5)],
        )
        return LongTable(rows, colWidths=_widths(table, width), repeatRows=1, style=style)


def _padding(points: float) -> list[tuple[object, ...]]:
    return [(f"{side}PADDING", (0, 0), (-1, -1), points) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]


def _widths(table: Table, width: float) -> list[float]:
    """Columns in proportion to the longest thing in each, within bounds, so that a long text leaves the others room."""
    longest = [max(len(row[n]) for row in (table.columns, *table.rows)) for n in range(len(table.columns))]
    wanted = [min(max(length, 4), 60) ** 0.75 for length in longest]
    return [width * w / sum(wanted) for w in wanted]


def _parts(p: Picture) -> list[Picture]:
    """A picture that is higher than a page, as several, each with the grades above it."""
    panels = [p.panels[n : n + _PANELS_PER_PAGE] for n in range(0, len(p.panels), _PANELS_PER_PAGE)] or [()]
    return [replace(p, panels=part) for part in panels]


def drawn(p: Picture, width: float) -> Any:  # noqa: ANN401 - ReportLab has no types
    """A picture of series and thresholds, as on the page."""
    height = 34 + _BAND + len(p.panels) * (_PANEL + 26) + 16
    d = Drawing(width, height)
    inner = width - _LEFT - _RIGHT

    def x(at: Any) -> float:  # noqa: ANN401 - a datetime
        return float(_LEFT + (min(max(at, p.begin), p.end) - p.begin) / (p.end - p.begin) * inner)

    d.add(_string(0, height - 12, p.title, 10))
    for at in ticks(p):
        d.add(Line(x(at), 14, x(at), height - 20, strokeColor=colors.HexColor("#dddddd"), strokeWidth=0.4))
        d.add(_string(x(at), 4, f"{at:%m-%d %H:%M}", 6.5, anchor="middle"))
    top = height - 20 - _BAND
    for _, line in p.bands:
        d.add(Rect(_LEFT, top, inner, _BAND, fillColor=None, strokeColor=_RULE, strokeWidth=0.4))
        for grade in COLOURS:
            for begin, end in spells(line, grade):
                if begin < p.end and end > p.begin:
                    left = x(begin)
                    d.add(Rect(left, top, max(x(end) - left, 0.7), _BAND, fillColor=_colour(grade), strokeColor=None))
    y = top - 18 - _PANEL
    for panel in p.panels:
        _panel(d, panel, y, inner, x)
        y -= _PANEL + 26
    return d


def _panel(d: Any, panel: Panel, y: float, inner: float, x: Any) -> None:  # noqa: ANN401 - ReportLab has no types
    low, high = span(panel)
    spread = (high - low) or 1.0

    def at(value: float) -> float:
        return y + (value - low) / spread * _PANEL

    d.add(Rect(_LEFT, y, inner, _PANEL, fillColor=None, strokeColor=_RULE, strokeWidth=0.4))
    d.add(_string(_LEFT, y + _PANEL + 4, panel.title, 7.5))
    for value in (low, high):
        d.add(_string(_LEFT - 4, at(value) - 2, f"{value:.4g}", 6.5, anchor="end"))
    for value, grade in panel.limits:
        d.add(Line(_LEFT, at(value), _LEFT + inner, at(value), strokeColor=_colour(grade), strokeWidth=0.7, strokeDashArray=[4, 2]))
        d.add(_string(_LEFT + inner + 4, at(value) - 2, f"{value:.4g}", 6.5))
    points = [c for t, v in panel.points for c in (x(t), at(v))]
    if len(panel.points) > 1:
        d.add(PolyLine(points, strokeColor=_INK, strokeWidth=1))


def _string(x: float, y: float, text: str, size: float, anchor: str = "start") -> Any:  # noqa: ANN401 - ReportLab has no types
    return String(x, y, text, fontName=_FONT, fontSize=size, fillColor=_INK, textAnchor=anchor)


def _colour(grade: Grade) -> Any:  # noqa: ANN401 - ReportLab has no types
    return colors.HexColor(COLOURS[grade])


def _escaped(text: str) -> str:
    """Paragraphs read markup; what people wrote is none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def build(settings: PdfSettings, world: World) -> PdfPrinter:  # noqa: ARG001 - the port's shape
    """The printer."""
    return PdfPrinter()


adapter = Adapter(settings=PdfSettings, build=build)
