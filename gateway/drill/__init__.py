# SPDX-License-Identifier: EUPL-1.2
"""Drill: synthetic professionals and robots that walk the hallway's own code at simulated time.

What decides, counts and records is what serves; only what is I/O has a twin here (twins). The world in which it all
happens is `world.json`: it is given, and no line of it is changed so that a policy looks better. Never here: a second
evaluator, a second meter, a shortcut for whom we like.
"""
