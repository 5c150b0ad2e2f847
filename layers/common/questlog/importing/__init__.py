"""What the imports of several groups share: reading files of other apps within limits, and reporting their problems.

Everything here is a pure function over bytes or text. Only the routes that import or export load it.
"""
