"""The blocks of Python in the README run as they stand, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.skipif(not README.exists(), reason="the README is not beside the tests")
def test_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    tour, run, late, events, liar = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(tour, names)

    assert "topT-sc-exact: step size 1" in capsys.readouterr().out
    exec(run.replace("iterations=200", "iterations=5"), names)
    assert names["result"].gap[-1] < names["result"].gap[0]
    exec(late, names)
    assert names["trace"].message_delay.mean() <= 7
    exec(events, names)
    assert names["W"].shape == (8, 8)
    with pytest.raises(AssertionError, match=r"Optimistic\(k=4\) claims Contractive"):
        exec(liar, names)
