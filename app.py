"""The entry: settings → page → launch. `python app.py` serves on port 7860; `--share` gives a public link."""

import argparse
import os

# Read by gradio and huggingface_hub when they are imported, so they are set before.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from starlette.middleware import Middleware

from llmops.hub import HubProbe
from llmops.pool import Pool
from llmops.settings import load_settings
from llmops.ui.language import InLanguage
from llmops.ui.page import build
from llmops.ui.services import Services, stylesheet

settings = load_settings()
demo = build(Services(settings, Pool(settings.pool_budget_bytes), HubProbe(settings.offline)))


def main() -> None:
    """Parse the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(description="llm-ops: compare models on one text, side by side.")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1, or GRADIO_SERVER_NAME)")
    parser.add_argument("--port", type=int, help="port (default: 7860 or the next free one, or GRADIO_SERVER_PORT)")
    parser.add_argument("--share", action="store_true", help="also open a public share link")
    args = parser.parse_args()
    demo.queue(max_size=64).launch(
        server_name=args.host,
        server_port=args.port,
        share=args.share or None,
        # System fonts: the theme's own would be fetched from elsewhere by each visitor.
        theme=gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css=stylesheet(),
        # Gradio's own history keeps inputs, keys too, in the browser's storage.
        run_history=False,
        enable_monitoring=False,
        max_file_size=settings.max_upload_bytes,
        footer_links=["api"],
        ssr_mode=False,
        app_kwargs={"middleware": [Middleware(InLanguage)]},
    )


if __name__ == "__main__":
    main()
