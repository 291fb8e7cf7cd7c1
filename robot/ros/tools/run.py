"""Run an unmodified ROS 2 script or module in this process."""

from __future__ import annotations

import logging
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from robot.ros import hook

_RUNPY = ("<frozen runpy>", runpy.__file__)


def run(target: str, arguments: Sequence[str], *, module: bool = False) -> int:
    """Run a script as `python target arguments` would, with ROS's packages from here; return its exit code.

    Args:
        target: a path of a script, or a module's name when `module` is set.
        arguments: handed over unchanged, `--ros-args …` too.

    Raises:
        FileNotFoundError: there is no such script.
        SystemExit, KeyboardInterrupt: the script's own.
    """
    path = Path(target)
    if not module and not path.exists():
        raise FileNotFoundError(f"there is no script {target}: name a file such as node.py, or a module after -m")
    if hook.install():
        from robot.ros.interfaces import registry

        registry.views = False  # scripts draw on the pixels they get, as rosidl's arrays let them
    for handler in tuple(logging.root.handlers):  # a script finds logging as Python itself leaves it
        logging.root.removeHandler(handler)
    sys.argv = [target, *arguments]
    sys.path.insert(0, str(Path.cwd() if module else path.resolve().parent))
    try:
        if module:
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(target, run_name="__main__")
    except Exception as error:  # noqa: BLE001 (whatever the script raises is the script's end, as in Python itself)
        shown = error.__traceback__
        while shown is not None and shown.tb_next and shown.tb_frame.f_code.co_filename in (__file__, *_RUNPY):
            shown = shown.tb_next
        traceback.print_exception(type(error), error, shown)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1], sys.argv[2:]))
    except FileNotFoundError as error:
        sys.exit(str(error))
