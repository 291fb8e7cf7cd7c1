"""The program that runs on the arm's own controller: it follows set points and stops by itself when they cease."""

from __future__ import annotations

SET_POINTS = tuple(f"input_double_register_{i}" for i in range(24, 30))
SEQUENCE, MODE = "input_int_register_24", "input_int_register_25"
ALIVE = "output_int_register_24"
END, HOLD, FOLLOW = -1, 0, 1
MAGIC = 4711  # what the program writes into ALIVE


def program(*, expiry: float, gain: int = 600, lookahead: float = 0.03, deceleration: float = 8.0) -> str:
    """Return the URScript text.

    Registers 24 and up are those that other than field buses may write. The program never moves before the sequence
    number changes, so that what an earlier client left in the registers is no command.

    Args:
        expiry: the arm is stopped when no new set point came for this long [s].
        gain, lookahead: of `servoj`; 100..2000, 0.03..0.2 s.
        deceleration: of the stop [rad/s^2].
    """
    return f"""def berrybrain():
  last = read_input_integer_register(24)
  quiet = 0.0
  following = False
  q = get_actual_joint_positions()
  write_output_integer_register(24, {MAGIC})
  while read_input_integer_register(25) != {END}:
    n = read_input_integer_register(24)
    if n != last:
      last = n
      quiet = 0.0
      following = True
      q = [read_input_float_register(24), read_input_float_register(25), read_input_float_register(26), \
read_input_float_register(27), read_input_float_register(28), read_input_float_register(29)]
    else:
      quiet = quiet + get_steptime()
    end
    if following and (quiet > {expiry:.3f} or read_input_integer_register(25) == {HOLD}):
      following = False
      stopj({deceleration:.1f})
    end
    if following:
      servoj(q, t=get_steptime(), lookahead_time={lookahead:.3f}, gain={gain})
    else:
      sync()
    end
  end
  stopj({deceleration:.1f})
  write_output_integer_register(24, 0)
end
"""
