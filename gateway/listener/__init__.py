# SPDX-License-Identifier: EUPL-1.2
"""The wire: a strict protocol class over httptools, hosted by uvicorn, and the adapters from and to ASGI.

What reaches the hallway from here has one reading only; everything else is answered 400, 408, 413, 414, 421, 431 or 501
and the connection is closed. Nothing here decides who may do what.
"""
