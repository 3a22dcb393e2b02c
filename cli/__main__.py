"""``python -m taciturn.cli`` is the command ``taciturn``."""

from .main import main

if __name__ == "__main__":
    main()
