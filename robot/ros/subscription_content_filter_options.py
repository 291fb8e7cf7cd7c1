"""What a subscription wants to see of its topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class ContentFilterOptions(NamedTuple):
    """A filter, in the SQL of DDS.

    Attributes:
        filter_expression: for example `temperature > %0 AND name = 'a'`; "" = none.
        expression_parameters: what `%0`, `%1` … stand for: numbers, or text in quotes.
    """

    filter_expression: str
    expression_parameters: Sequence[str] = ()
