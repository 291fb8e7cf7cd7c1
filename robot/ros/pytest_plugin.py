"""Let tests import rclpy and the packages around it from ours: `pytest -p robot.ros.pytest_plugin`.

Each pytest process is alone in its graph, unless $BERRYBRAIN_ROS_DIR says where others are. With a real rclpy it does
nothing.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile

import pytest

from robot.ros import hook
from robot.ros.impl.logging_output import output

FOLDER = "BERRYBRAIN_ROS_DIR"
SHORT = 40  # characters: the path of a socket holds 107
folder_key = pytest.StashKey[str]()


def _install(config: pytest.Config) -> None:
    if not hook.install() or folder_key in config.stash:
        return
    importlib.import_module(hook.CLIENT_LIBRARY)  # bound before pytest puts the tests' folders in front of the path
    output.always_console = True  # pytest's own handlers, which collect lines, are no reason to print none
    config.stash[folder_key] = ""
    if FOLDER not in os.environ:
        place = None if len(tempfile.gettempdir()) < SHORT else "/tmp"
        config.stash[folder_key] = os.environ[FOLDER] = tempfile.mkdtemp(prefix="bb-ros-", dir=place)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    _install(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    _install(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    output.always_console = False
    folder = config.stash.get(folder_key, "")
    if folder:
        os.environ.pop(FOLDER, None)
        shutil.rmtree(folder, ignore_errors=True)
