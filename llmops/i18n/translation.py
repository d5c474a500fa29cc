"""Words in another language: English in the code is the key, the translations are data (i18n/locale/de/*.toml).

A key may hold placeholders: `{name}` stands for anything and is kept as it is, `{name#}` for a figure, `{name!t}` is
translated in its turn. What has no translation stays English and is told to `missed`. Figures get the language's
decimal comma. Foreign text is out of reach: `html` leaves elements marked translate="no", code and preformatted text.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from html import escape, unescape
from itertools import pairwise
from pathlib import Path

LANGUAGES = {"en": "English", "de": "Deutsch"}
# Nearly all of these words are the page's, so they lie with it.
LOCALE_DIR = Path(__file__).parent / "locale"
WORDS_DIR = Path(__file__).parent / "words"
_HOLE = re.compile(r"\{(\w+)(!t|#)?\}")
_TAG = re.compile(r"(<!--.*?-->|<[^<>]+>)", re.DOTALL)
_NAME = re.compile(r"</?([a-zA-Z][\w-]*)")
_ATTRIBUTE = re.compile(r'\b(title|aria-label|alt|placeholder|aria-description)="([^"]*)"')
_INLINE = {"b", "strong", "i", "em", "code", "abbr", "a", "small", "sub", "sup", "kbd", "q"}
_LEFT_ALONE = {"code", "pre", "script", "style", "textarea"}
_VOID = {"br", "hr", "img", "input", "meta", "link", "wbr", "col"}
_WITHIN_A_SENTENCE = r"(?:(?![.!?]\s(?:[A-Z]|[\w-]+/)).)+?"
# Where a text without a translation of its own is cut: at sentences first (one may begin with a model's id), then at
# the lesser marks.
_CUTS = (re.compile(r"(?<=[.!?”])\s+(?=[A-ZÄÖÜ“„\d]|[\w-]+/)"), re.compile(r"(?<=\S) · (?=\S)|(?<=[\w)]); (?=\S)"))
# A figure: numbers, signs and short units, with nothing to translate but the separators.
_UNITS = r"s|ms|µs|min|h|B|kB|MB|GB|TB|GiB|GB/s|TB/s|M|tok/s|/s|%|W|Wh|kWh|g|USD|EUR|\$|€|×|x|K|pp|TFLOPS|tokens/s"
_NUMBER = r"(?:[<>≤≥~≈] ?)?[±+−-]?[$€]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
_FIGURE = re.compile(rf"\(?{_NUMBER}\)?(?:(?:\s*(?:–|—|/|:|,|to|\.\.)\s*|\s*)\(?(?:{_NUMBER}|{_UNITS})\)?[;,]?)*\.?")
_NAMED_FIGURE = re.compile(r"([\w./@-]+: )(.+)")  # such as "nf4: 49.8, 16,384" at a mark of a chart
# Ids, addresses, file names, precisions: the same in every language.
_IDENTIFIER = re.compile(r"(?=\S*[/@_\d])\S+")
_SEPARATORS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))|(?<=\d)\.(?=\d)")

Missed = Callable[[str], None]


class Catalogue:
    """English → one other language."""

    def __init__(self, language: str, pairs: Iterable[tuple[str, str]], missed: Missed | None = None) -> None:
        """`pairs`: (English, translation). `missed` is called with each text that has none."""
        self.language = language
        self._missed = missed
        self._exact: dict[str, str] = {}
        patterns: list[_Pattern] = []
        for key, value in pairs:
            if _HOLE.search(key):
                patterns.append(_Pattern(key, value))
            self._exact[key] = value
        # The most literal pattern first; found by the letters it begins with.
        # Those with tags are for pieces of HTML alone, the others for text alone.
        self._patterns: dict[tuple[bool, str], list[_Pattern]] = {}
        for pattern in sorted(patterns, key=lambda pattern: -pattern.literal):
            self._patterns.setdefault((pattern.tagged, pattern.start), []).append(pattern)
        self.text = lru_cache(4096)(self._text)
        self.html = lru_cache(512)(self._html)

    def _text(self, text: str) -> str:
        """A plain text; white space around it stays."""
        core = text.strip()
        if not core:
            return text
        translation = self._find(core)
        if translation is None:
            translation = self._parts(core)
        if translation is None:
            if self._missed is not None and re.search(r"[^\W\d_]{2}", core) and not _IDENTIFIER.fullmatch(core):
                self._missed(core)
            return text
        start = text.index(core)
        return text[:start] + translation + text[start + len(core) :]

    def knows(self, text: str) -> bool:
        """Whether a text has a translation, or needs none."""
        core = text.strip()
        return bool(self._find(core) or self._parts(core) or _IDENTIFIER.fullmatch(core))

    def markdown(self, text: str) -> str:
        """Markdown, a block at a time: headings, paragraphs and list items are keys of their own."""
        return "\n".join(self._line(line) for line in _unwrapped(text))

    def _line(self, line: str) -> str:
        mark = re.match(r"\s*(?:#+ |[-*] |\d+\. |> )?", line)
        head = mark.group() if mark else ""
        content = line[len(head) :]
        return head + self.text(content) if content else line

    def _find(self, core: str, tagged: bool = False) -> str | None:
        exact = self._exact.get(core)
        if exact is not None:
            return exact
        named = _NAMED_FIGURE.fullmatch(core)
        name, figure = named.groups() if named else ("", core)
        if _FIGURE.fullmatch(figure):
            turned = _SEPARATORS.sub(lambda separator: "." if separator.group() == "," else ",", figure)
            return self._exact.get(name, name) + turned.replace(" to ", f" {self._exact.get('to', 'to')} ")
        for start in (core[:4], ""):
            for pattern in self._patterns.get((tagged, start), ()):
                filled = pattern.fill(core, self)
                if filled is not None:
                    return filled
        return None

    def _parts(self, core: str) -> str | None:
        """Several sentences, some with a translation; the others as they are."""
        for cut in _CUTS:
            edges = [0, *(edge for gap in cut.finditer(core) for edge in gap.span()), len(core)]
            pieces = [core[a:b] for a, b in pairwise(edges)]  # a piece, what is between, a piece …
            translations = [None if index % 2 else self._find(piece) for index, piece in enumerate(pieces)]
            if len(pieces) > 1 and any(translation is not None for translation in translations):
                return "".join(
                    piece if index % 2 else self._text(piece) if translation is None else translation
                    for index, (piece, translation) in enumerate(zip(pieces, translations, strict=True))
                )
        return None

    def document(self, html: str) -> str:
        """A whole file of HTML, as `html`; too large to be remembered."""
        return self._html(html)

    def _html(self, html: str) -> str:
        """HTML of our own making: texts and spoken attributes, at the size of a block where there is a key for it."""
        done: list[str] = []
        run: list[str] = []  # texts and inline tags since the last block tag
        closing: list[str] = []  # open elements inside one that is left alone
        for piece in _TAG.split(html):
            tag = _NAME.match(piece) if piece.startswith("<") else None
            name = tag.group(1).lower() if tag else ""
            if closing:
                run.append(piece)
                if tag and name == closing[-1] and piece.startswith("</"):
                    closing.pop()
                elif tag and name == closing[-1] and not piece.endswith("/>"):
                    closing.append(name)
                continue
            alone = tag and not piece.startswith("</") and name not in _VOID and not piece.endswith("/>")
            if alone and (name in _LEFT_ALONE or 'translate="no"' in piece):
                closing.append(name)
                if name not in _INLINE:
                    done += [*self._segment(run)]
                    run = []
                run.append(piece)
            elif not tag or name in _INLINE:
                run.append(piece)
            else:
                done += [*self._segment(run), self._attributes(piece)]
                run = []
        return "".join([*done, *self._segment(run)])

    def _segment(self, run: list[str]) -> Iterator[str]:
        whole = "".join(run)
        core = whole.strip()
        if len(run) > 1 and core:
            translation = self._find(core, tagged=True)
            if translation is not None:
                start = whole.index(core)
                yield whole[:start] + translation + whole[start + len(core) :]
                return
        alone: list[str] = []
        for piece in run:
            tag = _NAME.match(piece) if piece.startswith("<") else None
            if tag is None:
                yield piece if alone else escape(self.text(unescape(piece)), quote=False)
                continue
            name = tag.group(1).lower()
            if piece.startswith("</"):
                if alone and alone[-1] == name:
                    alone.pop()
            elif name in _LEFT_ALONE or 'translate="no"' in piece or (alone and alone[-1] == name):
                alone.append(name)
            yield piece if alone else self._attributes(piece)

    def _attributes(self, tag: str) -> str:
        def spoken(attribute: re.Match[str]) -> str:
            return f'{attribute.group(1)}="{escape(self.text(unescape(attribute.group(2))))}"'

        return _ATTRIBUTE.sub(spoken, tag)


class _Pattern:
    """A key with placeholders."""

    def __init__(self, key: str, value: str) -> None:
        pieces = _HOLE.split(key)
        literals, names, marks = pieces[::3], pieces[1::3], pieces[2::3]
        self.start = literals[0][:4] if len(literals[0]) >= 4 else ""
        self.tagged = "<" in key
        self.literal = sum(len(literal) for literal in literals)
        self._value = value
        self._translated = {name for name, mark in zip(names, marks, strict=True) if mark == "!t"}
        expression = re.escape(literals[0])
        seen: set[str] = set()
        for name, mark, literal in zip(names, marks, literals[1:], strict=True):
            anything = _FIGURE.pattern if mark == "#" else _WITHIN_A_SENTENCE
            hole = f"(?P={name})" if name in seen else f"(?P<{name}>{anything})"
            seen.add(name)
            expression += hole + re.escape(literal)
        self._expression = re.compile(expression, re.DOTALL)

    def fill(self, text: str, catalogue: Catalogue) -> str | None:
        match = self._expression.fullmatch(text)
        if match is None:
            return None
        values = match.groupdict()

        def put(hole: re.Match[str]) -> str:
            value = values.get(hole.group(1), "")
            if hole.group(1) in self._translated:
                return catalogue.text(value)
            return catalogue.text(value) if _FIGURE.fullmatch(value) else value

        return _HOLE.sub(put, self._value)


def _unwrapped(text: str) -> list[str]:
    """Lines of Markdown, with the lines of one paragraph joined."""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        begins = not line.strip() or re.match(r"\s*(#+ |[-*] |\d+\. |> |\||```)", line)
        if lines and lines[-1].strip() and not begins and not re.match(r"\s*(#+ |\||```)", lines[-1]):
            lines[-1] = f"{lines[-1].rstrip()} {line.strip()}"
        else:
            lines.append(line)
    return lines


def read_pairs(language: str) -> list[tuple[str, str]]:
    """All (English, translation) pairs of a language: its own files, and the words that hold both languages.

    A text that stands in a list `same` is the same in both.
    """
    pairs: list[tuple[str, str]] = []
    for path in sorted((LOCALE_DIR / language).glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        pairs += [(text, text) for text in data.pop("same", [])]
        pairs += list(data.items())
    for path in sorted(WORDS_DIR.glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8")).values():
            pairs += [(part["en"], part[language]) for part in entry.values()]
    return pairs


@cache
def german() -> Catalogue:
    """The German catalogue."""
    return Catalogue("de", read_pairs("de"))
