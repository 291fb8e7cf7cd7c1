"""Try refused messages again, as if they arrived now at the instant they did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from telemetry.ingest.intake import Intake, IntakeSettings
from telemetry.store.journal import Archive, DeadLetter


def replay(store: Archive, letters: Sequence[DeadLetter], settings: IntakeSettings | None = None) -> tuple[int, int]:
    """Return how many of `letters` (oldest first) are stored now and forgotten as dead, and how many stay dead.

    A payload that was cut when it was kept stays dead. Killed in between, some are stored and still listed: trying
    them once more changes nothing.
    """
    intake = Intake(settings or IntakeSettings(), store.last().values())
    whole = [letter for letter in letters if letter.size == len(letter.payload)]
    stored = [letter.id for letter in whole if intake.take(letter.topic, letter.payload, letter.at)]
    store.commit(replace(intake.batch(0), dead_letters=()))
    store.drop_dead_letters(stored)
    return len(stored), len(letters) - len(stored)
