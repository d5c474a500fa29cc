"""The interpreter's knobs, turned in a process of their own."""

import subprocess
import sys
import sysconfig

CODE = """
import gc, sys
from llmops.compat import interpreter
print(sys.getswitchinterval(), gc.get_freeze_count())
interpreter.take_short_turns()
interpreter.leave_uncollected()
print(sys.getswitchinterval(), gc.get_freeze_count())
"""


def test_turns_are_shorter_and_what_is_there_is_out_of_the_collectors_count():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    (turn_before, frozen_before), (turn_after, frozen_after) = (line.split() for line in done.stdout.splitlines())
    assert float(turn_before) > float(turn_after) == 0.0005, "take_short_turns is no longer needed"
    assert int(frozen_before) < 1000 < int(frozen_after)


def test_threads_still_take_turns():
    assert not sysconfig.get_config_var("Py_GIL_DISABLED"), "take_short_turns is no longer needed"
