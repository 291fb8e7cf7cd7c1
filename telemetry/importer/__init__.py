"""Measured data from files of others: read, understood, mapped to the farm's metrics, and replayed over MQTT.

`table` finds the rows in a file, `times` and `numbers` read cells, `units` and `mapping` say what a column is, `rows`
turns lines into measurements and counts what it turns away, `understand` does all that for a file, `replay` sends the
measurements as a device of their own.
"""

from __future__ import annotations


class ImportFileError(ValueError):
    """A file is not what the importer takes; the text says what was expected, found, and what to do."""

    code = "import_refused"
