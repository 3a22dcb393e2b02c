"""Data sets: the bundled text (the default sparse set), MNIST, the 8x8 digits, RCV1 and any svmlight file."""

from .dataset import Dataset
from .images import load_digits, load_mnist
from .sparse import load_rcv1, load_svmlight
from .text import load_text

__all__ = ["Dataset", "load_digits", "load_mnist", "load_rcv1", "load_svmlight", "load_text"]
