"""The greenhouse that is not there: plants, climate, sensors and a robot cell behind the real protocols."""
