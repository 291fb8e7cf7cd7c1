"""`import rclpy` where there is no ROS: names, users' own interface files, real packages that go first."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import robot.ros
from robot.ros import hook
from robot.ros.interfaces import get_message, registry
from robot.ros.registry import Registry


@pytest.fixture
def installed() -> Iterator[None]:
    assert hook.install()
    yield
    hook.uninstall()


def berrybrain(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "robot.ros.tools.run", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)


@pytest.mark.usefixtures("installed")
def test_rclpy_and_its_modules_are_ours_themselves() -> None:
    assert importlib.import_module("rclpy") is robot.ros
    assert importlib.import_module("rclpy.node") is importlib.import_module("robot.ros.node")
    assert robot.ros.__spec__ is not None and robot.ros.__spec__.name == "robot.ros"
    with pytest.raises(ModuleNotFoundError, match=r"rclpy\.nothing"):
        importlib.import_module("rclpy.nothing")


@pytest.mark.usefixtures("installed")
def test_every_package_of_messages_can_be_imported_by_its_own_name() -> None:
    for package in registry.packages():
        for kind in ("msg", "srv", "action"):
            if names := registry.names(package, kind):
                module = importlib.import_module(f"{package}.{kind}")
                assert dir(module) == sorted(names)
    namespace: dict[str, object] = {}
    exec("from std_msgs.msg import *\nfrom std_msgs.msg._multi_array_layout import MultiArrayLayout as L", namespace)
    assert namespace["String"] is get_message("std_msgs/msg/String")
    assert namespace["L"] is namespace["MultiArrayLayout"]
    with pytest.raises(ImportError, match="Strin"):
        exec("from std_msgs.msg import Strin", {})


def test_names_are_gone_after_uninstall() -> None:
    hook.install()
    importlib.import_module("std_msgs.msg")
    hook.uninstall()
    assert "std_msgs.msg" not in sys.modules and "rclpy" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("std_msgs")


def test_a_users_own_interfaces_are_found_even_where_python_sees_a_namespace_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tunnel_msgs" / "msg").mkdir(parents=True)
    (tmp_path / "tunnel_msgs" / "msg" / "Gutter.msg").write_text("float32 slope 0.25\nstring<=8 name\n")
    monkeypatch.syspath_prepend(tmp_path)
    hook.install(Registry([tmp_path]))
    try:
        gutter = importlib.import_module("tunnel_msgs.msg").Gutter(name="north")
    finally:
        hook.uninstall()
    assert (gutter.slope, gutter.name) == (0.25, "north")


def test_a_real_package_of_messages_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "std_srvs").mkdir()
    (tmp_path / "std_srvs" / "__init__.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    hook.install()
    try:
        assert importlib.import_module("std_srvs").REAL
    finally:
        hook.uninstall()
        sys.modules.pop("std_srvs", None)


def test_with_a_real_rclpy_the_hook_stands_aside_entirely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rclpy").mkdir()
    (tmp_path / "rclpy" / "__init__.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = list(sys.meta_path)
    assert not hook.install()
    assert sys.meta_path == before
    try:
        assert importlib.import_module("rclpy").REAL
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("std_msgs")
    finally:
        sys.modules.pop("rclpy", None)


def test_the_command_runs_a_script_with_its_arguments_and_folder(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("WORD = 'from the folder'\n")
    script = tmp_path / "node.py"
    script.write_text(
        "import sys, helper, rclpy\nfrom std_msgs.msg import String\n"
        "assert __name__ == '__main__' and rclpy.__name__ == 'robot.ros'\n"
        "print(String(data=helper.WORD).data, *sys.argv[1:])\n"
        "if '--fail' in sys.argv: raise RuntimeError('on purpose')\n"
        "sys.exit(7)\n"
    )
    done = berrybrain(str(script), "--ros-args", "-r", "a:=b")
    assert (done.returncode, done.stdout) == (7, "from the folder --ros-args -r a:=b\n")
    failed = berrybrain(str(script), "--fail")
    assert failed.returncode == 1 and "on purpose" in failed.stderr
    assert "runpy" not in failed.stderr


def test_what_a_node_logs_is_seen_through_the_command_too(tmp_path: Path) -> None:
    script = tmp_path / "node.py"
    script.write_text("import rclpy\nrclpy.logging.get_logger('picker').info('ripe')\n")
    command = [sys.executable, "-c", "from dashboard.cli import main; main()", "ros", "run", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "[picker]: ripe" in done.stderr, done.stderr


def test_a_missing_script_is_named() -> None:
    done = berrybrain("/nowhere/node.py")
    assert done.returncode == 1 and "/nowhere/node.py" in done.stderr


def test_the_pytest_plugin_serves_rclpy_to_tests_that_lie_beside_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "rclpy").mkdir()  # as in a checkout of the sources
    (tmp_path / "rclpy" / "__init__.py").write_text("raise ImportError('not built')\n")
    (tmp_path / "package.xml").touch()
    (tmp_path / "CMakeLists.txt").touch()
    (tmp_path / "test_it.py").write_text(
        "import os, rclpy, rclpy.logging, rclpy.node\nfrom test_msgs.msg import BasicTypes\n"
        "def test_it(capfd):\n    rclpy.logging.get_logger('here').info('said')\n"
        "    assert capfd.readouterr().err.endswith('[here]: said\\n')\n"
        "    assert rclpy.__name__ == 'robot.ros' and BasicTypes().int8_value == 0\n"
        "    assert os.path.isdir(os.environ['BERRYBRAIN_ROS_DIR'])\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "robot.ros.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path / "test_it.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("installed")
def test_every_message_of_the_fixtures_survives_the_wire() -> None:
    fixtures = importlib.import_module("test_msgs.message_fixtures")
    for name in fixtures.MAKERS:
        for message in fixtures.get_test_msg(name):
            assert type(message).__name__ == name
            assert message._decode(message._encode(message)) == message
    assert fixtures.get_test_msg("BasicTypes")[1].uint64_value == 2**64 - 1


def test_a_script_draws_on_the_pixels_it_gets(tmp_path: Path) -> None:
    script = tmp_path / "draw.py"
    script.write_text(
        "import numpy as np, rclpy\n"
        "from sensor_msgs.msg import Image\n"
        "rclpy.init()\n"
        "node = rclpy.create_node('draw')\n"
        "got = rclpy.task.Future()\n"
        "node.create_subscription(Image, 'picture', got.set_result, 1)\n"
        "node.create_publisher(Image, 'picture', 1).publish(Image(height=100, width=100, data=bytes(30000)))\n"
        "rclpy.spin_until_future_complete(node, got, timeout_sec=30)\n"
        "pixels = np.frombuffer(got.result().data, np.uint8).reshape(100, 100, 3)\n"
        "pixels[:] = 7\n"
        "print(type(got.result().data).__name__, pixels.sum())\n"
        "rclpy.shutdown()\n"
    )
    done = berrybrain(str(script), env={**os.environ, "BERRYBRAIN_ROS_DIR": str(tmp_path / "ros")})
    assert done.stdout.split() == ["array", "210000"], done.stderr
