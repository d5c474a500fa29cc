"""Which task a call is about: an id or a whole task, never a path."""

import pytest

from llmops.api.tasks import chosen_task
from llmops.core.errors import InputError, TaskFileError
from llmops.core.settings import Settings
from llmops.data.builtin import load_builtin
from llmops.data.task_files import write_task
from tests.support.needs import TESTS

LIMITS = Settings(TESTS)


def test_an_id_a_text_and_a_task_each_name_one(tmp_path):
    medical = load_builtin("medical")
    write_task(medical, tmp_path / "task.toml")
    text = (tmp_path / "task.toml").read_text(encoding="utf-8")
    assert chosen_task("medical", LIMITS) is chosen_task(medical, LIMITS) is medical
    assert chosen_task(text, LIMITS) == medical


def test_a_path_names_none_wherever_it_leads(tmp_path, monkeypatch):
    write_task(load_builtin("medical"), tmp_path / "task.toml")
    monkeypatch.chdir(tmp_path)
    for path in (str(tmp_path), f"{tmp_path}/task.toml", "task.toml", "./task.toml", ".", "../medical", ""):
        with pytest.raises(InputError, match="There is no task") as caught:
            chosen_task(path, LIMITS)
        assert "a path is not read" in caught.value.remedy
    for path in (f"{tmp_path}/task.toml\n", f"task={tmp_path}/task.toml"):
        with pytest.raises(TaskFileError, match="is no TOML"):
            chosen_task(path, LIMITS)


@pytest.mark.parametrize("given", [None, 3, ["medical"], {"id": "medical"}])
def test_what_is_no_text_names_none(given):
    with pytest.raises(InputError, match="The task is a"):
        chosen_task(given, LIMITS)
