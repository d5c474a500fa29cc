"""The command line: `llmops COMMAND …`, or `python -m llmops COMMAND …` where the package is not installed."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from llmops.cli import COMMANDS
from llmops.core import logs
from llmops.core.errors import LlmopsError
from llmops.core.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when all went well, 1 when something failed, 2 for a wrong call, 130 when interrupted."""
    program = "llmops" if Path(sys.argv[0]).stem == "llmops" else "python -m llmops"
    parser = argparse.ArgumentParser(prog=program, description="Compare models, plan for them, probe them.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.add(commands.add_parser(name, help=command.HELP, description=command.HELP))
    args = parser.parse_args(arguments)
    settings = load_settings(public=False)  # who has a shell here is no stranger, on a Space neither
    logs.configure(settings.log_level)
    try:
        return int(COMMANDS[args.command].run(args, settings))
    except LlmopsError as error:
        print(f"{error.message} {error.remedy}".strip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
