"""What a result's machine and libraries are known by."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from llmops import __version__
from llmops.hardware.machine import hardware

_LIBRARIES = (
    "torch", "transformers", "bitsandbytes", "sentence-transformers", "setfit", "openvino", "openai", "huggingface_hub",
)  # fmt: skip


def fingerprint() -> str:
    """CPU, memory and GPUs in a line; no host name, no user."""
    return hardware().describe()


@cache
def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    by_name = {"llm-ops": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            by_name[name] = version(name)
        except PackageNotFoundError:
            continue
    return by_name
