# SPDX-License-Identifier: EUPL-1.2
"""A process that uses one secret many times at once: `racer.py DATABASE ticket|code|totp SECRET ACCOUNT AT THREADS`.

It prints what each try came to.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier

from gateway.errors import Refused
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.breached import Breached
from gateway.identity.database import open_database
from gateway.identity.failures import Failures
from gateway.identity.otp import Factors
from gateway.identity.password import PasswordHasher
from gateway.identity.throttle import Throttle
from gateway.identity.ways_back import WaysBack


def main(*arguments: str) -> None:
    database, what, secret, account, at, threads = arguments
    engine, now = open_database(Path(database)), datetime.fromisoformat(at)
    hasher, throttle = PasswordHasher(1, 1, test_cost=True), Throttle(1000, 1000)
    at_rest = AtRest(bytes(range(32)))
    accounts, factors = Accounts(engine, at_rest), Factors(engine, at_rest)
    back = WaysBack.over(engine, accounts, hasher, throttle, Failures(engine), Breached())
    together = Barrier(int(threads))

    def use(number: int) -> str:
        together.wait()
        try:
            if what == "ticket":
                return back.resets.finish(secret, f"hash {number}", now).identifier
            if what == "totp":
                return str(factors.use_totp(account, secret, now).method)
            return str(back.recovery.use(account, secret, "192.0.2.1", now).method)
        except Refused as refused:
            return str(refused.reason)

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(int(threads)) as pool:
        print(*pool.map(use, range(int(threads))), flush=True)
    hasher.close()
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
