from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from taciturn.theory import catalogue, theorem
from taciturn.verification.plots import plot, typical_parameters

DRAWN = ("rate", "bound", "decrease", "value", "bits", "iterations")


@pytest.mark.parametrize("entry", catalogue("adaptive-compression"), ids=lambda entry: entry.id)
def test_every_theorem_with_a_formula_has_a_picture(entry) -> None:  # type: ignore[no-untyped-def]
    picture = plot(entry)

    assert (picture is not None) == any(getattr(entry, name) is not None for name in DRAWN)
    if picture is not None:
        curves = ElementTree.fromstring(picture.svg).findall("polyline")
        assert len(curves) == max(1, len(picture.curves))
        assert all(len(curve.get("points", "").split()) > 1 for curve in curves)
        assert "nan" not in picture.svg


def test_other_subjects_are_drawn_without_knowing_them() -> None:
    for entry in catalogue():
        plot(entry)


def test_the_curve_is_the_bound() -> None:
    entry = theorem("topT-pl-rate")
    picture = plot(entry)
    assert picture is not None
    (first, *_) = ElementTree.fromstring(picture.svg).findall("polyline")
    points = np.array([pair.split(",") for pair in first.get("points", "").split()], dtype=float)

    # A geometric bound is a straight line on the logarithmic scale, up to a tenth of a pixel.
    line = np.polyval(np.polyfit(points[:, 0], points[:, 1], 1), points[:, 0])

    assert picture.curves[0] == r"\alpha=1"
    assert points[-1, 1] > points[0, 1] + 100
    assert np.max(np.abs(line - points[:, 1])) < 0.1


def test_typical_values_lie_in_the_range_of_the_theorem() -> None:
    for entry in catalogue("adaptive-compression"):
        entry.evaluate(**typical_parameters(entry))


def test_axes_have_few_round_numbers() -> None:
    for entry in catalogue("adaptive-compression"):
        picture = plot(entry)
        if picture is not None:
            assert 2 <= len(re.findall("text-anchor=.middle", picture.svg)) <= 8
            assert 2 <= len(re.findall("text-anchor=.end", picture.svg)) <= 12
