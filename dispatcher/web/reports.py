"""The report of a warning as a page, as PDF, CSV and JSON. Needs the role duty officer: it names people."""

import asyncio
import csv
import io

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from starlette.responses import Response

from dispatcher.accounts import Role
from dispatcher.reports.sheet import Sheet
from dispatcher.reports.words import WORDS
from dispatcher.rulework.svg import drawing
from dispatcher.web.gate import need
from dispatcher.web.language import choose
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, shared

router = APIRouter()
_API = "/api/v1/warnings/{warning_id:path}"
_BOM = "\ufeff"  # without it a spreadsheet takes Chinese for something else


@router.get("/warnings/{warning_id:path}/report", include_in_schema=False)
async def page(request: Request, warning_id: str) -> Response:
    """To be read, and printed by the browser."""
    sheet = await _sheet(request, warning_id)
    files = f"/api/v1/warnings/{warning_id}/report"
    return shared(request).pages.page(request, "report.html", sheet=sheet, drawing=drawing, files=files, table=True)


@router.get(f"{_API}/report", tags=["api"])
async def as_json(request: Request, warning_id: str) -> Response:
    """The report for programs: totals, each notice with its times, channels, what failed. Needs the role duty officer or higher."""
    return JSONResponse(jsonable_encoder((await _sheet(request, warning_id)).facts))


@router.get(f"{_API}/report.csv", tags=["api"])
async def as_csv(request: Request, warning_id: str) -> Response:
    """One row per notice of each village. Needs the role duty officer or higher."""
    need(request, Role.DUTY_OFFICER)
    table = await context_of(request).reporter.table(warning_id, _language(request))
    if table is None:
        raise Problem(404, f"There is no warning {warning_id!r}.")
    text = io.StringIO()
    csv.writer(text).writerows([table.columns, *table.rows])
    return Response(_BOM + text.getvalue(), media_type="text/csv; charset=utf-8", headers=_attached(warning_id, "csv"))


@router.get(f"{_API}/report.pdf", tags=["api"])
async def as_pdf(request: Request, warning_id: str) -> Response:
    """The report on paper, with the plots. Needs the role duty officer or higher; 501 where no printer is installed."""
    printer = context_of(request).reporter.printer
    sheet = await _sheet(request, warning_id)
    if printer is None:
        raise Problem(501, "Nothing here can make a PDF: install the extra 'pdf', or print the page.")
    return Response(await asyncio.to_thread(printer.print, sheet), media_type="application/pdf", headers=_attached(warning_id, "pdf"))


async def _sheet(request: Request, warning_id: str) -> Sheet:
    need(request, Role.DUTY_OFFICER)
    sheet = await context_of(request).reporter.sheet(warning_id, _language(request))
    if sheet is None:
        raise Problem(404, f"There is no warning {warning_id!r}.")
    return sheet


def _language(request: Request) -> str:
    spoken = choose(request, context_of(request).registry.county.languages[0])
    return spoken if spoken in WORDS else "zh"


def _attached(warning_id: str, ending: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{warning_id.replace("/", "-")}.{ending}"'}
