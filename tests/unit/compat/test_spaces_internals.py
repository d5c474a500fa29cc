"""How `spaces` treats the children that it forks, read in its source: it acts on a Space alone."""

import importlib.util
import subprocess
import sys
from pathlib import Path

IGNORES = "signal.signal(signal.SIGTERM, drop_params(arg_queue.close))"


def test_children_still_take_a_polite_end_for_nothing():
    source = Path(importlib.util.find_spec("spaces").origin).parent / "zero" / "wrappers.py"
    assert source.read_text().count(IGNORES) == 2, "end_children_at_exit is perhaps no longer needed"


CODE = """
import multiprocessing, signal, time
from llmops.compat import spaces_internals

def child(ready):
    signal.signal(signal.SIGTERM, lambda *_: None)
    ready.set()
    time.sleep(60)

context = multiprocessing.get_context("fork")
spaces_internals.end_children_at_exit()
ready = context.Event()
context.Process(target=child, args=(ready,), daemon=True).start()
ready.wait()
"""


def test_a_process_ends_at_once_with_children_that_ignore_a_polite_end():
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=30)
