"""Exercise: a library, workouts, one running session, its sets and the records they make (training contract, 1).

Each subject has a module of its own, with its routes and its statements.
"""

from questlog.api import Api

from functions.exercise import library, sessions, statistics, transfers, workouts

api = Api(__file__)
for subject in (library, workouts, sessions, statistics, transfers):
    api.include(subject.api)

handler = api.handler
