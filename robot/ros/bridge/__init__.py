"""Ways out of this machine's domain: to other hosts, to Zenoh, to a ROS 2 beside us."""
