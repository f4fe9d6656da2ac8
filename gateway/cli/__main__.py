# SPDX-License-Identifier: EUPL-1.2
"""`python -m gateway.cli`: the command `herse` where no entry point is installed."""

from gateway.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
