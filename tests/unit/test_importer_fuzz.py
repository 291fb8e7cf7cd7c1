"""Whatever a file holds, it is read with every line accounted for, or refused in words."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.importer import ImportFileError
from telemetry.importer.mapping import from_toml, to_toml
from telemetry.importer.understand import Wish, understand
from telemetry.messages.tables import metrics

CELLS = st.one_of(
    st.sampled_from(
        ["", "time", "Temp (°C)", "RH (%)", "CO2", "-", "NaN", '"', "00/00/2024", "1,5", "1.5", "99", "=1"]
    ),
    st.sampled_from([f"2024-03-01 {hour:02d}:00" for hour in range(24)]),
    st.sampled_from([f"{day}/3/2024 10:00" for day in range(1, 32)]),
    st.text(max_size=6),
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=14)


@settings(max_examples=150, deadline=None)
@given(lines=LINES, delimiter=st.sampled_from([",", ";", "\t"]), head=st.booleans())
def test_any_table_is_accounted_for_or_refused(lines: list[list[str]], delimiter: str, head: bool) -> None:
    rows = [["time", "Temp (°C)"], *([f"2024-03-0{i} 10:00", f"1{i}"] for i in range(1, 6))] if head else []
    text = "\n".join(delimiter.join(cells) for cells in [*rows, *lines])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_text(text, encoding="utf-8", errors="ignore")
        try:
            found = understand(path, metrics(), Wish(device="d", timezone="Europe/Amsterdam"), now=1.8e9)
        except ImportFileError as error:
            assert "expected" in str(error) or "--" in str(error)
            return
        counts = found.reading.counts
        assert counts.read == counts.kept + counts.duplicates + counts.rejected.total() == len(found.table.rows)
        assert counts.values == counts.points + counts.empty + counts.repeated + counts.refused_values.total()
        mapping = Path(folder) / "m.toml"
        mapping.write_text(to_toml(found.columns, source=path.name), encoding="utf-8")
        assert from_toml(mapping, found.table.names, metrics()) == found.columns


@settings(max_examples=80, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_bytes(content)
        try:
            understand(path, metrics(), Wish(device="d", timezone="UTC"), now=1.8e9)
        except ImportFileError as error:
            assert "expected" in str(error)
