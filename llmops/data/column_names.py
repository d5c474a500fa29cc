"""Names that columns of labelled files usually have, in English and German."""

_TEXT = (
    "text", "texts", "sentence", "satz", "message", "nachricht", "input", "content", "inhalt", "body", "comment",
    "kommentar", "review", "gutachten", "beschreibung", "description", "document", "dokument", "utterance", "query",
    "question", "frage", "anliegen", "eingabe", "sms", "tweet",
)  # fmt: skip
_LABEL = (
    "label", "labels", "class", "klasse", "category", "kategorie", "target", "verdict", "urteil", "bewertung",
    "ergebnis", "entscheidung", "sentiment", "stimmung", "intent", "rating", "result", "outcome", "annotation", "tag",
    "thema", "topic", "y",
)  # fmt: skip

USUAL_NAMES: dict[str, frozenset[str]] = {
    "text": frozenset(_TEXT),
    "label": frozenset(_LABEL),
    "language": frozenset(("language", "lang", "sprache", "locale")),
    "split": frozenset(("split", "set", "fold")),
}
