"""The errors seqtree raises on purpose; each message is one line: what, where, what was expected."""


class SeqtreeError(Exception):
    """Something failed while running; the command line prints the message and exits with 1."""


class InputError(SeqtreeError, ValueError):
    """The input or the usage is at fault (a file, an option, a prompt); the command line exits with 2."""


class ModelFileError(InputError):
    """A model or checkpoint file is damaged, of another kind, or of a version this seqtree cannot read."""


class DivergenceError(SeqtreeError):
    """Training kept producing infinite or exploding losses after every attempt to recover."""
