"""A user's events as an iCalendar document (RFC 5545): for a feed, a file, and the archive of an account.

writing    the document, whole or piece by piece
offsets    when the clocks of a time zone change
"""
