"""Everything on the machine: the ROS layer, motion, control loop, safety and the picking skill."""
