"""InfluxDB and VictoriaMetrics as stores of the farm's measurements: written as lines, read by InfluxQL or PromQL.

Every point is one line of the measurement `berrybrain`: tags `site`, `zone`, `device`, `metric`, fields `value`,
`delay` [ms], `quality`, time in ms.
"""

from __future__ import annotations

from dataclasses import dataclass

MEASUREMENT = "berrybrain"
TAGS = ("site", "zone", "device", "metric")
FIELDS = ("value", "delay", "quality")


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxSettings:
    """A server and how it is spoken to.

    Attributes:
        url: http(s)://host:port.
        org, bucket: of InfluxDB 2 and 3; `bucket` is the database of 1.x. VictoriaMetrics knows neither.
        token: or `user:password` for 1.x.
        query: `influxql` (InfluxDB 1.x, 2.x, 3 Core) or `promql` (VictoriaMetrics).
        write: `v2` (through influxdb-client) or `v1` (`/write`, for InfluxDB before 1.8).
        measurement: another name keeps several farms apart in one VictoriaMetrics.
        timeout_s: longest wait for an answer.
        batch: most lines in one request.
        queue_bytes: so much may wait on the disk while the server is away.
    """

    url: str
    org: str = ""
    bucket: str = "berrybrain"
    token: str = ""
    query: str = "influxql"
    write: str = "v2"
    measurement: str = MEASUREMENT
    timeout_s: float = 10.0
    batch: int = 5000
    queue_bytes: int = 2_000_000_000


class OutsideError(Exception):
    """The server did not take or answer something. `lasting`: it would not the next time either."""

    def __init__(self, detail: str, *, lasting: bool) -> None:
        super().__init__(detail)
        self.lasting = lasting
