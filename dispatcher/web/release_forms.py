"""What people hand in about warnings, from a page or through the API."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from dispatcher.warnings.drafting import Draft
from dispatcher.warnings.releasing import Choice
from rules.grade import Grade

_CODE = Annotated[str, Field(min_length=1, max_length=40)]
_TEXT = Annotated[str, Field(default="", max_length=500)]


def _split(value: object) -> object:
    """A form's text of codes, separated by spaces, commas or lines; ticked boxes come as a list of such texts."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return value
    return [code for part in parts for code in part.replace(",", " ").replace("，", " ").split()]


Codes = Annotated[list[_CODE], BeforeValidator(_split)]


class ProposeWarning(BaseModel):
    """A warning of a person. It ends at ``expires_at``, or ``hours`` from now."""

    model_config = ConfigDict(extra="forbid")

    hazard: str = Field(max_length=60)
    grade: Literal["blue", "yellow", "orange", "red"]
    areas: Codes = Field(min_length=1, max_length=5_000, description="Codes of villages, or of what they lie in.")
    expires_at: AwareDatetime | None = None
    onset: AwareDatetime | None = Field(default=None, description="When it is expected to begin.")
    in_hours: float | None = Field(default=None, ge=0, le=72, description="The same, in hours from now.")
    hours: float | None = Field(default=None, gt=0, le=72)
    reason_zh: _TEXT
    reason_en: _TEXT
    replaces: str = Field(default="", max_length=200, description="Name of the warning of a person that this one takes the place of.")

    def draft(self, now: datetime) -> Draft:
        """What is proposed."""
        until = self.expires_at or now + timedelta(hours=self.hours or 6)
        return Draft(
            hazard=self.hazard,
            grade=Grade.from_word(self.grade),
            areas=tuple(self.areas),
            expires_at=until.astimezone(UTC),
            reason_zh=self.reason_zh.strip(),
            reason_en=self.reason_en.strip(),
            replaces=self.replaces,
            onset=onset_in(self.onset, self.in_hours, now),
        )


def onset_in(onset: datetime | None, in_hours: float | None, now: datetime) -> datetime | None:
    """When something is expected to begin, said either way; None: now."""
    if onset is not None:
        return onset.astimezone(UTC)
    return now + timedelta(hours=in_hours) if in_hours else None


class Decision(BaseModel):
    """What an officer decides on: ``hash`` is the content he saw; ``villages`` of it, none for all."""

    model_config = ConfigDict(extra="forbid")

    hash: str = Field(min_length=1, max_length=64)
    villages: Codes = Field(default_factory=list, max_length=100_000)
    override: bool = False
    note: _TEXT

    def choice(self) -> Choice:
        """What is decided on."""
        return Choice(hash=self.hash, villages=tuple(self.villages), override=self.override, note=self.note.strip())


class Ending(BaseModel):
    """Why a warning is lifted or retracted; ``villages`` of it, none for all (a retraction is always of all)."""

    model_config = ConfigDict(extra="forbid")

    villages: Codes = Field(default_factory=list, max_length=100_000)
    reason_zh: _TEXT
    reason_en: _TEXT

    @property
    def reason(self) -> tuple[str, str]:
        """In Chinese and English; one of them may be empty."""
        return self.reason_zh.strip(), self.reason_en.strip()


class Consulted(BaseModel):
    """A line of a consultation."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["said", "looked_at", "took_part"] = "said"
    text: str = Field(min_length=1, max_length=1_000)


class LookedAt(BaseModel):
    """A plot to be put into a consultation: the series of ``place`` against its thresholds over the last ``hours``."""

    model_config = ConfigDict(extra="forbid")

    place: str = Field(min_length=1, max_length=64)
    hours: float = Field(default=6.0, gt=0, le=24)
