"""`berrybrain train` says what is missing, in one line."""

from __future__ import annotations

import sys

from click.testing import CliRunner

from dashboard.cli.train import command


def test_without_torch_the_line_to_type_is_given(monkeypatch, tmp_path):
    for name in [
        m for m in sys.modules if m == "torch" or m.startswith(("torch.", "vision.train", "vision.net.model"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    result = CliRunner().invoke(command, ["--pictures", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "training needs torch: pip install 'berrybrain[train]'" in result.output
