"""The entry: settings → page → launch. `python app.py` serves on port 7860; `--share` gives a public link."""

import argparse
import os
import signal
import sys

# Read by gradio and huggingface_hub when they are imported, so they are set before.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from llmops.core import logs, space
from llmops.hardware import zerogpu

space.prepare()
zerogpu.prepare()

from starlette.middleware import Middleware

from llmops.catalog.presets import preset_for
from llmops.compat import interpreter
from llmops.core.publicness import is_space
from llmops.core.settings import load_settings
from llmops.data.builtin import load_builtin
from llmops.hardware.machine import hardware
from llmops.history import hub_backup, recorded
from llmops.hub import licence
from llmops.hub.reachability import HubProbe
from llmops.public import crash_notice, owner_keys, preload, retention, sharing
from llmops.public.request_guard import RequestGuard
from llmops.runtime.pool import Pool
from llmops.ui.language import InLanguage
from llmops.ui.page import build
from llmops.ui.services import Services, stylesheet
from llmops.ui.theme import theme

_HUB_WAIT_S = 3.0
_FIRST_TASK = "medical"  # what the page opens with


def arguments(given: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="llm-ops: compare models on one text, side by side.")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1, or GRADIO_SERVER_NAME)")
    parser.add_argument("--port", type=int, help="port (default: 7860 or the next free one, or GRADIO_SERVER_PORT)")
    parser.add_argument("--share", action="store_true", help="also open a public share link, behind a password")
    parser.add_argument("--open", action="store_true", help="with --share: no password; whoever has the link is in")
    return parser.parse_args(given)


interpreter.take_short_turns()

# Read before the page is built: its callbacks must know whether strangers may come. Whoever imports this module may
# launch the page anywhere, so then they may (LLMOPS_PUBLIC=0 says otherwise).
args = arguments(sys.argv[1:]) if __name__ == "__main__" else arguments(["--share"])
settings = load_settings(share=args.share, host=args.host)
logs.configure(settings.log_level)
if settings.public and (kept := owner_keys.withhold()):
    print(f"Strangers may come, so {', '.join(kept)} serve the owner alone; LLMOPS_LEND_KEYS=1 lends them to all.")
last = crash_notice.begin(settings.data_dir) if __name__ == "__main__" else crash_notice.ENDED_WELL
pool = Pool(settings, permit=licence.permit if settings.public else None)
services = Services(settings, pool, HubProbe(settings.offline), last)
demo = build(services)


def main() -> None:
    """Serve until interrupted, or asked to end by whoever runs the container."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    access = sharing.share_access(args.share, args.open)
    if access.message:
        print(access.message, flush=True)
    if settings.history_repo:
        print(hub_backup.keep(settings.history_path, settings.history_repo, owner_keys.hub_token()).said, flush=True)
    recorded.offer(settings.history_path)
    retention.start(settings)
    if is_space(os.environ):
        _get_ready()
    interpreter.leave_uncollected()  # the page and its libraries
    demo.launch(
        server_name=args.host,
        server_port=args.port,
        share=args.share or None,
        auth=access.auth,
        auth_message=sharing.MESSAGE,
        theme=theme(),
        css=stylesheet(),
        # Gradio's own history keeps inputs, keys too, in the browser's storage.
        run_history=False,
        enable_monitoring=False,
        max_file_size=settings.max_upload_bytes,
        footer_links=["api"],
        ssr_mode=False,
        # Gradio keeps a session for an hour after it has closed; the least recently used goes first.
        state_session_capacity=128,
        max_threads=256,  # a run that waits for its turn holds one
        app_kwargs={"middleware": [Middleware(RequestGuard, settings=settings), Middleware(InLanguage)]},
    )


def _get_ready() -> None:
    """On a Space: the preset's models are there before the first visitor is."""
    preset = preset_for(hardware().gpu_bytes, hardware().zerogpu)
    candidates = preset.candidates(services.hub.in_reach(_HUB_WAIT_S))
    preload.place(candidates, settings)
    preload.start(services.pool, load_builtin(_FIRST_TASK), candidates)


if __name__ == "__main__":
    main()
