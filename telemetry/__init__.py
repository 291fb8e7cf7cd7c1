"""From sensor to decision: the farm's MQTT contract, ingest, store, agronomy, brain and records."""
