"""The kinematic tier: one robot in front of one bed side without physics, for faults by the thousand."""
