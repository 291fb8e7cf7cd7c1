"""The picking task as a Gymnasium environment over the kinematic tier, with recording of episodes; extra `gym`.

Nothing is imported here, so that a reader of recorded episodes needs no Gymnasium: `from sim.gym.env import PickEnv`.
"""
