"""sentence-transformers from inside: where the transformer lies, what its modules hand on, and a loss without waste."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MADE_FOR = "sentence-transformers 6.2.0"
TEXT = {"modality": "text"}
"""Goes with the tensors that the first module reads, and with those that the second one does."""


def config_of(model: "SentenceTransformer") -> dict[str, Any]:
    """The transformer's configuration, in transformers' names."""
    first: Any = model[0]
    return dict(first.auto_model.config.to_dict())


def drop_transformer(model: "SentenceTransformer") -> None:
    """Free the transformer's weights; tokenizer, pooling and what else follows stay.

    `auto_model` only reads it: a module set under that name would be one more beside the transformer. What prepares
    texts looks at its configuration.
    """
    import torch

    first: Any = model[0]
    rest: Any = torch.nn.Identity()
    rest.config = first.auto_model.config
    first.model = rest


def once_each_loss() -> Any:  # noqa: ANN401
    """The cosine loss over pairs, with each text of a batch embedded once; a class for setfit's Trainer.

    Few examples make many pairs: a batch of 16 pairs of 16 texts holds each text about twice, which the library embeds
    each time. The loss itself is the library's. Made on first use, since its base is a heavy import.
    """
    import torch
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    class DistinctTextLoss(CosineSimilarityLoss):
        def forward(self, sentence_features: Any, labels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
            columns = list(sentence_features)
            texts = [row for column in columns for row in _rows(column)]
            row_of = {ids: number for number, ids in enumerate(dict.fromkeys(texts))}
            distinct = _features(list(row_of), columns[0], self.model.tokenizer.pad_token_id or 0)
            embeddings = self.model(distinct)["sentence_embedding"]  # (distinct texts, width)
            rows = torch.tensor([row_of[ids] for ids in texts], device=embeddings.device)
            return self.compute_loss_from_embeddings(list(embeddings[rows].chunk(len(columns))), labels)

    return DistinctTextLoss


def _rows(column: dict[str, Any]) -> list[tuple[int, ...]]:
    """Each text's tokens without padding."""
    pairs = zip(column["input_ids"].tolist(), column["attention_mask"].tolist(), strict=True)
    return [tuple(token for token, seen in zip(ids, mask, strict=True) if seen) for ids, mask in pairs]


def _features(texts: list[tuple[int, ...]], like: dict[str, Any], pad: int) -> dict[str, Any]:
    """What the model reads, padded on the right; what is no tensor (the modality) as in `like`."""
    import torch

    width = max(len(tokens) for tokens in texts)
    ids = torch.full((len(texts), width), pad, dtype=torch.long)
    mask = torch.zeros(len(texts), width, dtype=torch.long)
    for row, tokens in enumerate(texts):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    features: dict[str, Any] = {name: value for name, value in like.items() if not isinstance(value, torch.Tensor)}
    features |= {"input_ids": ids, "attention_mask": mask}
    if "token_type_ids" in like:
        features["token_type_ids"] = torch.zeros_like(mask)
    device = like["input_ids"].device
    return {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in features.items()}
