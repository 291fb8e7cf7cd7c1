"""Average precision is computed as in the literature, on cases small enough to do by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vision.bench import ClassResult, average_precision, precision_recall
from vision.matching import intersection_over_union, match

A, B = (0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0)


def result(scores, hits, positives):
    return ClassResult(scores=np.array(scores, float), hits=np.array(hits, bool), positives=positives)


def test_overlap_of_two_boxes():
    assert intersection_over_union(A, A) == 1.0
    assert intersection_over_union(A, B) == 0.0
    assert intersection_over_union(A, (5.0, 0.0, 15.0, 10.0)) == pytest.approx(1 / 3)


def test_everything_found_is_one_and_nothing_found_is_zero():
    assert average_precision(result([0.9, 0.8], [1, 1], 2)) == 1.0
    assert average_precision(result([], [], 3)) == 0.0
    assert np.isnan(average_precision(result([0.5], [0], 0)))


def test_average_precision_interpolates_at_all_points():
    # Hits at ranks 1 and 3 of 2 positives: precision 1 up to recall 0.5, then 2/3.
    assert average_precision(result([0.9, 0.8, 0.7], [1, 0, 1], 2)) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    # The miss comes first: precision 0.5 up to recall 0.5, envelope lifts it to 2/3.
    assert average_precision(result([0.9, 0.8, 0.7], [0, 1, 1], 2)) == pytest.approx(2 / 3)
    # One of four found at rank 1.
    assert average_precision(result([0.9, 0.1], [1, 0], 4)) == pytest.approx(0.25)


def test_order_of_input_does_not_matter_but_scores_do():
    assert average_precision(result([0.7, 0.9, 0.8], [1, 1, 0], 2)) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_label_is_matched_once_by_the_best_score():
    pairs = match([(0.5, A), (0.9, A), (0.4, B)], [A, B], 0.5)
    assert pairs == [(0.9, True), (0.5, False), (0.4, True)]


def test_a_loose_box_is_a_hit_at_half_and_a_miss_at_three_quarters():
    loose = (0.0, 0.0, 10.0, 15.0)
    assert match([(0.9, loose)], [A], 0.5) == [(0.9, True)]
    assert match([(0.9, loose)], [A], 0.75) == [(0.9, False)]


def test_precision_and_recall_at_the_working_threshold():
    precision, recall = precision_recall(result([0.9, 0.5, 0.1], [1, 0, 1], 4), 0.35)
    assert (precision, recall) == (0.5, 0.25)
