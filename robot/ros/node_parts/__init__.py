"""The parts a node is made of, one topic each."""
