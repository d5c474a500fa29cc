"""nncf from inside: it draws its progress on rich's one console for the process, whatever it is told."""

import logging

MADE_FOR = "nncf 3.4.0"


def quiet() -> None:
    """No bars and no remarks: they go to standard output, which is the answer's alone."""
    import rich

    rich.get_console().quiet = True
    logging.getLogger("nncf").setLevel(logging.ERROR)
