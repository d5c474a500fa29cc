"""Medical training sentences in German and English, each with its label and its true reason.

A sentence is a plan (a reason alone, a reason and a verdict, a concession and a reason, …) filled from the building
blocks in `text/`. The plan decides the label, so it is always known.
"""

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from llmops.scripts.decoder.expand import expand, sentence

_Plan = Callable[[str, dict[str, Any]], tuple[str, bool]]
"""(label, reason) → (a text, whether it states the reason)."""
_TEXT = Path(__file__).parent / "text"
_LABELS = ("positive", "negative")
_MADE_UP = 0.35  # share of made-up nouns, so that an unknown one is nothing new

_DE_DATIVE = {"die": "der", "der": "dem", "das": "dem"}
_DE_ARTICLE = {"m": "der den dem des", "f": "die die der der", "n": "das das dem des", "p": "die die den der"}
_DE_ADJECTIVES = ("beantragt", "verordnet", "gewünscht", "vorgesehen", "begehrt", "betreffend", "genannt")
_DESPITE = {
    "positive": {
        "de": [
            "der hohen Kosten",
            "des Preises",
            "des Alters",
            "gewisser Zweifel",
            "der unklaren Prognose",
            "der früheren Ablehnung",
        ],
        "en": ["the cost", "a high price", "the age", "some doubts", "the open outlook", "the earlier refusal"],
    },
    "negative": {
        "de": ["der Verordnung", "des Wunsches", "aller Bemühungen", "der Diagnose", "der Beschwerden", "des Attests"],
        "en": ["the prescription", "the wish", "all efforts", "the diagnosis", "the complaints", "the certificate"],
    },
}
_ALONE = {
    "positive": {"de": "Die Versorgung wird empfohlen.", "en": "The supply is recommended."},
    "negative": {"de": "Die Versorgung wird nicht empfohlen.", "en": "The supply is not recommended."},
}


@cache
def blocks(language: str) -> dict[str, Any]:
    """The building blocks of a language."""
    return tomllib.loads((_TEXT / f"{language}.toml").read_text(encoding="utf-8"))


def alone(label: str, language: str) -> str:
    """The reason given where a text states only the verdict."""
    return _ALONE[label][language]


def medical_sentence(language: str, rng: Random) -> tuple[str, str, str]:
    """(text, label, reason) of one random plan."""
    label = rng.choice(_LABELS)
    writer = _German(rng) if language == "de" else _English(rng)
    text, reason = writer.write(label)
    if rng.random() < 0.15:
        before = sentence(writer.fill(rng.choice(blocks(language)["neutral"])))
        text = f"{before} {text}" if rng.random() < 0.8 else f"{text} {before}"
    return text, label, reason


