"""Switches the garbage collector off while a request function starts.

What a start loads lives as long as the execution environment does, so collecting meanwhile finds nothing, and is a
twentieth of the work. Only questlog.api imports this module: jobs and the audio worker keep the collector on.
"""

import gc

gc.disable()


def finish_cold_start() -> None:
    """Turn the collector on again; it leaves alone what has been loaded so far."""
    gc.freeze()
    gc.enable()
