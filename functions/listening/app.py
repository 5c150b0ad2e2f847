"""Listening: what users note of reference tracks, comparisons of two, sessions (audio contract, 3 and 4).

Each subject has a module of its own, with its routes and its statements.
"""

from questlog.api import Api

from functions.listening import comparisons, notes, sessions

api = Api(__file__)
for subject in (notes, comparisons, sessions):
    api.include(subject.api)

handler = api.handler
