# SPDX-License-Identifier: EUPL-1.2
"""A process that posts one code many times at once: `totp_racer.py DATABASE ACCOUNT CODE AT THREADS`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier

from gateway.errors import Refused
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.otp import Factors


def main(database: str, account: str, code: str, at: str, threads: str) -> None:
    engine = open_database(Path(database))
    factors = Factors(engine, AtRest(bytes(range(32))))
    together = Barrier(int(threads))

    def use(_: int) -> str:
        together.wait()
        try:
            return str(factors.use_totp(account, code, datetime.fromisoformat(at)).method)
        except Refused as refused:
            return str(refused.reason)

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(int(threads)) as pool:
        print(*pool.map(use, range(int(threads))), flush=True)
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
