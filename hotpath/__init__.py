"""What every stage of Hotpath shares: errors, settings, clock, contract, hand-offs, lake, bundle, Kafka."""
