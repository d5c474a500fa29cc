"""What is said of a text without a label, and in which language it is asked."""

from llmops.core.run import Run, RunError
from llmops.data.builtin import load_builtin
from llmops.evaluation.classification import UnlabelledAnswer, in_languages

GERMAN, ENGLISH = "Das Hilfsmittel ist nicht notwendig.", "All requirements for the chair are met."


def test_an_answer_is_a_label_with_its_probability_or_why_there_is_none():
    failed = RunError("endpoint", "No answer.", "Retry.")
    assert UnlabelledAnswer.of(Run("x", error=failed)) == UnlabelledAnswer(error=failed)
    labelled = Run("x", label="a", probabilities={"a": 0.75, "b": 0.25})
    assert UnlabelledAnswer.of(labelled) == UnlabelledAnswer("a", 0.75)
    assert UnlabelledAnswer.of(Run("x", label="a")) == UnlabelledAnswer("a", None)
    unparsed = UnlabelledAnswer.of(Run("x", text="well"))
    assert (unparsed.label, unparsed.error.kind) == (None, "unparsed")


def test_a_text_is_asked_in_the_language_it_says_else_the_usual_one_else_as_it_reads():
    medical = load_builtin("medical")
    rows = [(1, GERMAN, ""), (2, ENGLISH, ""), (3, GERMAN, "English"), (4, ENGLISH, "fr")]
    assert [text.language for text in in_languages(medical, rows)] == ["de", "en", "en", "en"]
    assert [text.language for text in in_languages(medical, rows, "de")] == ["de", "de", "en", "de"]