class _Writer:
    """One sentence's choices: the same patient and aid in all of its clauses."""

    language: str

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.blocks = blocks(self.language)
        self.chosen: dict[str, str] = {}

    def fill(self, template: str) -> str:
        return expand(template, self.rng, self._slot)

    def write(self, label: str) -> tuple[str, str]:
        """(text, reason) for a label."""
        reason = self.rng.choice([reason for reason in self.blocks["reasons"] if reason["label"] == label])
        plans: list[_Plan] = [self._bare, self._bare, self._so, self._so, self._because, self._since, self._concession]
        plans += [self._despite, self._verdict, self._two, self._headed]
        if label == "negative":
            plans.append(self._sorry)
        text, states_reason = self.rng.choice(plans)(label, reason)
        return sentence(text), self.rng.choice(reason["answer"]) if states_reason else alone(label, self.language)

    def _pick(self, name: str) -> str:
        return self.fill(self.rng.choice(self.blocks[name]))

    def _main(self, reason: dict[str, Any]) -> str:
        return self.fill(self.rng.choice(reason["main"]))

    def _bare(self, _label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        return self._main(reason), True

    def _verdict(self, label: str, _reason: dict[str, Any]) -> tuple[str, bool]:
        return self._pick(f"verdict_{label}"), False

    def _two(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        second_reason = self.rng.choice([reason for reason in self.blocks["reasons"] if reason["label"] == label])
        link = self.rng.choice([" und ", "; ", ". "] if self.language == "de" else [" and ", "; ", ". "])
        second = self._main(second_reason)
        return self._main(reason) + link + (sentence(second) if link == ". " else second), True

    def _headed(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        heads = {"de": ["Ergebnis", "Fazit", "Beurteilung", "Stellungnahme"], "en": ["Result", "Conclusion", "Opinion"]}
        states = self.rng.random() < 0.5
        body = self._main(reason) if states else self._pick(f"verdict_{label}")
        return f"{self.rng.choice(heads[self.language])}: {body}", states

    def _slot(self, name: str) -> str:
        raise NotImplementedError

    def _so(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        raise NotImplementedError

    _because = _since = _concession = _despite = _sorry = _so


class _German(_Writer):
    language = "de"

    def _so(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        link, verdict = self._pick("connectors"), self._pick(f"so_{label}")
        main = self._main(reason)
        if self.rng.random() < 0.3:
            return f"{main}. {sentence(f'{link} {verdict}')}", True
        return f"{main}, {link} {verdict}", True

    def _because(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        word = self.rng.choice(["da", "weil", "nachdem", "zumal"])
        return f"{self._pick(f'verdict_{label}')}, {word} {self.fill(self.rng.choice(reason['verb_last']))}", True

    def _since(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        word = self.rng.choice(["da", "weil", "nachdem"])
        return f"{word} {self.fill(self.rng.choice(reason['verb_last']))}, {self._pick(f'so_{label}')}", True

    def _concession(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        weak = self._pick("weak_negative" if label == "positive" else "weak_positive")
        word = self.rng.choice(["doch", "aber", "allerdings gilt:", "jedoch:"])
        return f"zwar {weak}, {word} {self._main(reason)}", True

    def _despite(self, label: str, _reason: dict[str, Any]) -> tuple[str, bool]:
        return f"trotz {self.rng.choice(_DESPITE[label]['de'])} {self._pick(f'so_{label}')}", False

    def _sorry(self, _label: str, _reason: dict[str, Any]) -> tuple[str, bool]:
        sorry = self._pick("sorry")
        if sorry.endswith(":"):
            return f"{sorry} {self._pick('verdict_negative')}", False
        return f"{sorry} {self._pick('so_negative')}", False

    def _slot(self, name: str) -> str:
        base, _, form = name.partition(".")
        if base in ("aid", "aid2"):
            return self._aid(base, form)
        if base.lower() == "who":
            who = self.chosen.setdefault("who", self.rng.choice(self.blocks["who"]))
            return _dative(who) if form == "d" else who[0].upper() + who[1:] if base == "Who" else who
        if base == "we":
            return "wir"
        value: str = self.rng.choice(self.blocks[base.lower()])
        return value[0].upper() + value[1:] if base[0].isupper() else value

    def _aid(self, base: str, form: str) -> str:
        noun, gender = self._noun(base)
        if gender == "p" and form == "n":
            return f"die Versorgung mit den {_plural_dative(noun)}"
        article = _DE_ARTICLE[gender].split()["nadg".index(form)]
        if gender == "p" and form == "d":
            noun = _plural_dative(noun)
        if form == "g" and gender in "mn":
            noun += "es" if noun.endswith(("s", "z")) else "s"
        if self.rng.random() < 0.3:
            weak = form in "dg" or gender == "p" or (gender == "m" and form == "a")
            return f"{article} {self.rng.choice(_DE_ADJECTIVES)}{'en' if weak else 'e'} {noun}"
        return f"{article} {noun}"

    def _noun(self, base: str) -> tuple[str, str]:
        if base not in self.chosen:
            gender = self.rng.choice("mmffnnp")
            if gender != "p" and self.rng.random() < _MADE_UP:
                noun = self.rng.choice(self.blocks["parts"]) + self.rng.choice(self.blocks[f"heads_{gender}"])
            else:
                noun = self.rng.choice(self.blocks[f"aids_{gender}"])
            self.chosen[base] = f"{gender}{noun}"
        return self.chosen[base][1:], self.chosen[base][0]


class _English(_Writer):
    language = "en"

    def _so(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        link, verdict = self._pick("connectors"), self._pick(f"verdict_{label}")
        main = self._main(reason)
        if self.rng.random() < 0.3:
            return f"{main}. {sentence(f'{link} {verdict}')}", True
        return f"{main}{self.rng.choice([', ', '; '])}{link} {verdict}", True

    def _because(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        word = self.rng.choice([" because", ", as", ", since", " given that", ", for"])
        return f"{self._pick(f'verdict_{label}')}{word} {self.fill(self.rng.choice(reason['verb_last']))}", True

    def _since(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        word = self.rng.choice(["because", "as", "since", "given that"])
        return f"{word} {self.fill(self.rng.choice(reason['verb_last']))}, {self._pick(f'verdict_{label}')}", True

    def _concession(self, label: str, reason: dict[str, Any]) -> tuple[str, bool]:
        weak = self._pick("weak_negative" if label == "positive" else "weak_positive")
        if self.rng.random() < 0.5:
            word = self.rng.choice(["although", "though", "while", "even if"])
            return f"{word} {weak}, {self._main(reason)}", True
        return f"{weak}, {self.rng.choice(['but', 'yet', 'however,'])} {self._main(reason)}", True

    def _despite(self, label: str, _reason: dict[str, Any]) -> tuple[str, bool]:
        word = self.rng.choice(["despite", "in spite of", "notwithstanding"])
        return f"{word} {self.rng.choice(_DESPITE[label]['en'])}, {self._pick(f'verdict_{label}')}", False

    def _sorry(self, _label: str, _reason: dict[str, Any]) -> tuple[str, bool]:
        return f"{self._pick('sorry')}, {self._pick('verdict_negative')}", False

    def _slot(self, name: str) -> str:
        if name in ("the", "the2", "an", "aid", "aids"):
            noun = self._noun("aid2" if name == "the2" else "aid")
            article = "an" if noun[0].lower() in "aeio" else "a"
            return {"aid": noun, "aids": f"{noun}s", "an": f"{article} {noun}"}.get(name) or self._the(noun)
        if name.lower() == "who":
            who = self.chosen.setdefault("who", self.rng.choice(self.blocks["who"]))
            return who[0].upper() + who[1:] if name == "Who" else who
        value: str = self.rng.choice(self.blocks[name.lower()])
        return value[0].upper() + value[1:] if name[0].isupper() else value

    def _the(self, noun: str) -> str:
        adjective = self.rng.choice(["requested ", "prescribed ", "proposed ", "desired ", "electric "])
        return f"the {adjective if self.rng.random() < 0.25 else ''}{noun}"

    def _noun(self, base: str) -> str:
        if base not in self.chosen:
            made_up = self.rng.random() < _MADE_UP
            parts = f"{self.rng.choice(self.blocks['parts'])} {self.rng.choice(self.blocks['heads'])}"
            self.chosen[base] = parts if made_up else self.rng.choice(self.blocks["aids"])
        return self.chosen[base]


def _dative(who: str) -> str:
    article, _, noun = who.partition(" ")
    words = [f"{word}n" if word[0].islower() and word.endswith("e") else word for word in noun.split()]
    return " ".join([_DE_DATIVE[article], *words])


def _plural_dative(noun: str) -> str:
    return noun if noun.endswith(("n", "s")) else f"{noun}n"
