"""The ROS 2 client library: the API of rclpy over ZeroMQ or an in-process bus, with no ROS installed."""
