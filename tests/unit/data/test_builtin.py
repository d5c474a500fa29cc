"""The built-in tasks' data: enough of it, balanced, in both languages, and nothing held out that is also learnt."""

from collections import Counter

import pytest

from llmops.data.builtin import builtin_ids, load_builtin
from tests.support.similarity import near, words

MEDICAL, SUPPORT = load_builtin("medical"), load_builtin("support")


def test_the_built_in_tasks_are_medical_and_support():
    assert set(builtin_ids()) == {"medical", "support"}


@pytest.mark.parametrize("language", ["de", "en"])
def test_medical_has_80_sentences_a_language_half_each_label(language):
    rows = [example for example in MEDICAL.examples if example.language == language]
    counts = Counter(example.label for example in rows)
    assert len(rows) >= 80
    assert counts["positive"] == counts["negative"] == len(rows) // 2


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("split", ["pool", "test"])
def test_each_medical_split_is_balanced(language, split):
    counts = Counter(example.label for example in MEDICAL.split(split, language))
    assert abs(counts["positive"] - counts["negative"]) <= 2
    assert sum(counts.values()) >= 30


def test_support_has_five_classes_of_20():
    assert Counter(example.label for example in SUPPORT.examples) == dict.fromkeys(SUPPORT.label_ids, 20)
    assert len(SUPPORT.label_ids) == 5
    for split in ("pool", "test"):
        assert set(Counter(example.label for example in SUPPORT.split(split)).values()) == {
            len(SUPPORT.split(split)) // 5
        }


@pytest.mark.parametrize("task", [MEDICAL, SUPPORT], ids=lambda task: task.id)
def test_no_two_texts_are_the_same_and_none_of_the_pool_is_near_a_held_out_one(task):
    texts = [" ".join(words(example.text)) for example in task.examples]
    assert len(set(texts)) == len(texts)
    for held_out in task.split("test"):
        for learnt in task.split("pool"):
            assert not near(held_out.text, learnt.text), (held_out.text, learnt.text)


@pytest.mark.parametrize("task", [MEDICAL, SUPPORT], ids=lambda task: task.id)
def test_every_label_has_a_name_a_description_and_an_answer_word_in_every_language(task):
    for language in task.languages:
        for label in task.labels:
            assert label.name[language]
            assert label.description[language]
            assert label.answer[language]
        system, user = task.messages("THE TEXT", language)
        assert all(word in system["content"] for word in task.answers(language).values())
        assert "THE TEXT" in user["content"]
