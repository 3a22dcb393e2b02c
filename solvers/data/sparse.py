"""Large sparse sets: RCV1 through scikit-learn's fetcher, and any file in the svmlight format."""

from pathlib import Path

import numpy as np
from scipy import sparse

from ..array import check_count
from .dataset import Dataset, scikit_learn_datasets

__all__ = ["load_rcv1", "load_svmlight"]


def load_rcv1() -> Dataset:
    """Return the training part of RCV1 as a problem with two classes, d = 47,236.

    A document of the topics CCAT or ECAT is labelled +1, one of GCAT or MCAT -1; documents of both sides or of
    neither are left out. Rows are TF-IDF of unit norm. Fetched once by scikit-learn, which keeps it in its cache.

    Raises
    ------
    ImportError
        If scikit-learn is missing.
    ConnectionError
        If the set is not in the cache and cannot be fetched.
    """
    fetch = scikit_learn_datasets("load_rcv1").fetch_rcv1
    try:
        bunch = fetch(subset="train")
    except OSError as error:  # what urllib raises, whatever went wrong on the way
        raise ConnectionError(f"RCV1 could not be fetched: {error}") from error
    topics = dict(zip(bunch.target_names, bunch.target.T.toarray().astype(bool), strict=True))
    positive, negative = topics["CCAT"] | topics["ECAT"], topics["GCAT"] | topics["MCAT"]
    kept = positive ^ negative
    return Dataset("rcv1", sparse.csr_array(bunch.data)[kept], np.where(positive[kept], 1.0, -1.0))


def load_svmlight(path: str | Path, columns: int | None = None) -> Dataset:
    """Return a file of lines `target index:value index:value ...` (svmlight, LIBSVM).

    Parameters
    ----------
    path : path
        The file; .gz and .bz2 are unpacked on the way.
    columns : int, optional
        Number of features; default the largest index in the file.

    Returns
    -------
    Dataset
        CSR features, targets as they stand in the file.

    Raises
    ------
    ImportError
        If scikit-learn is missing.
    FileNotFoundError
        If there is no such file.
    TypeError
        If columns is not an integer.
    ValueError
        If columns is below 1 or the number of features in the file; if the file is truncated, not in this format, or
        has no line or a number that is not finite.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiny.svm"
    ...     _ = path.write_text("1 1:0.5 3:2\\n-1 2:1\\n")
    ...     load_svmlight(path)
    Dataset('tiny', 2 x 3)
    """
    path = Path(path)
    columns = None if columns is None else check_count(columns, "columns")
    load = scikit_learn_datasets("load_svmlight").load_svmlight_file
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        features, targets = load(str(path))
    except (ValueError, OverflowError, OSError, EOFError) as error:
        raise ValueError(f"{path} is corrupt or not an svmlight file: {error}") from error
    if not len(targets):
        raise ValueError(f"{path} is corrupt or not an svmlight file: it has no line")
    if not (np.isfinite(features.data).all() and np.isfinite(targets).all()):
        raise ValueError(f"{path} has numbers that are NaN or infinite; accepted: finite numbers")
    rows, found = features.shape
    if columns is not None and columns < found:
        raise ValueError(f"columns = {columns} is outside the accepted range {found}..: {path} has as many features")
    shape = (rows, columns or found)
    features = sparse.csr_array((features.data, features.indices, features.indptr), shape)
    return Dataset(path.name.split(".")[0], features, targets)
