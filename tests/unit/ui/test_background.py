"""Long work behind a page, step by step, without a page."""

import threading

import pytest

from llmops.core.errors import InputError
from llmops.core.request import Connection
from llmops.core.settings import load_settings
from llmops.ui.background import BackgroundJob, follow
from llmops.ui.services import Services

SERVICES = Services(load_settings(), None, None)


def two_results(job):
    job.report("half way", 0.5)
    yield 1
    yield 2


def failing(error):
    def work(job):
        yield 1
        raise error

    return work


def test_there_is_a_step_at_once_one_for_each_result_and_progress_and_a_last_one():
    steps = list(follow(SERVICES, None, two_results))
    assert [step.result for step in steps] == [None, None, 1, 2, None]
    assert [step.ended for step in steps] == [False] * 4 + [True]
    assert steps[-1].results == [1, 2]
    assert "starting" in steps[0].status()
    assert "half way" in steps[1].status()
    assert "All done." in steps[-1].status("All done.")


def test_results_stay_after_an_error_and_the_last_step_tells_it():
    *_, last = follow(SERVICES, None, failing(InputError("It is wrong.", "Mend it.")))
    assert last.ended and last.results == [1]
    assert (last.error.kind, last.error.message, last.error.remedy) == ("input", "It is wrong.", "Mend it.")
    assert "It is wrong." in last.status("All done.")


def test_what_is_unforeseen_is_logged_with_its_traceback_and_no_key_is_told(caplog):
    connection = Connection(openai_key="not-to-be-told")
    *_, last = follow(SERVICES, None, failing(RuntimeError("with not-to-be-told in it")), connection)
    assert last.error.kind == "unexpected"
    assert "RuntimeError" in last.error.message
    assert "Traceback" in caplog.text
    assert "not-to-be-told" not in last.error.message + caplog.text


def test_a_new_job_stops_the_one_before_and_one_that_nobody_follows_stops():
    previous, stops = BackgroundJob(), []

    def endless(job):
        stops.append(job.stop)
        while not job.stop.wait(0.01):
            yield 1

    steps = follow(SERVICES, previous, endless)
    next(steps), next(steps)
    assert previous.stop.is_set() and not stops[0].is_set()
    steps.close()
    assert stops[0].is_set()


@pytest.mark.parametrize("owner", ["", "v-somebody"])
def test_a_job_knows_whose_it_is(owner):
    jobs = []
    list(follow(SERVICES, None, lambda job: jobs.append(job) or (), Connection(owner=owner)))
    assert jobs[0].owner == owner
    assert isinstance(jobs[0].stop, threading.Event)
