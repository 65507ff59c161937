"""Every metric of the gateway, in one place. Base units; no young person is a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest


class GatewayMetrics:
    """The metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        """Registers them, all at zero."""
        self.registry = _with_the_process_own()
        # What became of each event at the door. topic: the short name. outcome: published, repeated (known already,
        # not published again), out_of_scope (acknowledged, not published), refused, unavailable (broker or store).
        self.events = Counter(
            "brobygger_events_total",
            "Events by topic and what became of them at the door",
            ("topic", "outcome"),
            registry=self.registry,
        )
        # Every MedCom message and letter by its case: new, repeat, resubmission, bundle_reused, content_changed,
        # refused, out_of_scope, acknowledgement, unaddressable, unavailable.
        self.messages = Counter(
            "brobygger_medcom_messages_total", "MedCom messages by what they were", ("case",), registry=self.registry
        )
        # Refusals by door (medcom, letters, events, lists, claims, entrance) and the refusal's code.
        self.refusals = Counter(
            "brobygger_refusals_total", "Refusals by door and code", ("door", "code"), registry=self.registry
        )
        # Records of the topics that the read model is projected from. outcome: projected, unreadable (passed over;
        # the log names it).
        self.read_model_records = Counter(
            "brobygger_read_model_records_total",
            "Records projected into the read model",
            ("topic", "outcome"),
            registry=self.registry,
        )
        # How often projecting failed and was begun again.
        self.read_model_failures = Counter(
            "brobygger_read_model_failures_total", "Failed attempts to project", registry=self.registry
        )
        # From the request's arrival to its answer, by door.
        self.request_seconds = Histogram(
            "brobygger_request_seconds", "Time from request to answer", ("door",), registry=self.registry
        )
        # From handing records to the producer to the broker's confirmation of all of them, or to giving up.
        self.publish_seconds = Histogram(
            "brobygger_publish_seconds", "Time until the broker confirmed", registry=self.registry
        )

    def count_records(self, topic: str, outcome: str, count: int) -> None:
        """Counts records of the read model; see ``connectors.read_model.projector.Tally``."""
        self.read_model_records.labels(topic, outcome).inc(count)

    def count_failure(self) -> None:
        """Counts one failed attempt to project."""
        self.read_model_failures.inc()

    def exposition(self) -> bytes:
        """Returns all of them in Prometheus' text format."""
        return generate_latest(self.registry)


def _with_the_process_own() -> CollectorRegistry:
    """Returns a registry that has start time, memory and processor time, as every process of ours exports them."""
    registry = CollectorRegistry()
    ProcessCollector("brobygger", registry=registry)
    return registry
