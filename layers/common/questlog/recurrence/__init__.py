"""Recurring events of RFC 5545: their times, their rules, the occurrences of a series, and lists of occurrences.

    times      instants, wall-clock times and dates of a time zone
    rule       a recurrence rule: parsed and checked
    pattern    the dates of a plain rule, by arithmetic
    series     the occurrences of an event that repeats
    listing    the occurrences of all of a user's events between two times

A series repeats in wall-clock time of its own zone: a meeting at nine stays at nine when the clocks change. An
occurrence is named by its recurrence id (RFC 5545, 3.8.4.4): the instant at which the rule lets it begin.
"""
