"""`count`: a model's sizes counted on transformers' classes, as a row of architectures.toml wants them."""

import argparse
import json
from dataclasses import asdict

from llmops.core.request import Connection
from llmops.core.settings import Settings
from llmops.planning.architecture import find_config
from llmops.sizing.counting import count_shape

HELP = "count a model's parameters and cache, for a new row of the catalogue"


def add(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--model", required=True, help="catalogue or hub id, or a folder; only its config.json is read")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print `params` and `counted` as TOML."""
    shape = count_shape(find_config(args.model, Connection(), settings))
    sizes = [f"{name} = {json.dumps(value)}" for name, value in asdict(shape).items() if name != "cache"]
    kinds = [[f"{name} = {value}" for name, value in asdict(kind).items() if value] for kind in shape.cache]
    cache = ", ".join("{ " + ", ".join(sizes_of_kind) + " }" for sizes_of_kind in kinds)
    print(f"params = {shape.params}")
    print("counted = { " + ", ".join(sizes) + f", cache = [{cache}] }}")
    return 0
