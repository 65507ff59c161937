"""What can go wrong between us and Kafka, as errors that say what to do."""


class KafkaConnectorError(Exception):
    """Is the parent of every error this package raises on purpose."""


class BrokerUnavailableError(KafkaConnectorError):
    """The broker cannot be started, or does not answer; the message says why and what to do."""


class ConnectionSettingsError(KafkaConnectorError):
    """A setting for reaching Kafka breaks a rule; the message names it, the rule and the remedy.

    Never contains a password.
    """


class TopicMismatchError(KafkaConnectorError):
    """A topic exists in a shape that cannot be changed to the wanted one without losing order."""
