"""A model in one file: a zip with the OpenVINO graph, its weights and a page that says what it is."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from vision.net.layout import CHANNELS, PROTOTYPES, VERSION

GRAPH, WEIGHTS, ABOUT = "model.xml", "model.bin", "about.json"
PRECISIONS = ("int8", "fp32")


class ModelFileError(ValueError):
    """A model file that cannot be used; the message says what was expected and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A network as read from its file.

    Attributes:
        graph: OpenVINO's XML.
        weights: OpenVINO's binary.
        about: version, precision, channels, training data and figures.
    """

    graph: bytes
    weights: bytes
    about: dict[str, Any]


def write_model(path: Path, model: ModelFile) -> None:
    """Write `model`; the version and the layout of the channels are added to its page."""
    about = {**model.about, "version": VERSION, "channels": CHANNELS, "prototypes": PROTOTYPES}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            (ABOUT, json.dumps(about, indent=1).encode()),
            (GRAPH, model.graph),
            (WEIGHTS, model.weights),
        ):
            # A fixed date: the same network gives the same file.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def read_model(path: Path) -> ModelFile:
    """Return the model in `path`.

    Raises:
        ModelFileError: the file is missing, damaged, no model, or of another version.
    """
    advice = "take the file of this release again, or train one with `berrybrain train`"
    if not path.is_file():
        raise ModelFileError(f"expected a model file, got {path}: there is no such file; {advice}")
    try:
        with zipfile.ZipFile(path) as archive:
            missing = {GRAPH, WEIGHTS, ABOUT} - set(archive.namelist())
            if missing:
                raise ModelFileError(
                    f"expected {GRAPH}, {WEIGHTS} and {ABOUT} in {path}, {', '.join(sorted(missing))} missing; {advice}"
                )
            about = json.loads(archive.read(ABOUT))
            graph, weights = archive.read(GRAPH), archive.read(WEIGHTS)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{path} is damaged or no model file ({error}); {advice}") from None
    expected = {"version": VERSION, "channels": CHANNELS, "prototypes": PROTOTYPES}
    found = {key: about.get(key) if isinstance(about, dict) else None for key in expected}
    if found != expected:
        raise ModelFileError(f"expected a model of {expected}, got {found} in {path}; {advice}")
    return ModelFile(graph=graph, weights=weights, about=about)


def shipped_model(precision: str = "int8") -> ModelFile:
    """Return the model that comes with this package.

    Raises:
        ModelFileError: it is not there or damaged.
    """
    if precision not in PRECISIONS:
        raise ModelFileError(f"expected a precision of {PRECISIONS}, got {precision!r}")
    with as_file(files("vision") / "models" / f"berries-{precision}.zip") as path:
        return read_model(path)
