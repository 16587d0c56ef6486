"""Places that are neither stations nor villages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Something that is graded and has stations: a slope, an underpass, a catchment. ``type`` is what ``for_each`` names."""

    id: str
    name: str
    name_en: str
    type: str
    lat: float
    lon: float
    catchment: str = ""
