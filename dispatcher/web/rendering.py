"""Pages from templates: words in the reader's language, times in the county's, names from the registry."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from dispatcher import __version__
from dispatcher.accounts import Principal, Role
from dispatcher.ports import Status
from dispatcher.views.board import Line
from dispatcher.web.context import WebContext
from dispatcher.web.language import COOKIE, LANGUAGES, Catalogue, choose
from rules.grade import Grade

_COOKIE_AGE_S: Final = 365 * 24 * 3600
_CLOCKS_DIFFER_S: Final = 5
_ROWS_KEPT: Final = 20_000


class Pages:
    """Renders the templates of ``dispatcher/web/templates``. A name that a template misses is an error."""

    def __init__(self, context: WebContext, catalogues: Mapping[str, Catalogue]) -> None:
        """Compile on first use; ``catalogues`` by language."""
        self._context = context
        self._catalogues = catalogues
        self._environment = Environment(
            loader=PackageLoader("dispatcher.web"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._rows: dict[tuple[str, str, Line, bool, bool], Markup] = {}
        self._environment.globals.update(Grade=Grade, Role=Role, Status=Status, version=__version__, languages=LANGUAGES)

    def page(self, request: Request, template: str, status: int = 200, language: str = "", **values: object) -> HTMLResponse:
        """One page or fragment; ``language`` is the reader's own when known. One chosen in the address is remembered in a cookie."""
        spoken = choose(request, self._context.registry.county.languages[0], language)
        text = self._environment.get_template(template).render(self._words(request, spoken) | values)
        response = HTMLResponse(text, status_code=status, headers={"content-language": spoken, "vary": "accept-language, cookie"})
        if request.query_params.get("lang") == spoken:
            secure = self._context.public_url.startswith("https:")
            response.set_cookie(COOKIE, spoken, max_age=_COOKIE_AGE_S, samesite="lax", secure=secure, httponly=True)
        return response

    def _words(self, request: Request, language: str) -> dict[str, Any]:
        registry = self._context.registry
        words = self._context.texts.words.get(language)
        principal: Principal | None = getattr(request.state, "principal", None)
        now, wall = self._context.clock.now(), self._context.wall.now()
        return {
            "lang": language,
            "t": self._catalogues[language].say,
            "name": lambda code: registry.name_of(code, language),
            "person": partial(self._person, language=language),
            "hazard": lambda code: words.hazards.get(code, code) if words else code,
            "clock_time": partial(self.local, form="%H:%M"),
            "full_time": partial(self.local, form="%Y-%m-%d %H:%M:%S"),
            "iso": partial(self.local, form="%Y-%m-%dT%H:%M:%S%z"),
            "county": registry.name_of(registry.county.code, language),
            "status": self._context.status,
            "now": now,
            "wall": wall if abs((wall - now).total_seconds()) > _CLOCKS_DIFFER_S else None,
            "path": request.url.path,
            "query": {k: v for k, v in request.query_params.items() if k != "lang"},
            "principal": principal,
            "csrf": request.session.get("csrf", "") if "session" in request.scope else "",
            "row": partial(self._row, language),
        }

    def _row(self, language: str, line: Line, may_answer: bool, expanded: bool) -> Markup:  # noqa: FBT001 - called by a template
        """The row of a village on the board. Of 600 villages most stand where they stood: their rows are kept."""
        key = (self._context.registry.digest, language, line, may_answer, expanded)
        found = self._rows.get(key)
        if found is None:
            if len(self._rows) > _ROWS_KEPT:
                self._rows.clear()
            registry = self._context.registry
            text = self._environment.get_template("line.html").render(
                line=line,
                may_answer=may_answer,
                expanded=expanded,
                lang=language,
                t=self._catalogues[language].say,
                name=lambda code: registry.name_of(code, language),
                person=partial(self._person, language=language),
                clock_time=partial(self.local, form="%H:%M"),
                stages={s.id: s.name_en if language == "en" else s.name for s in self._context.releases.house.stages.table},
            )
            found = self._rows[key] = Markup(text)  # noqa: S704 - our own template, which has escaped what is not
        return found

    def _person(self, contact: str, language: str) -> str:
        """A contact's name; what was written down for somebody who is not on the list."""
        found = self._context.registry.contacts.get(contact)
        if found is None:
            return contact
        first = self._context.registry.county.languages[0]
        return found.name if language == first or not found.name_en else found.name_en

    def local(self, at: datetime | None, form: str) -> str:
        """A time as the county's clocks show it; empty for none."""
        return "" if at is None else at.astimezone(self._context.registry.county.timezone).strftime(form)
