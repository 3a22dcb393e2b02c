import math

import numpy as np
import pytest

from taciturn.theory.checks import check_choice, check_count, check_fraction, check_non_negative, check_positive


@pytest.mark.parametrize(
    "accept",
    [
        lambda: check_count(1, "n"),
        lambda: check_count(np.int64(3), "n", highest=3),
        lambda: check_count(10**400, "n"),
        lambda: check_count(0, "n", lowest=0),
        lambda: check_positive(1e-300, "x"),
        lambda: check_positive(np.float32(2), "x", highest=2),
        lambda: check_non_negative(0, "x"),
        lambda: check_fraction(1, "x"),
        lambda: check_choice("two", "norm", ("max", "two")),
    ],
)
def test_values_in_range_pass(accept):
    accept()


@pytest.mark.parametrize(
    ("refuse", "error", "text"),
    [
        (lambda: check_count(0, "n"), ValueError, r"n = 0 is outside the accepted range 1, 2, \.\.\."),
        (lambda: check_count(4, "n", highest=3), ValueError, r"n = 4 is outside the accepted range 1\.\.3"),
        (lambda: check_count(2.0, "n"), TypeError, "n = 2.0 is a float; an integer is needed"),
        (lambda: check_count(True, "n"), TypeError, "n = True is a bool"),
        (lambda: check_count(np.True_, "n"), TypeError, "an integer is needed"),
        (lambda: check_count(np.array(3), "n"), TypeError, "n = array.3. is a ndarray; an integer is needed"),
        (lambda: check_positive(np.True_, "x"), TypeError, "a real number is needed"),
        (lambda: check_positive(b"1", "x"), TypeError, "x = b'1' is a bytes"),
        (lambda: check_positive(10**400, "x"), ValueError, r"x = inf is outside the accepted range \(0, inf\)"),
        (lambda: check_non_negative(-(10**400), "x"), ValueError, r"x = -inf is outside"),
        (lambda: check_count("2", "n"), TypeError, "n = '2' is a str"),
        (lambda: check_count(None, "n"), TypeError, "n = None is a NoneType"),
        (lambda: check_positive(0, "x"), ValueError, r"x = 0.0 is outside the accepted range \(0, inf\)"),
        (lambda: check_positive(math.inf, "x"), ValueError, "x = inf"),
        (lambda: check_positive(math.nan, "x"), ValueError, "x = nan"),
        (lambda: check_positive(2.1, "x", highest=2), ValueError, r"x = 2.1 is outside the accepted range \(0, 2\]"),
        (lambda: check_positive("1", "x"), TypeError, "x = '1' is a str; a real number is needed"),
        (lambda: check_positive(1j, "x"), TypeError, "a real number is needed"),
        (lambda: check_positive(True, "x"), TypeError, "x = True is a bool"),
        (lambda: check_non_negative(-1e-9, "x"), ValueError, r"x = -1e-09 is outside the accepted range \[0, inf\)"),
        (lambda: check_non_negative(math.nan, "x"), ValueError, "x = nan"),
        (lambda: check_fraction(1.01, "x"), ValueError, r"x = 1.01 is outside the accepted range \(0, 1\]"),
        (lambda: check_choice("maxx", "norm", ("max", "two")), ValueError, "did you mean 'max'"),
        (lambda: check_choice("MAX", "norm", ("max", "two")), ValueError, "did you mean 'max'"),
        (lambda: check_choice("ss", "scheme", ("S", "S+Q", "SS")), ValueError, "did you mean 'SS'"),
        (lambda: check_choice("zzz", "norm", ("max", "two")), ValueError, r"is unknown\. Accepted: 'max', 'two'"),
        (lambda: check_choice(1, "norm", ("max", "two")), ValueError, "norm = 1 is unknown"),
    ],
)
def test_others_are_refused(refuse, error, text):
    with pytest.raises(error, match=text):
        refuse()


@pytest.mark.parametrize(
    ("checked", "number"),
    [
        (check_count(np.uint8(3), "n"), 3),
        (check_positive(np.uint8(3), "x"), 3.0),
        (check_non_negative(np.float32(0.5), "x"), 0.5),
        (check_fraction(1, "x"), 1.0),
    ],
)
def test_accepted_numbers_come_back_as_plain_python_ones(checked, number):
    assert type(checked) is type(number)
    assert checked == number
