"""Say whether nodes can run and hear each other here, and what to do if not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from robot.ros import hook
from robot.ros.exceptions import ROSError
from robot.ros.interfaces import PATH_VARIABLE, registry, std_msgs
from robot.ros.tools.session import Session
from robot.ros.transport.directory import domain, runtime_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: `ok`, `warn` or `fail`."""

    what: str
    state: str
    text: str


def _python() -> Finding:
    import zmq

    text = f"Python {sys.version.split()[0]}, pyzmq {zmq.__version__} with libzmq {zmq.zmq_version()}"
    return Finding(what="python", state="ok", text=text)


def _folder() -> Finding:
    folder = runtime_directory()
    return Finding(what="domain", state="ok", text=f"ROS_DOMAIN_ID {domain()}, sockets in {folder}")


def _rclpy() -> Finding:
    if any(isinstance(finder, hook.Finder) for finder in sys.meta_path) or not hook.Finder(registry).knows_real(
        "rclpy"
    ):
        return Finding(what="rclpy", state="ok", text="no ROS installed: scripts get this rclpy")
    if os.environ.get("BERRYBRAIN_ROS") == "native":
        return Finding(what="rclpy", state="ok", text="a real rclpy is installed, and our nodes use it")
    text = "a real rclpy is installed: scripts get that, and do not hear our nodes; BERRYBRAIN_ROS=native joins them"
    return Finding(what="rclpy", state="warn", text=text)


def _interfaces() -> Finding:
    packages = registry.packages()
    named = [folder for folder in os.environ.get(PATH_VARIABLE, "").split(os.pathsep) if folder]
    lost = [folder for folder in named if not Path(folder).is_dir()]
    if lost:
        return Finding(
            what="interfaces", state="fail", text=f"{PATH_VARIABLE} names folders that are not there: {lost}"
        )
    count = sum(len(registry.names(package, kind)) for package in packages for kind in ("msg", "srv", "action"))
    return Finding(what="interfaces", state="ok", text=f"{count} interfaces in {len(packages)} packages")


def _loop() -> Finding:
    heard: list[str] = []
    with Session() as listener, Session() as talker:
        topic = f"/berrybrain_doctor_{os.getpid()}"
        listener.node.create_subscription(std_msgs.msg.String, topic, lambda message: heard.append(message.data), 10)
        publisher = talker.node.create_publisher(std_msgs.msg.String, topic, 10)

        def matched() -> bool:
            listener.executor.spin_once(timeout_sec=0.01)
            return publisher.get_subscription_count() > 0

        if not talker.spin_until(matched, 5.0):
            return Finding(what="messages", state="fail", text="two contexts do not find each other")
        publisher.publish(std_msgs.msg.String(data="heard"))
        if not listener.spin_until(lambda: bool(heard), 5.0):
            return Finding(what="messages", state="fail", text="a message does not arrive")
    return Finding(what="messages", state="ok", text="a message goes from one context to another")


def _graph() -> Finding:
    with Session() as session:
        session.look()
        nodes, topics = session.nodes(), session.topics()
    text = f"{len(nodes)} nodes, {len(topics)} topics are running in this domain"
    return Finding(what="graph", state="ok", text=text)


CHECKS: tuple[Callable[[], Finding], ...] = (_python, _folder, _rclpy, _interfaces, _loop, _graph)


def examine() -> list[Finding]:
    """Look at everything; a check that fails does not keep the others from being made."""
    findings = []
    for check in CHECKS:
        try:
            findings.append(check())
        except (ROSError, OSError, RuntimeError) as error:
            findings.append(Finding(what=check.__name__.strip("_"), state="fail", text=str(error)))
    return findings
