"""Mutation testing of robot/safety: change one thing at a time, and see that a test notices. `python tests/mutation.py`

Each mutant is tried in a forked process that has all else imported already, and its outcome is one line of JSON in the
file given by `--out`; mutants already there are not tried again, so that a long run may be broken off.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import json
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
PACKAGE = "robot.safety"
TESTS = (
    "edges",
    "limiter_edges",
    "watchdog",
    "lease",
    "states",
    "requirements",
    "collision",
    "space",
    "limiter",
    "stateful",
)
FIRST = {
    "limiter": "limiter_edges",
    "stopping": "limiter",
    "lease": "lease",
    "supervisor": "states",
    "states": "states",
    "space": "space",
}
"""Where a file's mutants are looked for first."""

SLOW = "tests/unit/test_safety_limiter.py::test_planned_motion_is_accepted_whole_inside_the_workspace"
"""Notices what others notice too, and takes as long as all of them."""

PATIENCE = 120
"""A mutant whose tests have not ended by then has been noticed [s of its own CPU]."""

SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield each mutant of a file: where and what, and the changed tree, which is valid until the next is asked for."""
    tree = ast.parse(source)
    idle = {id(part) for node in ast.walk(tree) for text in _annotations(node) for part in ast.walk(text)}
    for node in [node for node in ast.walk(tree) if id(node) not in idle]:
        where = f"{getattr(node, 'lineno', 0)}:{getattr(node, 'col_offset', 0)}"
        for name, old, new in _changes(node):
            _put(node, name, new)
            yield f"{where} {_told(old)} -> {_told(new)}", tree
            _put(node, name, old)


def _annotations(node: ast.AST) -> list[ast.AST]:
    """Return the types written beside names, which nothing evaluates."""
    return [text for name in ("annotation", "returns") if (text := getattr(node, name, None)) is not None]


def _changes(node: ast.AST) -> Iterator[tuple[str, object, object]]:
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in SWAPS[type(op)]:
                yield f"ops.{i}", op, other()
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign):
        for other in SWAPS.get(type(node.op), ()):
            yield "op", node.op, other()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "op", node.op, ast.UAdd()
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "value", node.value, not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "value", node.value, node.value * 1.3 + 1 if isinstance(node.value, int) else node.value * 1.3 + 0.01
    elif isinstance(node, ast.Name) and node.id in NAMES:
        yield "id", node.id, NAMES[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield "attr", node.attr, NAMES[node.attr]
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield "test", node.test, ast.copy_location(ast.UnaryOp(op=ast.Not(), operand=node.test), node.test)


def _put(node: ast.AST, name: str, value: object) -> None:
    if name.startswith("ops."):
        node.ops[int(name[4:])] = value  # type: ignore[attr-defined]
    else:
        setattr(node, name, value)


def _told(value: object) -> str:
    return type(value).__name__ if isinstance(value, ast.AST) else str(value)


class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves one module from a tree instead of its file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._code = name, path, compile(tree, str(path), "exec")

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:  # type: ignore[override]
        return importlib.machinery.ModuleSpec(name, self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self._path)
        exec(self._code, module.__dict__)


def noticed(name: str, path: Path, tree: ast.Module) -> bool:
    """Tell whether a test fails with this mutant."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
        code = 1
        try:
            code = _run(path, Loader(name, path, ast.fix_missing_locations(tree)))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def _run(path: Path, loader: Loader) -> int:
    import pytest

    sys.meta_path.insert(0, loader)
    for name in (FIRST.get(path.stem, "edges"), *TESTS):  # one by one: most are noticed by the first
        file = ROOT / "tests" / "unit" / f"test_safety_{name}.py"
        options = ["-x", "-q", "-p", "no:cacheprovider", "--timeout=0", "--hypothesis-seed=1"]
        if code := int(pytest.main([*options, f"--deselect={SLOW}", str(file)])):
            return code
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="file of outcomes")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no mutant after so long")
    told = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    import hypothesis  # noqa: F401 (what the forked processes need stands ready)
    import numpy  # noqa: F401
    import pytest  # noqa: F401

    import robot.kinematics  # noqa: F401
    import telemetry.clock  # noqa: F401

    if any(name.startswith(PACKAGE) for name in sys.modules):
        raise SystemExit(f"expected {PACKAGE} not to be imported yet: every mutant would be the original")
    begun, package = time.monotonic(), ROOT / PACKAGE.replace(".", "/")
    known = [json.loads(line) for line in told.out.read_text().splitlines()] if told.out.exists() else []
    seen = {(row["file"], row["what"]) for row in known}
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(package.glob("*.py"))}
    todo = [(path, what) for path, source in sources.items() for what, _ in mutants(source)]
    whole = package / "watchdog.py"
    if noticed(f"{PACKAGE}.{whole.stem}", whole, ast.parse(sources[whole])):
        raise SystemExit("expected the tests to pass without a mutant: they would seem to notice everything")
    random.Random(1).shuffle(todo)  # a part of them is a fair sample
    with told.out.open("a") as out:
        for path, wanted in todo:
            if (path.name, wanted) in seen or time.monotonic() - begun > told.seconds:
                continue
            name = PACKAGE if path.stem == "__init__" else f"{PACKAGE}.{path.stem}"
            tree = next(tree for what, tree in mutants(sources[path]) if what == wanted)
            row = {"file": path.name, "what": wanted, "noticed": noticed(name, path, tree)}
            known.append(row)
            print(json.dumps(row), file=out, flush=True)
    print(f"{len(known)} of {len(todo)} mutants tried")
    count = Counter(row["noticed"] for row in known)
    for row in known:
        if not row["noticed"]:
            print(f"not noticed: {row['file']}:{row['what']}")
    print(f"{count[True]} of {len(known)} mutants noticed, {100 * count[True] / max(1, len(known)):.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
