"""What the imports of several groups share: bounded reading of files from other apps, and what could not be taken.

Everything here is a pure function over bytes or text. Only the routes that import or export load it.
"""
