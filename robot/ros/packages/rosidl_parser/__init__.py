"""Names of rosidl's own model of interface types."""
