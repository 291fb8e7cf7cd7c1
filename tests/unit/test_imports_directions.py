"""The house stands as it was drawn: each floor imports only from the floors below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
OURS = ("robot", "vision", "telemetry", "sim", "dashboard")

# Room → what it may import of ours, besides itself. The longest name that fits a module decides. A room that is
# named here as allowed covers everything inside it.
FARM_WIRE = ("telemetry.farm", "telemetry.messages", "telemetry.mqtt", "telemetry.clock")
ALLOWED: dict[str, tuple[str, ...]] = {
    "vision": (),
    "telemetry": (),
    "robot.ros": (),
    "robot.safety": ("robot.arms",),
    "robot": ("vision", *FARM_WIRE),
    "sim": ("robot", "vision", *FARM_WIRE, "telemetry.agronomy"),
    "dashboard": ("telemetry",),
    "dashboard.cli": ("robot", "vision", "telemetry", "sim", "dashboard"),
    # Inside the brain: pure rooms know nothing of the wires, and the farm log knows nothing of the brain.
    "telemetry.agronomy": (),
    "telemetry.farm": (),
    "telemetry.messages": (),
}
FORBIDDEN = {"telemetry.records": ("telemetry.brain",), "telemetry.store": ("telemetry.brain", "telemetry.ingest")}
STRICT = {"robot.ros", "robot.safety", "telemetry.agronomy", "telemetry.farm", "telemetry.messages"}


def modules() -> list[tuple[str, Path]]:
    found = []
    for package in OURS:
        for path in sorted((HOUSE / package).rglob("*.py")):
            parts = path.relative_to(HOUSE).with_suffix("").parts
            found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def room_of(module: str) -> str:
    return max((room for room in ALLOWED if within(module, room)), key=len)


def imports(tree: ast.AST, module: str, *, is_package: bool) -> list[tuple[str, int]]:
    """Every name of ours that a file imports, with its line; relative imports are resolved."""
    names: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".") if is_package else module.split(".")[:-1]
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            names += [(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return [(name, line) for name, line in names if name.split(".")[0] in OURS]


def violations(module: str, path: Path, text: str) -> list[str]:
    room = room_of(module)
    home = room if room in STRICT else room.split(".")[0]
    wrong = []
    for name, line in imports(ast.parse(text), module, is_package=path.name == "__init__.py"):
        allowed = within(name, home) or any(within(name, other) for other in ALLOWED[room])
        if room == "dashboard" and within(name, "dashboard.cli"):
            allowed = False
        if any(within(module, low) and within(name, high) for low, highs in FORBIDDEN.items() for high in highs):
            allowed = False
        if not allowed:
            may = ALLOWED[room] or "nothing of ours"
            wrong.append(f"{path.relative_to(HOUSE)}:{line} imports {name}; {room} may import {may}")
    return wrong


def test_each_floor_imports_only_from_the_floors_below() -> None:
    wrong = [line for module, path in modules() for line in violations(module, path, path.read_text(encoding="utf-8"))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("vision.locate", "import robot.arms"),
        ("telemetry.brain.plan", "from vision.types import Stage"),
        ("robot.ros.node", "from robot.arms import load"),
        ("robot.safety.limiter", "from robot.loop import Loop"),
        ("robot.pick.skill", "from telemetry.store import Store"),
        ("sim.scene", "import dashboard"),
        ("dashboard.supervise", "from robot.ros import init"),
        ("dashboard.supervise", "from dashboard.cli import main"),
        ("telemetry.records.lots", "from ..brain import plan"),
    ],
)
def test_an_import_that_points_up_is_found(module: str, text: str) -> None:
    path = HOUSE / (module.replace(".", "/") + ".py")
    assert violations(module, path, text)


def test_the_command_line_imports_other_packages_only_inside_functions() -> None:
    wrong = []
    for module, path in modules():
        if not within(module, "dashboard.cli"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            for name, line in (
                imports(node, module, is_package=path.name == "__init__.py")
                if isinstance(node, ast.Import | ast.ImportFrom)
                else []
            ):
                if not within(name, "dashboard"):
                    wrong.append(f"{path.relative_to(HOUSE)}:{line} imports {name} at the top of the file")
    assert not wrong, "\n".join(wrong)


def test_every_package_has_a_readme_and_every_module_says_what_it_is() -> None:
    missing = [f"{package}/README.md" for package in (*OURS, "tests") if not (HOUSE / package / "README.md").is_file()]
    silent = [
        str(path.relative_to(HOUSE))
        for _, path in modules()
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not missing, f"these are missing: {missing}"
    assert not silent, f"these have no first sentence: {silent}"
