"""Every metric of the engine, declared once. Labels are bounded: names of sources, channels, states and reasons."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Lags(Collector):
    """How far sources are behind, asked when somebody looks. ``of`` is by the name of the source."""

    def __init__(self) -> None:
        """No source knows yet."""
        self.of: dict[str, Callable[[], Mapping[str, int]]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One figure for each part of each source."""
        family = GaugeMetricFamily("dispatcher_source_lag", "Records of a source not durable here yet", labels=["source", "part"])
        for source, lag in self.of.items():
            for part, count in lag().items():
                family.add_metric([source, part], count)
        yield family


class Metrics:
    """One set of metrics on a registry of its own, so that two engines in one process do not mix."""

    def __init__(self) -> None:
        """Declare them all; those without labels start at zero."""
        r = self.registry = CollectorRegistry()
        self.readings = Counter("dispatcher_readings_total", "Readings decoded and decided upon", ["source"], registry=r)
        self.rejects = Counter("dispatcher_rejects_total", "Items refused, by reason", ["source", "code"], registry=r)
        self.archived = Counter("dispatcher_rejects_archived_total", "Rejects written to the archive and deleted", registry=r)
        self.batches = Counter("dispatcher_batches_total", "Batches made durable and acknowledged", ["source"], registry=r)
        self.undecided = Counter("dispatcher_undecided_total", "Batches stored whose decision failed", registry=r)
        self.commit_s = Histogram("dispatcher_commit_seconds", "From taking a batch to its commit", buckets=_SECONDS, registry=r)
        self.source_up = Gauge("dispatcher_source_up", "1 while a source is connected", ["source"], registry=r)
        self.overtaken = Counter("dispatcher_overtaken_total", "Batches not used: another worker had them", ["source"], registry=r)
        self.lags = Lags()
        r.register(self.lags)
        self.source_weaknesses = Gauge(
            "dispatcher_source_weaknesses", "Settings of a broker that could make it lose what it acknowledged", ["source"], registry=r
        )
        self.published = Counter("dispatcher_published_total", "Records published to other programs", ["outlet", "stream"], registry=r)
        self.changes = Counter("dispatcher_changes_total", "Grade changes decided, by grade reached", ["grade"], registry=r)
        self.alerts = Counter("dispatcher_alerts_total", "Alerts released", registry=r)
        self.notices = Counter("dispatcher_notices_total", "Notices released", registry=r)
        self.planned = Counter("dispatcher_deliveries_planned_total", "Deliveries planned", registry=r)
        self.escalated = Counter("dispatcher_escalations_total", "Deliveries planned because a village had not answered", registry=r)
        self.sends = Counter("dispatcher_sends_total", "Tries to send, by how they ended", ["channel", "outcome"], registry=r)
        self.send_s = Histogram("dispatcher_send_seconds", "Time of one try to send", ["channel"], buckets=_SECONDS, registry=r)
        self._sent = cache(self.sends.labels), cache(self.send_s.labels)
        self.sending = Gauge("dispatcher_sending", "Deliveries in a sender's hand", registry=r)
        self.gateway_up = Gauge("dispatcher_gateway_up", "1 while a gateway is used, 0 while its circuit is open", ["gateway"], registry=r)
        self.receipts = Counter("dispatcher_receipts_total", "Reports of far sides, by state", ["channel", "state"], registry=r)
        self.replies = Counter("dispatcher_replies_total", "Replies of people, by what became of them", ["outcome"], registry=r)
        self.answers = Counter("dispatcher_answers_total", "Answers recorded", ["action", "path"], registry=r)
        self.unanswered = Gauge("dispatcher_unanswered_villages", "Notices that ask for an answer and have none", registry=r)
        self.in_force = Gauge("dispatcher_warnings_in_force", "Warnings in force by grade", ["grade"], registry=r)
        self.audit_findings = Gauge("dispatcher_audit_findings", "Villages not told as the audit log says they must be", registry=r)
        self.beats = Counter("dispatcher_beats_total", "Heartbeats to the outside, by how they ended", ["beacon", "outcome"], registry=r)
        self.deciding = Gauge("dispatcher_deciding", "1 while this worker decides, 0 while it stands by", registry=r)
        self.journal_seq = Gauge("dispatcher_journal_seq", "Number of the last journal row", registry=r)
        self.snapshot_s = Histogram("dispatcher_snapshot_seconds", "Time to write a snapshot", buckets=_SECONDS, registry=r)
        self.reloads = Counter("dispatcher_rule_reloads_total", "New files looked at, by what became of them", ["outcome"], registry=r)
        for outcome in ("activated", "unchanged", "refused"):
            self.reloads.labels(outcome)
        self.refused = Gauge("dispatcher_rules_refused", "1 while the files have mistakes and older rules decide", registry=r)
        self.replayed = Gauge("dispatcher_replayed_rows", "Journal rows replayed at the last start", registry=r)

    def sent(self, channel: str, outcome: str, took_s: float) -> None:
        """One try to send. To find a counter by its labels takes longer than to count."""
        of_outcome, of_channel = self._sent
        of_outcome(channel, outcome).inc()
        of_channel(channel).observe(took_s)
