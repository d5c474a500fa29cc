"""Known vulnerabilities of what is installed, by pip-audit: `python -m tests.audit`. Skipped, and said so, offline."""

import json
import subprocess
import sys

_LONGEST_S = 240


def main() -> int:
    """1 where a vulnerability is known; 0 where none is, or where it can't be told."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--local",
        "--timeout",
        "5",
        "--progress-spinner",
        "off",
        "-f",
        "json",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        packages = []
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        print("pip-audit: skipped, its vulnerability service is out of reach here")
        return 0
    bad = [package for package in audited if package["vulns"]]
    for package in bad:
        for known in package["vulns"]:
            versions = ", ".join(known["fix_versions"]) or "?"
            print(f"{package['name']} {package['version']}: {known['id']}, mended in {versions}")
    print(f"pip-audit: {len(audited)} packages audited, {len(bad)} with known vulnerabilities")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
