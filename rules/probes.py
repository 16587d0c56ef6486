"""The inputs of a rule at one place, joined to its series, forecasts and columns."""

from collections.abc import Callable, Mapping, Sequence

from rules.forecast import Feed
from rules.inputs import Op
from rules.measure import MISSING
from rules.plan import LadderPlan
from rules.probe import Columns, DerivedProbe, ForecastProbe, Limit, Probe
from rules.scaled import SCALE
from rules.series import Series


def probes_of(plan: LadderPlan, every: Sequence[Series], feeds: Mapping[str, tuple[Feed, ...]], columns: Columns) -> tuple[Probe, ...]:
    """One probe for each input, in order."""
    rule, names = plan.compiled.rule, plan.compiled.column_names
    above = [i.name for i in rule.inputs]
    found: list[Probe] = []
    for n, one in enumerate(rule.inputs):
        if one.op is Op.DERIVED and one.number:
            parts = [(True, above.index(x)) if x in above else (False, names.index(x)) for x in one.number.names]
            found.append(DerivedProbe(one, plan.compiled.numbers[n], parts, columns))
        elif one.outlook:
            found.append(ForecastProbe(one, feeds[one.name]))
        else:
            probe = Probe(one, [every[s] for s in plan.sources[n]], rule.day_s, plan.compiled.zone)
            probe.feeds = feeds.get(one.name, ())
            if one.each:
                probe.limit = _limit(plan.compiled.numbers[n], [names.index(x) for x in one.each.limit.names], columns)
            found.append(probe)
    return tuple(found)


def _limit(calculate: Callable[..., float], chosen: Sequence[int], columns: Columns) -> Limit:
    def limit(at_s: int) -> float:
        numbers = columns(at_s)
        return calculate(*(numbers[n] for n in chosen)) * SCALE if numbers or not chosen else MISSING

    return limit
