"""Rules of hazards that no policy is for: what they decide could be told to nobody."""

from dispatcher.errors import Problem
from dispatcher.policy.model import Policies
from rules.model import RuleSet


def hazards_without(rules: RuleSet, policies: Policies) -> list[Problem]:
    """One problem for each such rule, with its file as the rules name it."""
    known = sorted(hazard for policy in policies.policies.values() for hazard in policy.hazards)
    return [
        Problem(rule.file, f"no policy for hazard {rule.hazard!r}; policies are for: {', '.join(known)}", rule.line)
        for rule in rules.rules
        if rule.hazard not in known
    ]
