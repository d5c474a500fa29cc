"""Published configurations: rows of architectures.toml."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from llmops.catalog.rows import read_rows
from llmops.sizing.shape import LayerCache, Shape, read_shape


@dataclass(frozen=True)
class Architecture:
    """A published configuration in transformers' names; params, and `counted`, as counted on the meta device."""

    id: str
    params: int
    licence: str
    gated: bool
    source: str
    config: dict[str, Any]
    counted: dict[str, Any] | None = None

    @property
    def shape(self) -> Shape:
        """Its sizes: by formula, or as counted for families that have none."""
        if self.counted is None:
            return read_shape(self.config)
        cache = tuple(LayerCache(**row) for row in self.counted["cache"])
        return Shape(**{**self.counted, "cache": cache})


@cache
def architectures() -> tuple[Architecture, ...]:
    """All published configurations."""
    return tuple(Architecture(**row) for row in read_rows("architectures", "architectures"))
