# SPDX-License-Identifier: EUPL-1.2
"""`python -m gateway.demo`: starts the stand-in portal. No logic of its own."""

from gateway.demo.server import main

if __name__ == "__main__":
    raise SystemExit(main())
