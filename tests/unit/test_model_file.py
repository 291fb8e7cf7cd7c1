"""A model file that is damaged, foreign or of another version is refused with what was expected."""

from __future__ import annotations

import json
import zipfile

import pytest

from vision.net.layout import CHANNELS, PROTOTYPES, VERSION
from vision.net.modelfile import ModelFile, ModelFileError, read_model, shipped_model, write_model

MODEL = ModelFile(graph=b"<net/>" * 50, weights=bytes(range(256)) * 40, about={"precision": "int8"})


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "berries.zip"
    write_model(path, MODEL)
    return path


def rewritten(path, **changes):
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    about = {**json.loads(content["about.json"]), **changes}
    content["about.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_what_is_written_is_read_and_the_same_model_gives_the_same_bytes(written, tmp_path):
    model = read_model(written)
    assert (model.graph, model.weights) == (MODEL.graph, MODEL.weights)
    assert model.about == {"precision": "int8", "version": VERSION, "channels": CHANNELS, "prototypes": PROTOTYPES}
    again = tmp_path / "again.zip"
    write_model(again, MODEL)
    assert again.read_bytes() == written.read_bytes()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"nothing\.zip.*no such file"):
        read_model(tmp_path / "nothing.zip")


@pytest.mark.parametrize("content", [b"", b"no model at all", b"PK\x03\x04 half a zip"])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "berries.zip"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged or no model file"):
        read_model(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_that_was_cut_short_is_refused(written, share):
    data = written.read_bytes()
    written.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ModelFileError, match="damaged"):
        read_model(written)


def test_one_changed_byte_of_the_weights_is_noticed(tmp_path):
    path = tmp_path / "berries.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        about = {"version": VERSION, "channels": CHANNELS, "prototypes": PROTOTYPES}
        archive.writestr("about.json", json.dumps(about))
        archive.writestr("model.xml", MODEL.graph)
        archive.writestr("model.bin", MODEL.weights)
    data = bytearray(path.read_bytes())
    data[data.index(MODEL.weights) + 1000] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelFileError, match="damaged"):
        read_model(path)


def test_another_version_is_refused_and_both_are_named(written):
    rewritten(written, version=VERSION + 1)
    with pytest.raises(ModelFileError, match=rf"expected .*{VERSION}.*got .*{VERSION + 1}"):
        read_model(written)


def test_another_layout_of_channels_is_refused(written):
    rewritten(written, channels=CHANNELS - 1)
    with pytest.raises(ModelFileError, match="channels"):
        read_model(written)


def test_a_zip_without_weights_is_refused(tmp_path):
    path = tmp_path / "berries.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("about.json", "{}")
    with pytest.raises(ModelFileError, match=r"model\.bin, model\.xml missing"):
        read_model(path)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ModelFileError, match="int8"):
        shipped_model("int4")
