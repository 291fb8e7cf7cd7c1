"""Make `import rclpy`, `from std_msgs.msg import String` and the side packages resolve to ours where there is no ROS.

`rclpy.X` is the module `robot.ros.X` itself, `tf2_ros` is `robot.ros.packages.tf2_ros`, and every package of interface
files is a package whose classes are made when they are named. Where a real rclpy can be found, this one stands aside.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from robot.ros.generate import snake_case
from robot.ros.idl import InterfaceError
from robot.ros.registry import KINDS, Registry

CLIENT_LIBRARY = "rclpy"
OURS = "robot.ros"
SIDE = "robot.ros.packages"
METACLASS = "Metaclass_"
EXTRAS = {"test_msgs.message_fixtures": f"{SIDE}.test_msgs_fixtures"}  # Python modules in packages of messages


class Finder(MetaPathFinder):
    """Stands first in `sys.meta_path`, so that folders of interface files are not taken for namespace packages.

    Args:
        registry: knows the packages of interface files.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, _, rest = fullname.partition(".")
        real = self._ours(top, fullname)
        if real is None and not self._registry.has(top):
            return None
        if (self.knows_real(top) or self.knows_real(CLIENT_LIBRARY)) if not rest else not self._is_bound(top):
            return None
        if fullname in EXTRAS:
            real = EXTRAS[fullname]
        if real is not None:
            return ModuleSpec(fullname, _Alias(real)) if importlib.util.find_spec(real) else None
        return _messages(self._registry, fullname)

    def _ours(self, top: str, fullname: str) -> str | None:
        if top == CLIENT_LIBRARY:
            return OURS + fullname[len(top) :]
        if not top.startswith("_") and (Path(__file__).parent / "packages" / top).is_dir():
            return f"{SIDE}.{fullname}"
        return None

    def _is_bound(self, top: str) -> bool:
        spec = getattr(sys.modules.get(top), "__spec__", None)
        return spec is not None and (spec.name.startswith(OURS) or isinstance(spec.loader, _Messages))

    def knows_real(self, name: str) -> bool:
        """Say whether another finder knows a package of that name; a bare folder (a namespace package) is none."""
        if name in sys.modules:
            return not self._is_bound(name)
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if isinstance(finder, Finder) or find is None else find(name, None)
            if spec is not None and spec.loader is not None and spec.origin is not None:
                return not _is_unbuilt(Path(spec.origin).parent)
        return False


def _is_unbuilt(package: Path) -> bool:
    """Say whether a folder is the checkout of a ROS package with compiled parts that were never compiled."""
    checkout = (package.parent / "package.xml").is_file() and (package.parent / "CMakeLists.txt").is_file()
    return checkout and not any(package.glob("*.so"))


class _Alias(Loader):
    """Give a module a second name: it is the same object under both."""

    def __init__(self, real: str) -> None:
        self._real = real
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._real)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # importlib has put the alias's own there


class _Messages(Loader):
    """Make `std_msgs`, `std_msgs.msg` or `std_msgs.msg._string`."""

    def __init__(self, names: Callable[[], list[str]], get: Callable[[str], object]) -> None:
        self._names, self._get = names, get

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def find(name: str) -> object:
            if name.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            try:
                found = self._get(name)
            except (InterfaceError, ModuleNotFoundError) as error:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}: {error}") from error
            setattr(module, name, found)
            return found

        module.__dict__.update(__getattr__=find, __dir__=self._names, __all__=self._names())


def _messages(registry: Registry, fullname: str) -> ModuleSpec | None:
    package, *rest = fullname.split(".")
    if not rest:
        loader = _Messages(
            lambda: [kind for kind in KINDS if registry.names(package, kind)],
            lambda kind: importlib.import_module(f"{package}.{kind}"),
        )
        return ModuleSpec(fullname, loader, is_package=True)
    kind = rest[0]
    if kind not in KINDS or not (names := registry.names(package, kind)):
        return None
    if len(rest) == 2:
        names = [name for name in names if "_" + snake_case(name) == rest[1]]
        if not names:
            return None

    def get(name: str) -> object:
        """Find a class, or the metaclass that rosidl's modules have beside it."""
        found = registry.get(f"{package}/{kind}/{name.removeprefix(METACLASS)}")
        return type(found) if name.startswith(METACLASS) else found

    loader = _Messages(lambda: names, get)
    return ModuleSpec(fullname, loader, is_package=len(rest) == 1)


def install(registry: Registry | None = None) -> bool:
    """Let ROS's packages be imported from here on; return False, and do nothing, where a real rclpy can be imported."""
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return True
    if Finder(Registry([])).knows_real(CLIENT_LIBRARY):
        return False
    from robot.ros import interfaces

    sys.meta_path.insert(0, Finder(registry or interfaces.registry))
    importlib.invalidate_caches()
    return True


def uninstall() -> None:
    """Take the finder away, and the names it has given."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None:
            continue
        if isinstance(spec.loader, _Messages) or (spec.name != name and spec.name.startswith(OURS)):
            del sys.modules[name]
