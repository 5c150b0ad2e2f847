"""The usual stack, to measure ours beside: FastAPI, Mangum, SQLAlchemy 2 and psycopg, written as a team would write it.

The same work for six routes: who asks is looked up in a table of sessions, then each thing is a query, and one
transaction ends the request. It has no row-level security, counters, quests, skills or achievements: it does the least
that such a route needs.
"""
