"""The command line's commands: a module each, with HELP, add(parser) and run(args); a new one gets a line here."""

from types import ModuleType

from llmops.commands import compare, context, dry_run, evaluate, export, history, learning_curve, load, plan

COMMANDS: dict[str, ModuleType] = {
    "compare": compare,
    "plan": plan,
    "dry-run": dry_run,
    "load": load,
    "context": context,
    "evaluate": evaluate,
    "history": history,
    "export": export,
    "learning-curve": learning_curve,
}
