"""A file as a task or as a task's texts in one step, as the command line takes it. Test code only."""

from llmops.data.columns import complete_columns
from llmops.data.labelled import to_labelled
from llmops.data.own_task import own_task
from llmops.data.reading import read_table


def read_labelled(path, task, limits, mapping=None, label_words=None):
    table = read_table(path, limits)
    return to_labelled(table, complete_columns(table, mapping), task, label_words)


def read_own_task(path, mapping, language, limits):
    return own_task(read_table(path, limits), path.stem, mapping, language)
