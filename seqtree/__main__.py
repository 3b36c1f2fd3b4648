"""``python -m seqtree`` is the command line."""

from seqtree.cli import main

if __name__ == "__main__":
    main()
