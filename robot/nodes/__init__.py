"""The robot's nodes: glue between the wire and the rooms; each is built from a context, a clock and settings."""
