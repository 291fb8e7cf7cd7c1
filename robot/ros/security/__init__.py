"""Who a robot is, whom it knows, and what those may do: keys and a policy."""
