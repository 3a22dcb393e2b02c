"""The file that a campaign writes: one JSON line for every question answered, in the order of the answers.

A question is a theorem put to a witness. Lines are only ever appended, each with one call and flushed to the disk, so a
run that is killed loses at most the line it was writing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .evidence import Evidence

__all__ = ["Answer", "Question", "append_answer", "latest_evidence", "prepare_log", "read_answers"]


@dataclass(frozen=True)
class Question:
    """What a witness was asked.

    Parameters
    ----------
    theorem, witness
        By ID and by name.
    budget
        The fields of the `Budget`, the seed among them, as JSON.
    digest
        Of everything that decides the answer: the theorem's data, the version and the sources of the library. An answer
        to another digest is stale.
    """

    theorem: str
    witness: str
    budget: str
    digest: str


@dataclass(frozen=True)
class Answer:
    """What the witness found."""

    question: Question
    findings: tuple[Evidence, ...]

    @property
    def is_final(self) -> bool:
        """Whether the witness came to an end; one that raised an exception is asked again."""
        return not any("raised" in finding.details for finding in self.findings)

    def as_line(self) -> bytes:
        """One line of JSON.

        Raises
        ------
        TypeError, ValueError
            If a finding holds something else than JSON data; NaN and infinity are no JSON data.
        """
        record = vars(self.question) | {"findings": [finding.as_record() for finding in self.findings]}
        return json.dumps(record, allow_nan=False, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Answer:
        """Read the answer written by `as_line`.

        Raises
        ------
        ValueError
            If the line is no such answer.
        """
        try:
            record: Mapping[str, Any] = json.loads(line)
            question = Question(*(record[name] for name in ("theorem", "witness", "budget", "digest")))
            return cls(question, tuple(Evidence.from_record(finding) for finding in record["findings"]))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no answer of a witness ({type(error).__name__}: {error})") from error


def prepare_log(path: Path, *, fresh: bool = False) -> tuple[Answer, ...]:
    """Make the file ready for appending and return what it holds.

    A line that a killed run left unfinished at the end is cut off.

    Parameters
    ----------
    path
        The file; it and its folder are made if they do not exist.
    fresh
        Whether to start anew: what is there, if it is not empty, is kept beside it, with ``.previous`` after its name.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If it is a folder or a device, or if a line is corrupt; the file is left as it is.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no regular file; choose another output")
    path.parent.mkdir(parents=True, exist_ok=True)
    if fresh and path.exists() and path.stat().st_size > 0:
        path.replace(path.with_name(f"{path.name}.previous"))
    with path.open("ab"):
        pass
    answers, length = _read(path)
    if length < path.stat().st_size:
        os.truncate(path, length)
    return answers


def append_answer(path: Path, answer: Answer) -> None:
    """Write one answer; when the call returns, it is on the disk."""
    with path.open("ab") as file:
        file.write(answer.as_line())
        file.flush()
        os.fsync(file.fileno())


def read_answers(path: Path) -> tuple[Answer, ...]:
    """Return everything in the file, but for an unfinished last line.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If a line is corrupt; the message gives its number.
    """
    return _read(path)[0]


def latest_evidence(path: Path) -> tuple[Evidence, ...]:
    """Return the last answer to each theorem and witness, whatever the budget, in order of their first appearance."""
    latest = {(answer.question.theorem, answer.question.witness): answer for answer in read_answers(path)}
    return tuple(finding for answer in latest.values() for finding in answer.findings)


def _read(path: Path) -> tuple[tuple[Answer, ...], int]:
    """The answers, and the length of the lines that are finished."""
    *lines, unfinished = path.read_bytes().split(b"\n")
    answers = []
    for number, line in enumerate(lines, start=1):
        try:
            answers.append(Answer.from_line(line))
        except ValueError as error:
            raise ValueError(
                f"{path}, line {number}: {error}; remove the line, or choose another output or a fresh start"
            ) from error
    return tuple(answers), path.stat().st_size - len(unfinished)
