"""The errors that seqtree raises; each message is one line: what, where, what was expected."""


class SeqtreeError(Exception):
    """A failure at run time; the command line prints the message and exits with 1."""


class InputError(SeqtreeError, ValueError):
    """Invalid input or usage (a file, an option, a prompt); the command line exits with 2."""


class ModelFileError(InputError):
    """A model or checkpoint file that is missing, damaged, of the wrong kind, or of an unsupported version."""


class DivergenceError(SeqtreeError):
    """Training still diverges (infinite or exploding losses) after every attempt to recover."""
