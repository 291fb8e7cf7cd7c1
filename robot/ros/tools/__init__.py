"""What `berrybrain ros …` does, without the command line."""
