# SPDX-License-Identifier: EUPL-1.2
"""`herse serve` with password hashes that cost next to nothing: no difference of microseconds hides behind them."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.cli.serve import serve
from gateway.cli.serving import start_log
from gateway.settings import load_settings

if __name__ == "__main__":
    settings = load_settings(Path(sys.argv[1]))
    start_log(settings.log.level)
    serve(settings, test_cost=True)
