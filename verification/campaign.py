"""Campaigns: every theorem put to every witness, on as many processes as there are, resumable."""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from taciturn import solvers, theory
from taciturn.theory.catalogue import catalogue, theorem
from taciturn.theory.checks import check_choice, check_count
from taciturn.theory.theorem import Theorem

from .evidence import BUDGETS, Budget, Evidence, Verdict
from .evidence_log import Answer, Question, append_answer, prepare_log
from .witnesses import WITNESSES, load_witness

__all__ = ["Progress", "verify"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what was just done (in words), how many parts are done, and how many there are."""


def verify(
    theorems: Theorem | str | Iterable[Theorem | str] | None = None,
    *,
    witnesses: Sequence[str] = tuple(WITNESSES),
    budget: str | Budget = "quick",
    output: Path | None = None,
    jobs: int = 1,
    backend: str = "loky",
    resume: bool = True,
    progress: Progress | None = None,
) -> tuple[Evidence, ...]:
    """Put theorems to witnesses.

    Parameters
    ----------
    theorems
        Theorems, IDs or subjects, one or several; all of the catalogue if absent.
    witnesses
        Names from `taciturn.verification.witnesses.WITNESSES`.
    budget
        How hard the witnesses try: ``"quick"``, ``"full"`` or a `Budget`.
    output
        A JSON-lines file, to which every finding is appended the moment it is there.
    jobs
        Processes; -1 for one per core.
    backend
        Of joblib: ``"loky"`` for processes on this machine; ``"dask"`` (extra ``dask``) for the current Dask client, or
        else the scheduler that ``DASK_SCHEDULER_ADDRESS`` names, or else a local cluster; any other that is registered
        with joblib and has one thread per process.
    resume
        Whether to go on from the findings in `output` that answer exactly these questions (same theorem, witness,
        budget and seed, same version and sources of the library). Else the file is kept beside the new one, with
        ``.previous`` after its name.
    progress
        Called after every finding.

    Returns
    -------
    tuple of Evidence
        In the order of the theorems, then of the witnesses; the same on any number of processes. A witness that raises
        gives evidence with the verdict "not solved" and the text of the exception.

    Raises
    ------
    ValueError
        For unknown names, numbers out of range, or a corrupt line in `output`, which is then left as it is.
    OSError
        If `output` cannot be written.
    ImportError
        If the extra ``dask`` is needed and missing.

    Examples
    --------
    >>> [finding.verdict.value for finding in verify("topT-pl-rate", witnesses=["certificate"])]
    ['held']
    """
    chosen = _chosen(theorems)
    for name in witnesses:
        check_choice(name, "witness", tuple(WITNESSES))
    if isinstance(budget, str):
        check_choice(budget, "budget", tuple(BUDGETS))
        budget = BUDGETS[budget]
    check_count(jobs, "jobs", lowest=-1)
    if jobs == 0:
        raise ValueError("jobs = 0 is outside the accepted range 1, 2, ..., or -1 for one per core")

    questions = {_question(entry, name, budget): (entry, name) for entry in chosen for name in witnesses}
    answers: dict[Question, Answer] = {}
    # The backend comes first: where there is none of that name, earlier findings stay where they are.
    with _processes(backend, jobs):
        if output is not None:
            known = {answer.question: answer for answer in prepare_log(output, fresh=not resume) if answer.is_final}
            answers = {question: known[question] for question in questions if question in known}
        if progress is not None:
            progress("", len(answers), len(questions))
        open_questions = [
            (question, *parts, budget) for question, parts in questions.items() if question not in answers
        ]
        for answer in _answers(open_questions):
            if output is not None:
                append_answer(output, answer)
            answers[answer.question] = answer
            if progress is not None:
                progress(f"{answer.question.theorem}, {answer.question.witness}", len(answers), len(questions))
    return tuple(finding for question in questions for finding in answers[question].findings)


def _chosen(theorems: Theorem | str | Iterable[Theorem | str] | None) -> tuple[Theorem, ...]:
    if theorems is None:
        return catalogue()
    if isinstance(theorems, (Theorem, str)):
        theorems = (theorems,)
    subjects = {entry.subject for entry in catalogue()}
    found: list[Theorem] = []
    for entry in theorems:
        if isinstance(entry, Theorem):
            found.append(entry)
        elif entry in subjects:
            found += catalogue(entry)
        else:
            found.append(theorem(entry))
    return tuple(found)


def _question(entry: Theorem, witness: str, budget: Budget) -> Question:
    digest = hashlib.sha256(f"{_library()} {entry!r}".encode()).hexdigest()[:16]
    return Question(entry.id, witness, json.dumps(asdict(budget)), digest)


@cache
def _library() -> str:
    """Version and sources of the rooms that decide an answer.

    The version alone would let an answer survive the correction of the witness that gave it.
    """
    sources = hashlib.sha256()
    for folder in (Path(theory.__file__).parent, Path(solvers.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            sources.update(path.read_bytes())
    return f"{version('taciturn')} {sources.hexdigest()}"


def _answers(questions: Sequence[tuple[Question, Theorem, str, Budget]]) -> Iterator[Answer]:
    """The answers, as they come."""
    if not questions:
        return
    from joblib import Parallel, delayed

    # One question at a time: an answer in a batch would wait for the others.
    yield from Parallel(batch_size=1, return_as="generator_unordered")(
        delayed(_answer)(*question) for question in questions
    )


def _answer(question: Question, entry: Theorem, witness: str, budget: Budget) -> Answer:
    start = time.perf_counter()
    try:
        # By way of JSON: an answer is the same whether it is new or was read from a file.
        return Answer.from_line(Answer(question, load_witness(witness)(entry, budget)).as_line())
    except Exception as error:  # whatever a witness raises is its answer
        details = {"raised": type(error).__name__, "traceback": traceback.format_exc()}
        prose = f"the witness raised {type(error).__name__}: {error}"
        seconds = time.perf_counter() - start
        finding = Evidence(entry.id, witness, Verdict.NOT_SOLVED, None, prose, seconds, details)
        return Answer(question, (finding,))


@contextmanager
def _processes(backend: str, jobs: int) -> Iterator[None]:
    """Where answers are computed; an unknown backend is refused on entry."""
    from joblib import parallel_config

    with _cluster(backend, jobs), parallel_config(backend, n_jobs=jobs):
        yield


def _cluster(backend: str, jobs: int) -> AbstractContextManager[Any]:
    """The Dask cluster of a campaign; it is closed afterwards if it was started here."""
    if backend == "threading":
        raise ValueError("backend = 'threading': worst-case programs keep global state; accepted: processes")
    if backend != "dask":
        return nullcontext()
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ImportError("backend = 'dask' needs the extra: pip install 'taciturn[dask]'") from error
    try:
        client = Client.current()
        cluster: AbstractContextManager[Any] = nullcontext()
    except ValueError:  # there is none yet
        client = cluster = Client(n_workers=None if jobs < 0 else jobs, threads_per_worker=1)
    threads = max(client.nthreads().values(), default=1)
    if threads > 1:
        raise ValueError(
            f"backend = 'dask' has workers with {threads} threads; worst-case programs keep global state: "
            "start workers with one thread each (--nthreads 1)"
        )
    return cluster
