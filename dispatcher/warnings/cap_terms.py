"""The words of CAP 1.2 for our grades and hazards."""

from dataclasses import dataclass
from typing import Final

from rules.grade import Grade


@dataclass(frozen=True, slots=True)
class Terms:
    """How bad and how soon, and what to do."""

    urgency: str
    severity: str
    responses: tuple[str, ...]
    level: str


GRADES: Final = {
    Grade.RED: Terms("Immediate", "Extreme", ("Evacuate", "Shelter"), "Red/I"),
    Grade.ORANGE: Terms("Immediate", "Severe", ("Prepare", "Evacuate"), "Orange/II"),
    Grade.YELLOW: Terms("Expected", "Moderate", ("Prepare", "Avoid"), "Yellow/III"),
    Grade.BLUE: Terms("Future", "Minor", ("Monitor",), "Blue/IV"),
    Grade.NONE: Terms("Past", "Minor", ("AllClear",), ""),
}
EARLY: Final = ("Future", ("Prepare", "Monitor"))
"""How soon and what to do while it is still far (an early stage): severity and level stay those of the grade."""

GRADE_OF: Final = {terms.severity: grade for grade, terms in GRADES.items() if grade}
"""Our grade for a severity of CAP; Unknown has none."""

LANGUAGES: Final = {"zh": "zh-CN", "en": "en"}
LEVEL: Final = "CN:WarningLevel"
EVENT_CODE: Final = "GB/T35561"
GEOCODE: Final = "CN:STATS12"
"""Division codes of 12 digits; those of 6 digits are read too (``CN:GB2260``)."""

# Category and code of the event type after GB/T 35561; docs/cap.md says how sure each is.
HAZARDS: Final = {
    "flash-flood": ("Met", "11A06"),
    "river-flood": ("Met", "11A01"),
    "waterlogging": ("Met", "11A02"),
    "reservoir-flood": ("Met", "11A03"),
    "dam-break": ("Infra", "11A03"),
    "landslide": ("Geo", "11D01"),
    "debris-flow": ("Geo", "11D02"),
    "rainstorm": ("Met", "11B03"),
    "typhoon": ("Met", "11B01"),
    "snowstorm": ("Met", "11B04"),
    "cold-wave": ("Met", "11B05"),
    "gale": ("Met", "11B06"),
    "sand-dust": ("Met", "11B07"),
    "heat": ("Met", "11B09"),
    "lightning": ("Met", "11B14"),
    "hail": ("Met", "11B15"),
    "frost": ("Met", "11B16"),
    "fog": ("Met", "11B17"),
    "haze": ("Met", "11B19"),
    "thunder-gale": ("Met", "11B20"),
    "road-ice": ("Met", "11B21"),
    "drought": ("Met", "11B22"),
    "forest-fire": ("Fire", "11B25"),
    "gas-leak": ("CBRNE", ""),
}
OTHER: Final = ("Other", "")
HAZARD_OF: Final = {code: hazard for hazard, (_, code) in reversed(HAZARDS.items()) if code}
"""Our hazard for an event code; of two with one code, the first of the table."""
