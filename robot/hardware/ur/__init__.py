"""Universal Robots' controllers: RTDE for data, URScript for motion; both spoken here, no library needed."""
