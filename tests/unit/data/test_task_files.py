"""A task as a file: what is written is read back, and what is wrong is named."""

import pytest

from llmops.core.errors import InputError, TaskFileError
from llmops.core.settings import Settings
from llmops.data.builtin import load_builtin
from llmops.data.own_task import OWN_TASK
from llmops.data.task_files import find_task, read_task, task_from_text, write_task
from tests.support.needs import TESTS
from tests.support.reading import read_own_task

LIMITS = Settings(TESTS)
SMALL = """
[[labels]]
id = "a"
[[labels]]
id = "b"
[prompts.en]
instruction = "Say a or b."
"""


@pytest.fixture
def write(tmp_path):
    def _write(text, name="task.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return _write


@pytest.mark.parametrize("name", ["medical", "support"])
def test_a_built_in_task_survives_a_file(tmp_path, name):
    write_task(load_builtin(name), tmp_path / "mine.toml")
    assert read_task(tmp_path / "mine.toml", LIMITS) == load_builtin(name)


def test_an_own_file_becomes_a_task_that_is_found_by_its_path(tmp_path):
    own = read_own_task(TESTS / "cases" / "anliegen.csv", None, "de", LIMITS).task
    write_task(own, tmp_path / "task.toml")
    for reference in (tmp_path, tmp_path / "task.toml"):
        assert find_task(str(reference), LIMITS).label_ids == ("Lieferung", "Rechnung", "Kündigung", "Lob")
    assert find_task("medical", LIMITS) is load_builtin("medical")
    with pytest.raises(InputError, match="no task “nonsense”"):
        find_task("nonsense", LIMITS)


def test_signs_of_any_kind_survive(tmp_path):
    own = read_own_task(TESTS / "cases" / "lead.csv", None, "de", LIMITS).task
    strange = own.examples[0].text + '\n"quoted" \\ \t 🦽 """'
    examples = (own.examples[0].__class__(strange, "positive", "de", "test"), *own.examples[1:])
    write_task(own.with_examples(examples), tmp_path / "t.toml")
    assert read_task(tmp_path / "t.toml", LIMITS).examples == examples


def test_names_are_the_ids_where_none_are_given_and_examples_may_lie_beside(write):
    write("text,label,split\none,a,test\ntwo,b,pool\n", "texts.csv")
    task = read_task(write('examples = "texts.csv"\n' + SMALL), LIMITS)
    assert task.answers("en") == {"a": "a", "b": "b"}
    assert [(example.text, example.label) for example in task.examples] == [("one", "a"), ("two", "b")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "is no TOML"),
        ("name = 'x'", "has no labels"),
        (SMALL.replace("[prompts.en]", "[other]"), "has no prompts"),
        (SMALL.replace('id = "b"', 'id = "a"'), "two labels or more"),
        (SMALL.replace('"a"', "1"), "1 is no text"),
        ("examples = 3\n" + SMALL, "are no list"),
        ('examples = "../secret.csv"\n' + SMALL, "no file “../secret.csv” beside"),
        (SMALL + '[[examples]]\ntext = "x"\nlabel = "c"\nlanguage = "en"\n', "Example 1 of task.toml has an unknown"),
        (SMALL + '[[examples]]\ntext = "x"\n', "Example 1 of task.toml is none"),
        (SMALL + '[[examples]]\ntext = "x"\nlabel = "a"\nlanguage = "en"\nsplit = "no"\n', "in no split"),
        (SMALL.replace('instruction = "Say a or b."', "instruction = 1"), "1 is no text"),
        (SMALL + 'user = "no place for it"', "has no {text}"),
        (SMALL.replace("[prompts.en]", "[prompts]").replace("instruction", "# "), "has no prompts"),
        ("a = " + "[" * 100_000, "is no TOML"),
        ("a = " + "9" * 5_000, "is no TOML"),
        (SMALL + "[" + "a." * 40 + "b]", "more than 31 parts"),
        (SMALL + '"' + '\\"" . "' * 40 + '" = 1', "more than 31 parts"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(write, text, said):
    with pytest.raises(TaskFileError) as caught:
        read_task(write(text), LIMITS)
    assert said in caught.value.message
    assert caught.value.remedy
    with pytest.raises(TaskFileError) as caught:
        task_from_text(text, LIMITS)
    assert caught.value.message


def test_a_text_is_the_task_that_its_file_would_be(tmp_path):
    write_task(load_builtin("support"), tmp_path / "task.toml")
    text = (tmp_path / "task.toml").read_text(encoding="utf-8")
    assert task_from_text(text, LIMITS) == load_builtin("support")
    assert (task_from_text(SMALL, LIMITS).id, task_from_text(SMALL, LIMITS).name) == (OWN_TASK, "task")


def test_a_text_reads_no_file_not_even_one_in_the_current_folder(write, tmp_path, monkeypatch):
    write("text,label\none,a\n", "texts.csv")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TaskFileError, match="which can't be sent along"):
        task_from_text('examples = "texts.csv"\n' + SMALL, LIMITS)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Settings(TESTS, max_upload_bytes=50), "larger than"),
        (Settings(TESTS, max_rows=1), "2 labels; at most 1"),
        (Settings(TESTS, max_rows=2), "3 examples; at most 2"),
    ],
)
def test_what_is_too_much_is_counted_before_it_is_read(write, limits, said):
    text = SMALL + '[[examples]]\ntext = "x"\nlabel = "a"\nlanguage = "en"\n' * 3
    for read, given in ((task_from_text, text), (read_task, write(text))):
        with pytest.raises(TaskFileError, match=said):
            read(given, limits)


def test_half_a_surrogate_pair_is_no_toml():
    with pytest.raises(TaskFileError, match="is no TOML"):
        task_from_text(SMALL + 'source = "\ud800"', LIMITS)
