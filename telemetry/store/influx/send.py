"""Send lines to the server: what fails for now waits in the queue, what is wrong with a line is found and told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import urllib3
from influxdb_client import InfluxDBClient, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from telemetry.store.influx import InfluxSettings, OutsideError
from telemetry.store.influx.queue import Queue

log = logging.getLogger(__name__)

LASTING = (400, 413, 422)
"""The lines are at fault. Anything else - no token, no bucket, too busy - is mended elsewhere, and the lines wait."""
AT_ONCE = 20
"""So many waiting batches are sent in a row; whoever writes goes on then."""
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0


class Wire(Protocol):
    """Takes lines to a server."""

    def send(self, lines: Sequence[str]) -> None:
        """Return when the server has them.

        Raises:
            OutsideError: it has not taken all of them.
        """
        ...

    def close(self) -> None: ...


class ClientWire:
    """influxdb-client, synchronous: its batching mode reports losses to a callback only."""

    def __init__(self, settings: InfluxSettings) -> None:
        milliseconds = round(settings.timeout_s * 1000.0)
        self._client = InfluxDBClient(
            url=settings.url,
            token=settings.token,
            org=settings.org,
            timeout=milliseconds,
            enable_gzip=True,
            retries=False,
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        self._bucket = settings.bucket

    def send(self, lines: Sequence[str]) -> None:
        try:
            self._api.write(bucket=self._bucket, record="\n".join(lines), write_precision=WritePrecision.MS)
        except ApiException as error:
            raise OutsideError(
                f"{error.status}: {error.message or error.reason}", lasting=error.status in LASTING
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise OutsideError(str(error), lasting=False) from None

    def close(self) -> None:
        self._api.close()
        self._client.close()


class PlainWire:
    """`/write` of InfluxDB 1.x."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._http = urllib3.PoolManager(timeout=settings.timeout_s, retries=False)
        self._url = f"{settings.url.rstrip('/')}/write"
        self._fields = {"db": settings.bucket, "precision": "ms"}
        self._headers = urllib3.make_headers(basic_auth=settings.token or None)

    def send(self, lines: Sequence[str]) -> None:
        from urllib.parse import urlencode

        url = f"{self._url}?{urlencode(self._fields)}"
        try:
            answer = self._http.request("POST", url, body="\n".join(lines).encode(), headers=self._headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise OutsideError(str(error), lasting=False) from None
        if answer.status >= 300:
            raise OutsideError(f"{answer.status}: {answer.data[:300]!r}", lasting=answer.status in LASTING)

    def close(self) -> None:
        self._http.clear()


class Sender:
    """Sends what it is given, or puts it into the queue, and sends that first as soon as the server takes it.

    Args:
        refused: called with each line that the server will never take, and why.
        monotonic: [s]; it waits longer and longer between tries.
    """

    def __init__(
        self,
        wire: Wire,
        queue: Queue,
        refused: Callable[[str, str], None],
        *,
        batch: int,
        monotonic: Callable[[], float],
    ) -> None:
        self._wire, self._queue, self._refused = wire, queue, refused
        self._batch = batch
        self._monotonic = monotonic
        self._wait = FIRST_WAIT_S
        self._next = float("-inf")

    def send(self, lines: Sequence[str]) -> None:
        """Return when the lines are at the server or in the queue.

        Raises:
            StoreError: they are in neither.
        """
        direct = self.flush()
        for begin in range(0, len(lines), self._batch):
            part = lines[begin : begin + self._batch]
            direct = direct and self._try(part)
            if not direct:
                self._queue.add(part)

    def flush(self) -> bool:
        """Send what waits, when it is time to try again; return whether nothing waits any more."""
        for _ in range(AT_ONCE):
            waiting = self._queue.first()
            if waiting is None:
                return self._monotonic() >= self._next
            number, lines = waiting
            if self._monotonic() < self._next or not self._try(lines):
                return False
            self._queue.drop(number)
        return False

    def _try(self, lines: Sequence[str]) -> bool:
        """Return False when the server takes nothing at the moment."""
        try:
            self._deliver(lines)
        except OutsideError as error:
            log.warning("the time-series server takes nothing, again in %.0f s: %s", self._wait, error)
            self._next = self._monotonic() + self._wait
            self._wait = min(self._wait * 2.0, LONGEST_WAIT_S)
            return False
        self._wait, self._next = FIRST_WAIT_S, float("-inf")
        return True

    def _deliver(self, lines: Sequence[str]) -> None:
        """Send lines; those that are at fault are found by halving, and refused alone. Sent twice is stored once."""
        try:
            self._wire.send(lines)
        except OutsideError as error:
            if not error.lasting:
                raise
            if len(lines) == 1:
                log.warning("a line was refused: %s", error)
                self._refused(lines[0], str(error))
                return
            half = len(lines) // 2
            self._deliver(lines[:half])
            self._deliver(lines[half:])
