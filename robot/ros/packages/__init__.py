"""The packages around rclpy that ROS scripts import, in pure Python; `robot.ros.hook` gives them their own names."""
