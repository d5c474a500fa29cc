"""What goes to the log, set once by whoever starts the process: the entry or the command line."""

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(level: str) -> None:
    """Our own messages from this level on, libraries' from warnings on; to standard error."""
    logging.basicConfig(level=logging.WARNING, format=FORMAT)
    logging.getLogger("llmops").setLevel(level)
