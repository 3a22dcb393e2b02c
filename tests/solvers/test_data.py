import gzip
import sys
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from taciturn.solvers.data import load_digits, load_mnist, load_rcv1, load_svmlight, load_text


def test_bundled_text_has_the_documented_shape_and_labels():
    text = load_text()
    assert text.features.shape == (6046, 26521)
    assert text.features.nnz == 944_703
    assert text.features.has_sorted_indices
    assert np.bincount((text.targets > 0).astype(int)).tolist() == [4150, 1896]
    assert set(text.targets.tolist()) == {-1.0, 1.0}


def test_bundled_text_rows_have_unit_norm_but_for_the_empty_message():
    features = load_text().features
    norms = np.sqrt(np.asarray((features**2).sum(axis=1)))
    assert np.sum(norms == 0) == 1
    np.testing.assert_allclose(norms[norms > 0], 1.0, rtol=1e-12)


def test_bundled_text_entries_are_tf_idf(monkeypatch):
    """Ratios inside a row do not depend on its norm: counts times logarithms of document frequencies."""
    text = import_module("taciturn.solvers.data.text")
    archive = np.load(text.files("taciturn.solvers.data").joinpath(text.FILE))
    containing = np.bincount(archive["indices"], minlength=26521)
    start, end = archive["indptr"][5:7]
    expected = np.zeros(26521)
    expected[archive["indices"][start:end]] = archive["counts"][start:end]
    expected *= np.log(6046 / containing)
    row = load_text().features[[5]].toarray()[0]
    np.testing.assert_allclose(row, expected / np.linalg.norm(expected), rtol=1e-12)


def test_corrupt_bundled_text_is_refused(monkeypatch, tmp_path):
    text = import_module("taciturn.solvers.data.text")
    (tmp_path / text.FILE).write_bytes(b"PK not an archive")
    monkeypatch.setattr(text, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=r"spam-assassin-counts\.npz is corrupt"):
        load_text()


def write_mnist(path, **replaced):
    rng = np.random.default_rng(0)
    arrays = {
        "train_images": rng.integers(0, 256, (6, 28, 28), dtype=np.uint8),
        "train_labels": np.arange(6, dtype=np.uint8),
        "test_images": rng.integers(0, 256, (2, 28, 28), dtype=np.uint8),
        "test_labels": np.arange(2, dtype=np.uint8),
    }
    np.savez_compressed(path, **(arrays | replaced))
    return arrays


def test_mnist_reads_a_local_folder_and_the_environment_variable(monkeypatch, tmp_path):
    arrays = write_mnist(tmp_path / "mnist.npz")
    train = load_mnist(tmp_path)
    np.testing.assert_array_equal(train.features, arrays["train_images"].reshape(6, 784) / 255)
    np.testing.assert_array_equal(train.targets, np.arange(6))
    monkeypatch.setenv("TACITURN_DATA", str(tmp_path))
    assert load_mnist(part="test").features.shape == (2, 784)


@pytest.mark.parametrize("keep", [0, 100, -30])
def test_truncated_mnist_is_one_clear_error(tmp_path, keep):
    path = tmp_path / "mnist.npz"
    write_mnist(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"mnist\.npz is corrupt or not MNIST"):
        load_mnist(tmp_path)


def test_damaged_mnist_is_one_clear_error(tmp_path):
    path = tmp_path / "mnist.npz"
    write_mnist(path)
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mnist\.npz is corrupt or not MNIST"):
        load_mnist(tmp_path)


def test_one_array_in_place_of_the_archive_is_one_clear_error(tmp_path):
    with (tmp_path / "mnist.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=r"mnist\.npz is corrupt or not MNIST"):
        load_mnist(tmp_path)


@pytest.mark.parametrize(
    "replaced",
    [
        {"train_images": np.zeros((6, 28, 28))},
        {"train_images": np.zeros((6, 8, 8), dtype=np.uint8)},
        {"train_labels": np.zeros(5, dtype=np.uint8)},
    ],
)
def test_an_archive_of_something_else_is_refused(tmp_path, replaced):
    write_mnist(tmp_path / "mnist.npz", **replaced)
    with pytest.raises(ValueError, match=r"mnist\.npz is not MNIST"):
        load_mnist(tmp_path)


def test_missing_mnist_and_unknown_part_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"mnist\.npz does not exist"):
        load_mnist(tmp_path)
    with pytest.raises(ValueError, match="part = 'tests' is unknown; did you mean 'test'"):
        load_mnist(tmp_path, part="tests")


def test_svmlight_round_trip(tmp_path):
    datasets = pytest.importorskip("sklearn.datasets")
    features = sparse.random_array((7, 5), density=0.5, rng=np.random.default_rng(1), format="csr")
    targets = np.array([1.0, -1, 1, 1, -1, -1, 1])
    path = tmp_path / "some.svm"
    datasets.dump_svmlight_file(features, targets, str(path), zero_based=False)
    loaded = load_svmlight(path, columns=6)
    assert loaded.name == "some"
    np.testing.assert_allclose(loaded.features.toarray()[:, :5], features.toarray(), rtol=1e-12)
    assert loaded.features.shape == (7, 6)
    np.testing.assert_array_equal(loaded.targets, targets)


