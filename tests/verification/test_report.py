from __future__ import annotations

import base64
import io
import json
import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import escape
from rich.console import Console

from taciturn.theory import theorem
from taciturn.verification.evidence import Evidence, Verdict
from taciturn.verification.report import render_report, write_report
from taciturn.verification.summary import is_flagged, overall, summarise, summary_table

THEOREMS = tuple(map(theorem, ("topT-sc-exact", "descent-plus", "eff-threshold", "ss-descent", "ef21-cat-pl")))
CELLS = [{"parameters": {"L": 1.0, "mu": 0.1}, "steps": 2, "ratio": 0.9, "solver": "CLARABEL", "status": "optimal"}]
EVIDENCE = (
    Evidence("topT-sc-exact", "certificate", Verdict.HELD, None, "4 lines & more", 0.5),
    Evidence("topT-sc-exact", "tightness", Verdict.HELD, 0.9, "one step", 1.5, {"cells": CELLS}),
    Evidence("descent-plus", "attack", Verdict.VIOLATED, 1.2, "<b>a counterexample</b>", 2.5, {"worst": {"x": [1.0]}}),
    Evidence("descent-plus", "attack", Verdict.HELD, 0.3, "another attack", 2.5),
    Evidence("eff-threshold", "certificate", Verdict.NOT_APPLICABLE, None, "combinatorial", 0.0),
    Evidence("ss-descent", "experiment", Verdict.NOT_SOLVED, None, "the solver stopped", 0.25),
)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TIMING = re.compile(r'<span class="timing">[^<]*</span>')


