"""What is kept, in a line, where one of them is chosen."""

from llmops.history.evaluations import Evaluation


def evaluation_title(evaluation: Evaluation) -> str:
    """Number, when, task, how many candidates; where it came from, and the note."""
    title = f"{evaluation.id} · {minute(evaluation.created)} · {evaluation.task_name}"
    title += f" · {len(evaluation.candidates)} candidates"
    if evaluation.origin:
        title = f"{evaluation.origin}: {title} · {evaluation.machine}"
    return f"{title} · {evaluation.note[:60]}" if evaluation.note else title


def minute(created: str) -> str:
    """An ISO time to the minute, as people write it."""
    return created[:16].replace("T", " ")


def machine_title(evaluation: Evaluation) -> str:
    """Number, when and on what machine: what tells two of the same task apart."""
    return f"{evaluation.id} · {minute(evaluation.created)} · {evaluation.machine}"
