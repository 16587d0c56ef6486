"""A place judged again from a late or corrected reading on, as if it had come in time."""

from bisect import bisect_right

from rules.climb import Climb, due, ease, fall, streaks, trail, up
from rules.ladder import Ladder


def again(ladder: Ladder, from_s: int) -> int | None:
    """Judge all moments from a late or corrected reading to the newest one, as if it had come in time.

    Gives the moment the higher grade was reached when the place must rise, None otherwise; never lowers.
    """
    ladder.rouse()
    ladder.touched = True
    now_s, rule = ladder.clock_s(), ladder.rule
    edge_s = now_s - ladder.horizon_s
    sim, raised_s = Climb(floor_s=ladder.state.floor_s), None
    before, own = None, False
    for at_s, own in _moments(ladder, from_s, edge_s):
        before = trail(sim) if ladder.many else None
        values = ladder.values(at_s, edge_s)
        met = ladder.met(at_s, values)
        confirmed = streaks(sim, ladder.compiled.patience, at_s, met, own=own, round_s=ladder.round_s)
        ease(sim, at_s, rule.no_data.after_s, eased=ladder.eased(at_s, values))
        if at_s >= max(from_s, sim.floor_s) and up(sim, confirmed, at_s):
            raised_s = at_s
        elif sim.grade and not rule.lower.ask:
            to = due(sim, rule.lower, ladder.proven_s(at_s), met, ladder.compiled.below)
            if to is not None:
                fall(sim, rule.lower, to, at_s)
    state = ladder.state
    state.counts, state.firsts, state.lasts = sim.counts, sim.firsts, sim.lasts
    state.eased_s, state.last_s = sim.eased_s, sim.last_s
    if before is not None:
        before.runs, before.run_s = state.runs, state.run_s
        ladder.before, ladder.moment_s, ladder.spoken = before, now_s, own
    return raised_s if raised_s is not None and up(state, sim.grade, now_s) else None


def _moments(ladder: Ladder, from_s: int, edge_s: int) -> list[tuple[int, bool]]:
    """The times of all readings that matter, and whether one of the place's own was among them."""
    count = max(p.count for p in ladder.rule.patience)
    since_s = from_s - ladder.rule.hold_s - 1
    if not ladder.many:  # what comes from one series is in order as it is
        only = ladder.series[0].times_after(edge_s)
        own = ladder.owns(ladder.series[0])
        return [(t, own) for t in only[max(0, bisect_right(only, since_s) - count) :]]
    found: dict[int, bool] = {ladder.moment_s: False} if ladder.feeds and ladder.moment_s > edge_s else {}
    for s in ladder.series:
        own = ladder.owns(s)
        for t in s.times_after(edge_s):
            found[t] = found.get(t, False) or own
    times = sorted(found.items())
    if count > 1:
        return times
    start = bisect_right(times, (since_s, True))
    return times[max(0, start - count) :]
