"""What every Questlog function shares: declaring routes, one database trip, who asks, errors."""

import gc

# What a cold start loads lives as long as the environment does: collecting meanwhile finds nothing, and is a twentieth
# of the work. Api.handler, the last thing a function does at start, turns it on again.
gc.disable()
