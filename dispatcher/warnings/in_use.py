"""A hazard that something in force or waiting for release is about needs its policy and texts until that is over."""

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.house import House
from dispatcher.ports import Store


async def refuse_missing(store: Store, house: House) -> None:
    """ConfigurationError when these files have no policy for a hazard at work: its next call or lift would have no plan and no text."""
    known = sorted(hazard for policy in house.policies.policies.values() for hazard in policy.hazards)
    async with store.read() as reader:
        rows = await reader.fetch("warnings.hazards_in_use", {"county": house.county})
    problems = [
        Problem(
            "policies",
            f"no policy for hazard {row['hazard']!r}, of which {row['n']} warning(s) or proposal(s) stand open ({row['id']}); "
            f"keep its policy and texts until they are lifted or decided; policies are for: {', '.join(known)}",
        )
        for row in rows
        if row["hazard"] not in known
    ]
    if problems:
        raise ConfigurationError(problems)
