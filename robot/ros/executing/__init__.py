"""The parts of the executors."""
