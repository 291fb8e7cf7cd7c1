"""What people see, and the door: the `berrybrain` command that composes the other packages."""