class Page(HTMLParser):
    """Checks that tags are balanced, and collects tags, links and identifiers."""

    VOID = frozenset({"meta", "wbr", "br", "img", "mspace"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.links += [value or ""] if name in ("href", "src", "srcset", "xlink:href") else []
            self.ids += [value or ""] if name == "id" else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(EVIDENCE, theorems=THEOREMS)


def test_the_page_stands_alone(page: str) -> None:
    parsed = Page(page)

    assert parsed.open == []
    assert parsed.tags.isdisjoint({"script", "link", "iframe", "object"})
    assert all(link.startswith(("#", "data:")) for link in parsed.links)
    assert {link[1:] for link in parsed.links if link.startswith("#")} <= set(parsed.ids)
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert "url(" not in page
    assert "@import" not in page


def test_every_theorem_has_its_section_with_everything_known(page: str) -> None:
    for entry in THEOREMS:
        section = page[page.index(f'<article id="{entry.id}">') :]
        section = section[: section.index("</article>")]
        assert entry.title in section
        assert entry.source.dossier in section
        assert section.count("<math") > len(entry.assumptions) + len(entry.parameters)
        assert all(str(escape(parameter.meaning)) in section for parameter in entry.parameters)
        assert ('class="certificate"' in section) == (entry.proof is not None)
        assert ("<svg" in section) == bool(entry.parameters)
        if entry.proof is not None:
            assert section.count("<li>") == len(entry.proof.lines)
            assert section.count("<dt>") == len(entry.proof.hypotheses)


def test_no_latex_is_left_over(page: str) -> None:
    assert re.search(r"\\[a-zA-Z{}]", page[page.index("</style>") :]) is None


def test_what_is_flagged_comes_first_and_text_is_escaped(page: str) -> None:
    overview = page.index('id="overview"')

    assert page.index("the solver stopped") < overview
    assert page.index("&lt;b&gt;a counterexample&lt;/b&gt;") < overview
    assert "<b>a counterexample" not in page
    assert 'worst: {"x": [1.0]}' in page.replace("&#34;", '"')


def test_two_pages_differ_only_in_times() -> None:
    later = [replace(finding, seconds=7 * finding.seconds + 0.01) for finding in EVIDENCE]
    first = [finding for finding in later if finding.verdict is Verdict.HELD]
    random.Random(1).shuffle(later)
    later.sort(key=lambda finding: first.index(finding) if finding in first else -1)

    one, two = (render_report(evidence, theorems=THEOREMS) for evidence in (EVIDENCE, later))

    assert one != two
    seen = [TIMING.sub("", page.replace(">0.00 s<", "><")) for page in (one, two)]
    assert re.sub(r"\s+", " ", seen[0]) == re.sub(r"\s+", " ", seen[1])


def test_same_evidence_same_bytes(tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        write_report(EVIDENCE, tmp_path / name, theorems=THEOREMS[:1])

    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "two.html"]


def test_figures_and_claims_are_embedded(tmp_path: Path) -> None:
    (tmp_path / "gain.png").write_bytes(PIXEL)
    (tmp_path / "both.png").write_bytes(PIXEL)
    (tmp_path / "both.svg").write_text("<svg/>")
    check = {
        "quantity": "gain in bits",
        "measured": 31.5,
        "unit": "times",
        "criterion": "at least 1000",
        "holds": False,
    }
    missed = check | {"quantity": "gain in time", "measured": None, "holds": None}
    row = {"claim": "a thousandfold", "verdict": "refuted", "reason": "31 < 1000", "checks": [check, missed]}
    row["theorems"] = ["eff-threshold", "gain-ceiling"]
    (tmp_path / "claims.json").write_text(json.dumps([row]))

    page = render_report((), theorems=THEOREMS[2:3], figures=tmp_path, captions={"gain": "How much is gained."})

    assert base64.b64encode(PIXEL).decode() in page
    assert page.count("<img") == 2
    assert page.count("image/svg+xml") == 1
    assert "How much is gained." in page
    assert "31 &lt; 1000" in page
    assert re.search(r"31.5 times.*✗.*at least 1000.*missed", page, re.DOTALL)
    assert set(Page(page).links) >= {"#eff-threshold"}
    assert "#gain-ceiling" not in page


@pytest.mark.parametrize("content", ["[1,", "[1]", '[{"claim": "a"}]', "3"])
def test_corrupt_claims_leave_the_earlier_page(content: str, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    output.write_text("earlier")
    (tmp_path / "claims.json").write_text(content)

    with pytest.raises(ValueError, match=r"claims\.json"):
        write_report(EVIDENCE, output, theorems=THEOREMS[2:3], figures=tmp_path)

    assert output.read_text() == "earlier"


def test_progress_counts_theorems() -> None:
    seen: list[tuple[str, int, int]] = []

    render_report((), theorems=THEOREMS[2:4], progress=lambda *step: seen.append(step))

    assert seen == [("eff-threshold", 1, 2), ("ss-descent", 2, 2)]


def test_the_summary_counts_and_names_what_is_flagged() -> None:
    summary = json.loads(json.dumps(summarise(EVIDENCE)))

    assert summary["theorems"] == 4
    assert summary["findings"] == 6
    assert summary["verdicts"] == {"held": 3, "violated": 1, "not applicable": 1, "not solved": 1}
    assert [row["theorem"] for row in summary["flagged"]] == ["descent-plus", "ss-descent"]
    assert summary["results"]["descent-plus"]["attack"] == {"verdict": "violated", "ratio": 1.2}
    assert summary["seconds"] == pytest.approx(7.25)


def test_the_worst_verdict_and_the_largest_ratio_decide() -> None:
    assert overall(EVIDENCE) == (Verdict.VIOLATED, 1.2)
    assert overall(EVIDENCE[4:]) == (Verdict.NOT_SOLVED, None)
    assert overall(EVIDENCE[:2]) == (Verdict.HELD, 0.9)
    assert [is_flagged(finding) for finding in EVIDENCE] == [False, False, True, False, False, True]


def test_the_terminal_table_has_a_row_for_every_theorem() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(summary_table(EVIDENCE))
    text = console.file.getvalue()

    assert re.search(r"topT-sc-exact +held +held 0.9000", text)
    assert re.search(r"descent-plus +violated 1.2000", text)
    assert re.search(r"ss-descent +not solved", text)
