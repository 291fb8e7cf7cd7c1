"""Names that scripts import from rclpy's inner modules."""
