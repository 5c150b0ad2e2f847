"""Reference: audio tracks, what is measured of them, and what users note while they listen (audio contract).

Each subject has a module of its own, with its routes and its statements.
"""

from questlog.api import Api

from functions.reference import analyses, frames, tracks

api = Api(__file__)
for subject in (tracks, analyses, frames):
    api.include(subject.api)

handler = api.handler
