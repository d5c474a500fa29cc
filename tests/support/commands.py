"""The command line in this process, so that its libraries are imported once for all tests. Test code only."""

import io
from dataclasses import dataclass

from llmops.__main__ import main


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status and all that it printed."""

    code: int
    stdout: str
    stderr: str


def run_command(capfd, monkeypatch, *arguments: str, stdin: str = "") -> Done:
    """As `python -m llmops …`; what native libraries print is caught too."""
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    capfd.readouterr()
    code = main(arguments)
    printed = capfd.readouterr()
    return Done(code, printed.out, printed.err)
