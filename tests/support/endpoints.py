"""The named endpoints, and a comparison through one of them. Test code only."""

TEXT = "All requirements for the wheelchair are met."
ENDPOINTS = {"/candidates", "/compare", "/plan", "/dry_run", "/load_probe", "/context_probe", "/evaluate", "/history"}
ENDPOINTS |= {"/stream", "/export", "/learning_curve", "/decide", "/cascade", "/schema", "/train", "/classify"}
TIMING = {"load_s", "queue_s", "ttft_s", "tpot_s", "e2e_s", "prompt_tokens", "output_tokens"}
MEMORY = {"weights_bytes", "kv_cache_bytes", "peak_bytes", "device"}


def compare(client, *candidates, text=TEXT, task="medical", settings=None):
    return client.predict(text, task, list(candidates), settings or {}, api_name="/compare")["runs"]
