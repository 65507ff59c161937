"""Kafka: how to reach a cluster, its topics, and a broker of our own for one machine."""
