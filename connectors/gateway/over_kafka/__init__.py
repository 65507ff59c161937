"""What comes by Kafka: answers of programmes and statements of sources, each from a topic of its own."""
