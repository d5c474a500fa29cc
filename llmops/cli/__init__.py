"""The command line: a module a command, with HELP, add(parser) and run(args, settings); a new one gets a line here."""

from types import ModuleType

from llmops.cli import (
    cascade,
    classify,
    compare,
    context,
    count,
    decide,
    dry_run,
    evaluate,
    export,
    history,
    learning_curve,
    load,
    plan,
    task,
    train,
)

COMMANDS: dict[str, ModuleType] = {
    "compare": compare,
    "plan": plan,
    "dry-run": dry_run,
    "load": load,
    "context": context,
    "count": count,
    "evaluate": evaluate,
    "decide": decide,
    "cascade": cascade,
    "history": history,
    "export": export,
    "learning-curve": learning_curve,
    "task": task,
    "train": train,
    "classify": classify,
}
