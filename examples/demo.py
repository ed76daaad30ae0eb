"""payproof on the two shipped shops: the careful one must be ready to go live, the careless one must not.

Run by ``tox -e demo``. Prints both checklists, writes both reports, and exits 0 when both verdicts are as they must be.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SHOPS = (("careful", "payproof.toml", 0), ("careless", "payproof.careless.toml", 1))


def main() -> int:
    """Exit code 0 when the careful shop is ready (0) and the careless one is not (1)."""
    wrong = []
    for name, config, expected in SHOPS:
        print(f"\n=== The {name} shop ===\n", flush=True)
        folder = Path("payproof-report") / name
        command = [sys.executable, "-m", "payproof.suites", "run", "--config", str(HERE / "flask-shop" / config)]
        code = subprocess.run([*command, "--report-dir", str(folder), *sys.argv[1:]], check=False).returncode
        if code != expected:
            wrong.append(f"the {name} shop ended with exit code {code}, not {expected}")
    print()
    for line in wrong or ["Both verdicts are as they must be: the careful shop is ready, the careless one is not."]:
        print(line)
    print("Next: payproof init, in the folder of your own integration.")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