@pytest.mark.parametrize("content", ["", "1 1:0.5 2:\n", "spam 1:2\n", "1 3:1 2:1\n"])
def test_corrupt_svmlight_is_one_clear_error(tmp_path, content):
    pytest.importorskip("sklearn")
    path = tmp_path / "bad.svm"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"bad\.svm is corrupt or not an svmlight file"):
        load_svmlight(path)


def test_truncated_compressed_svmlight_is_one_clear_error(tmp_path):
    pytest.importorskip("sklearn")
    path = tmp_path / "cut.svm.gz"
    path.write_bytes(gzip.compress(b"1 1:0.5\n" * 500)[:-12])
    with pytest.raises(ValueError, match=r"cut\.svm\.gz is corrupt"):
        load_svmlight(path)


def test_missing_svmlight_file():
    pytest.importorskip("sklearn")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_svmlight("nowhere")


def test_digits():
    pytest.importorskip("sklearn")
    digits = load_digits()
    assert digits.features.shape == (1797, 64)
    assert digits.features.max() == 1.0
    assert set(digits.targets.tolist()) == set(range(10))


def test_parts_of_the_digits_share_no_row_and_are_all_of_them():
    pytest.importorskip("sklearn")
    train, test, both = (load_digits(part=part) for part in ("train", "test", "all"))
    assert (len(train.targets), len(test.targets)) == (1440, 357)
    for name in ("features", "targets"):
        joined = np.concatenate([getattr(train, name), getattr(test, name)])
        np.testing.assert_array_equal(joined, getattr(both, name))
        np.testing.assert_array_equal(getattr(load_digits(), name), getattr(both, name))
    assert train.name == test.name == "digits"


@pytest.mark.parametrize("part", ["tests", "both"])
def test_unknown_parts_of_the_digits_are_refused_before_scikit_learn_is_asked(monkeypatch, part):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ValueError, match=f"part = '{part}'"):
        load_digits(part=part)


@pytest.mark.parametrize(
    "load", [load_rcv1, load_digits, load_mnist, lambda: load_svmlight("file")], ids=["rcv1", "digits", "mnist", "svm"]
)
def test_missing_scikit_learn_is_named(monkeypatch, load):
    monkeypatch.delenv("TACITURN_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs scikit-learn: pip install 'taciturn\[data\]'"):
        load()


def test_rcv1_keeps_documents_of_exactly_one_side(monkeypatch):
    topics = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]])
    bunch = SimpleNamespace(
        data=sparse.csr_array(np.arange(10.0).reshape(5, 2)),
        target=sparse.csr_array(topics),
        target_names=np.array(["CCAT", "ECAT", "GCAT", "MCAT"]),
    )
    monkeypatch.setitem(sys.modules, "sklearn.datasets", SimpleNamespace(fetch_rcv1=lambda subset: bunch))
    rcv1 = load_rcv1()
    np.testing.assert_array_equal(rcv1.targets, [1.0, -1.0, 1.0])
    np.testing.assert_array_equal(rcv1.features.toarray(), [[0, 1], [2, 3], [8, 9]])


def test_unreachable_fetchers_say_what_to_do(monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.delenv("TACITURN_DATA", raising=False)
    fetchers = SimpleNamespace(fetch_openml=unreachable, fetch_rcv1=unreachable)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", fetchers)
    with pytest.raises(ConnectionError, match="local mnist"):
        load_mnist()
    with pytest.raises(ConnectionError, match="RCV1 could not be fetched: no route"):
        load_rcv1()


@pytest.mark.parametrize("line", ["1 1:nan", "1 1:inf", "nan 1:1", "1 99999999999999999999:1"])
def test_svmlight_with_numbers_out_of_range_is_refused(line, tmp_path):
    pytest.importorskip("sklearn")
    path = tmp_path / "odd.svm"
    path.write_text(line + "\n")
    with pytest.raises(ValueError, match=r"odd\.svm"):
        load_svmlight(path)


@pytest.mark.parametrize(("columns", "error"), [(0, ValueError), (-1, ValueError), (5.0, TypeError)])
def test_svmlight_columns_that_are_no_count_are_refused(columns, error, tmp_path):
    pytest.importorskip("sklearn")
    path = tmp_path / "tiny.svm"
    path.write_text("1 1:1\n")
    with pytest.raises(error, match=f"^columns = {columns}"):
        load_svmlight(path, columns=columns)


def test_svmlight_with_more_features_than_columns_names_the_argument(tmp_path):
    pytest.importorskip("sklearn")
    path = tmp_path / "wide.svm"
    path.write_text("1 1:1 4:2\n-1 2:1\n")
    with pytest.raises(ValueError, match=r"^columns = 3 is outside the accepted range 4\.\."):
        load_svmlight(path, columns=3)
    assert load_svmlight(path, columns=4).features.shape == (2, 4)


def test_an_empty_folder_name_in_the_environment_counts_as_none(monkeypatch):
    images = import_module("taciturn.solvers.data.images")
    monkeypatch.setenv("TACITURN_DATA", "")
    monkeypatch.setattr(images, "_openml", lambda part: (np.zeros((1, 784)), np.array(["3"])))
    assert load_mnist().targets.tolist() == [3]
