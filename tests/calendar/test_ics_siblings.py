"""Two siblings of each case in tests/calendar/ics: the same kind of fault in another form.

A document is written as its events, one paragraph each, without their BEGIN and END; a paragraph that begins with BEGIN
or X- is as it stands. What must be listed is a line each: an all-day event by its dates (the end exclusive), a timed
one by its UTC times.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from questlog.recurrence.times import date_of

from tests.calendar.conftest import at
from tests.conftest import NewUser, User

ZONES = ("America/Los_Angeles", "Asia/Tokyo")
UTF8 = "text/calendar; charset=utf-8"


class Sent(NamedTuple):
    """A document as it is sent, and what must come of it."""

    document: str | bytes
    counts: Mapping[str, int] = {}
    content_type: str = UTF8


class Sibling(NamedTuple):
    """Documents in turn, and what is listed of two years at the end."""

    name: str
    sent: list[Sent]
    listed: str


def document(text: str, *, newline: str = "\r\n") -> str:
    """The document that a text stands for."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    for paragraph in text.strip().split("\n\n"):
        own = [line.strip() for line in paragraph.strip().splitlines()]
        whole = own[0].startswith(("BEGIN:", "X-", "METHOD:"))
        lines += own if whole else ["BEGIN:VEVENT", *own, "END:VEVENT"]
    return newline.join([*lines, "END:VCALENDAR", ""])


def one(number: str, text: str, listed: str, **counts: int) -> Sibling:
    """A sibling that is one document."""
    return Sibling(number, [Sent(document(text), counts)], listed)


# Zones that only a document defines.
EASTERN = """
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:20071104T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20070311T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
END:VTIMEZONE
"""
SYDNEY = """
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+1100
TZOFFSETTO:+1000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+1000
TZOFFSETTO:+1100
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10
END:DAYLIGHT
END:VTIMEZONE
"""
FIXED = """
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE
"""
CHESS = """
UID:chess
{version}
DTSTART;TZID=Europe/Berlin:20270908T180000
DTEND;TZID=Europe/Berlin:20270908T190000
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:{title}
"""
MOVED = """
UID:chess
{version}
RECURRENCE-ID;TZID=Europe/Berlin:20270915T180000
DTSTART;TZID=Europe/Berlin:20270916T190000
DTEND;TZID=Europe/Berlin:20270916T200000
SUMMARY:Moved
"""
PLAIN_CHESS = """
Chess 2027-09-08T16:00Z/17:00Z
Chess 2027-09-15T16:00Z/17:00Z
Chess 2027-09-22T16:00Z/17:00Z
"""
MOVED_CHESS = """
Chess 2027-09-08T16:00Z/17:00Z
Moved 2027-09-16T17:00Z/18:00Z
Chess 2027-09-22T16:00Z/17:00Z
"""


def chess(version: str = "SEQUENCE:0", title: str = "Chess") -> str:
    return CHESS.format(version=version, title=title)


def moved(version: str = "SEQUENCE:0") -> str:
    return MOVED.format(version=version)


SIBLINGS = [
    one(
        "01a an EXDATE with a TZID that holds two dates",
        """
        UID:a
        DTSTART;VALUE=DATE:20270503
        RRULE:FREQ=DAILY;COUNT=5
        EXDATE;TZID=America/Los_Angeles:20270504T000000,20270506T000000
        SUMMARY:Fair
        """,
        "Fair 2027-05-03\nFair 2027-05-05\nFair 2027-05-07",
    ),
    one(
        "01b an EXDATE with a TZID that is no midnight is the date as written",
        """
        UID:a
        DTSTART;VALUE=DATE:20270504
        RRULE:FREQ=WEEKLY;COUNT=3
        EXDATE;TZID=Asia/Kolkata:20270511T093000
        SUMMARY:Market
        """,
        "Market 2027-05-04\nMarket 2027-05-18",
    ),
    one(
        "02a an EXDATE that is midnight of X-WR-TIMEZONE",
        """
        X-WR-TIMEZONE:Europe/Paris

        UID:a
        DTSTART;VALUE=DATE:20270608
        RRULE:FREQ=DAILY;COUNT=5
        EXDATE:20270609T220000Z
        SUMMARY:Camp
        """,
        "Camp 2027-06-08\nCamp 2027-06-09\nCamp 2027-06-11\nCamp 2027-06-12",
    ),
    one(
        "02b an EXDATE that is a floating noon",
        """
        UID:a
        DTSTART;VALUE=DATE:20270621
        RRULE:FREQ=DAILY;COUNT=3
        EXDATE:20270622T120000
        SUMMARY:Camp
        """,
        "Camp 2027-06-21\nCamp 2027-06-23",
    ),
    one(
        "03a an occurrence that becomes two days",
        """
        UID:a
        DTSTART;VALUE=DATE:20270705
        RRULE:FREQ=DAILY;COUNT=3
        SUMMARY:Harvest

        UID:a
        RECURRENCE-ID;TZID=America/St_Johns:20270706T000000
        DTSTART;VALUE=DATE:20270710
        DTEND;VALUE=DATE:20270712
        SUMMARY:Away
        """,
        "Harvest 2027-07-05\nHarvest 2027-07-07\nAway 2027-07-10..2027-07-12",
        imported=2,
    ),
    one(
        "03b a RECURRENCE-ID with a TZID that is no midnight",
        """
        UID:a
        DTSTART;VALUE=DATE:20270706
        RRULE:FREQ=WEEKLY;COUNT=3
        SUMMARY:Bins

        UID:a
        RECURRENCE-ID;TZID=Asia/Kolkata:20270713T180000
        DTSTART;VALUE=DATE:20270713
        SUMMARY:Paper bins
        """,
        "Bins 2027-07-06\nPaper bins 2027-07-13\nBins 2027-07-20",
    ),
    one(
        "04a a RECURRENCE-ID that is midnight of X-WR-TIMEZONE",
        """
        X-WR-TIMEZONE:Asia/Tokyo

        UID:a
        RECURRENCE-ID:20270801T150000Z
        DTSTART;VALUE=DATE:20270802
        SUMMARY:Second

        UID:a
        DTSTART;VALUE=DATE:20270801
        RRULE:FREQ=DAILY;COUNT=3
        SUMMARY:Day
        """,
        "Day 2027-08-01\nSecond 2027-08-02\nDay 2027-08-03",
    ),
    one(
        "04b a date cancelled by its UTC midnight",
        """
        UID:a
        DTSTART;VALUE=DATE:20270810
        RRULE:FREQ=DAILY;COUNT=3
        SUMMARY:Day

        UID:a
        RECURRENCE-ID:20270811T000000Z
        STATUS:CANCELLED
        DTSTART;VALUE=DATE:20270811
        SUMMARY:Day
        """,
        "Day 2027-08-10\nDay 2027-08-12",
        imported=1,
        removed=0,
    ),
    one(
        "05a an EXDATE as a date is the series' own day, not that of UTC",
        """
        UID:a
        DTSTART;TZID=Asia/Tokyo:20270901T080000
        RRULE:FREQ=DAILY;COUNT=3
        EXDATE;VALUE=DATE:20270902
        SUMMARY:Run
        """,
        "Run 2027-08-31T23:00Z\nRun 2027-09-02T23:00Z",
    ),
    one(
        "05b an EXDATE without a zone is in that of the series",
        """
        UID:a
        DTSTART;TZID=Europe/Berlin:20270913T190000
        RRULE:FREQ=DAILY;COUNT=2
        EXDATE:20270914T190000
        SUMMARY:Choir
        """,
        "Choir 2027-09-13T17:00Z",
    ),
    one(
        "06a an UNTIL late on the last date, in no zone of the file",
        """
        UID:a
        DTSTART;VALUE=DATE:20271013
        RRULE:FREQ=WEEKLY;UNTIL=20271027T225959Z
        SUMMARY:Pay day
        """,
        "Pay day 2027-10-13\nPay day 2027-10-20\nPay day 2027-10-27",
    ),
    one(
        "06b an UNTIL at the end of the year",
        """
        UID:a
        DTSTART;VALUE=DATE:20271001
        RRULE:FREQ=MONTHLY;UNTIL=20271201T235959Z
        SUMMARY:Rent
        """,
        "Rent 2027-10-01\nRent 2027-11-01\nRent 2027-12-01",
    ),
    one(
        "07a an UNTIL that is midnight where another event is",
        """
        UID:a
        DTSTART;TZID=Asia/Kolkata:20270501T090000
        SUMMARY:Call

        UID:b
        DTSTART;VALUE=DATE:20270401
        RRULE:FREQ=DAILY;UNTIL=20270402T183000Z
        SUMMARY:Feast
        """,
        "Feast 2027-04-01\nFeast 2027-04-02\nFeast 2027-04-03\nCall 2027-05-01T03:30Z",
    ),
    one(
        "07b an UNTIL that is midnight of X-WR-TIMEZONE, in summer time",
        """
        X-WR-TIMEZONE:Pacific/Auckland

        UID:a
        DTSTART;VALUE=DATE:20270102
        RRULE:FREQ=DAILY;UNTIL=20270103T110000Z
        SUMMARY:Regatta
        """,
        "Regatta 2027-01-02\nRegatta 2027-01-03\nRegatta 2027-01-04",
    ),
    one(
        "08a an UNTIL that is a floating end of the day",
        """
        UID:a
        DTSTART;VALUE=DATE:20270208
        RRULE:FREQ=DAILY;UNTIL=20270210T235959
        SUMMARY:Trip
        """,
        "Trip 2027-02-08\nTrip 2027-02-09\nTrip 2027-02-10",
    ),
    one(
        "08b an UNTIL that is a date, on weekdays",
        """
        UID:a
        DTSTART;VALUE=DATE:20270201
        RRULE:FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20270211
        SUMMARY:Class
        """,
        "Class 2027-02-01\nClass 2027-02-04\nClass 2027-02-08\nClass 2027-02-11",
    ),
    one(
        "11a a zone of a name of its own, on both sides of a change",
        EASTERN.format(name="Our Office")
        + """
        UID:a
        DTSTART;TZID=Our Office:20271105T090000
        DTEND;TZID=Our Office:20271105T093000
        RRULE:FREQ=DAILY;COUNT=3
        SUMMARY:Stand-up
        """,
        """
        Stand-up 2027-11-05T13:00Z/13:30Z
        Stand-up 2027-11-06T13:00Z/13:30Z
        Stand-up 2027-11-07T14:00Z/14:30Z
        """,
        problems=0,
    ),
    one(
        "11b a zone of a name of its own, half an hour off",
        FIXED.format(name="Site Time", offset="+0530")
        + """
        UID:a
        DTSTART;TZID=Site Time:20270301T093000
        SUMMARY:Briefing
        """,
        "Briefing 2027-03-01T04:00Z",
        problems=0,
    ),
    one(
        "12a a display name of the south, in summer and in winter",
        """
        UID:a
        DTSTART;TZID="(UTC+09:30) Adelaide":20270105T100000
        SUMMARY:Summer

        UID:b
        DTSTART;TZID="(UTC+09:30) Adelaide":20270705T100000
        SUMMARY:Winter
        """,
        "Summer 2027-01-04T23:30Z\nWinter 2027-07-05T00:30Z",
        problems=0,
    ),
    one(
        "12b a display name of older systems",
        """
        UID:a
        DTSTART;TZID="(GMT-07:00) Mountain Time (US & Canada)":20270706T080000
        SUMMARY:Hike
        """,
        "Hike 2027-07-06T14:00Z",
        problems=0,
    ),
    one(
        "13a a path without a slash before it",
        """
        UID:a
        DTSTART;TZID=mozilla.org/20050126_1/Europe/Brussels:20270706T120000
        SUMMARY:Lunch
        """,
        "Lunch 2027-07-06T10:00Z",
    ),
    one(
        "13b a path before a name of three parts",
        """
        UID:a
        DTSTART;TZID=/softwarestudio.org/Olson_20011030_5/America/Argentina/Buenos_Aires:20270110T100000
        SUMMARY:Brunch
        """,
        "Brunch 2027-01-10T13:00Z",
    ),
    one(
        "14a names without a slash",
        """
        UID:a
        DTSTART;TZID=Hongkong:20270301T100000
        SUMMARY:One

        UID:b
        DTSTART;TZID=NZ:20270701T100000
        SUMMARY:Two

        UID:c
        DTSTART;TZID=Eire:20270702T100000
        SUMMARY:Three

        UID:d
        DTSTART;TZID=Zulu:20270703T100000
        SUMMARY:Four
        """,
        "One 2027-03-01T02:00Z\nTwo 2027-06-30T22:00Z\nThree 2027-07-02T09:00Z\nFour 2027-07-03T10:00Z",
    ),
    one(
        "14b names in other letters",
        """
        UID:a
        DTSTART;TZID=AMERICA/NEW_YORK:20270701T090000
        SUMMARY:One

        UID:b
        DTSTART;TZID=asia/ho_chi_minh:20270702T090000
        SUMMARY:Two
        """,
        "One 2027-07-01T13:00Z\nTwo 2027-07-02T02:00Z",
    ),
    one(
        "15a a numbered copy of a zone of the south",
        SYDNEY.format(name="AUS Eastern Standard Time 1")
        + """
        UID:a
        DTSTART;TZID=AUS Eastern Standard Time 1:20270110T090000
        SUMMARY:Summer

        UID:b
        DTSTART;TZID=AUS Eastern Standard Time 1:20270610T090000
        SUMMARY:Winter
        """,
        "Summer 2027-01-09T22:00Z\nWinter 2027-06-09T23:00Z",
        problems=0,
    ),
    one(
        "15b a numbered copy that is defined otherwise than the name says",
        FIXED.format(name="Pacific Standard Time 3", offset="-0700")
        + """
        UID:a
        DTSTART;TZID=Pacific Standard Time 3:20270110T090000
        SUMMARY:Desert
        """,
        "Desert 2027-01-10T16:00Z",
        problems=0,
    ),
    one(
        "16a offsets with minutes, and after GMT",
        """
        UID:a
        DTSTART;TZID=UTC+05:30:20270310T100000
        SUMMARY:Unquoted colon

        UID:b
        DTSTART;TZID="GMT+0545":20270311T100000
        SUMMARY:Tea

        UID:c
        DTSTART;TZID=GMT-3:20270312T100000
        SUMMARY:Mate
        """,
        "Tea 2027-03-11T04:15Z\nMate 2027-03-12T13:00Z",
        imported=2,
        skipped=1,
    ),
    one(
        "16b an offset that no zone has all year",
        """
        UID:a
        DTSTART;TZID="UTC-03:30":20270310T100000
        DTEND;TZID="UTC-03:30":20270310T110000
        SUMMARY:Fish
        """,
        "Fish 2027-03-10T13:30Z/14:30Z",
        imported=1,
        problems=1,
    ),
    Sibling(
        "17a one of the instances has changed",
        [
            Sent(
                document(moved() + "\n" + moved().replace("0915T", "0922T").replace("0916T", "0923T")), {"imported": 2}
            ),
            Sent(
                document(moved() + "\n" + moved("SEQUENCE:1").replace("0915T", "0922T").replace("0916T", "0924T")),
                {"imported": 0, "updated": 1, "unchanged": 1},
            ),
        ],
        "Moved 2027-09-16T17:00Z/18:00Z\nMoved 2027-09-24T17:00Z/18:00Z",
    ),
    Sibling(
        "17b an all-day instance without its series, and its cancellation",
        [
            Sent(
                document(
                    """
                    UID:a
                    RECURRENCE-ID;VALUE=DATE:20270517
                    DTSTART;VALUE=DATE:20270518
                    SUMMARY:Day off

                    UID:a
                    RECURRENCE-ID;VALUE=DATE:20270524
                    DTSTART;VALUE=DATE:20270525
                    SUMMARY:Day off
                    """
                ),
                {"imported": 2},
            ),
            Sent(
                document(
                    """
                    METHOD:CANCEL

                    UID:a
                    RECURRENCE-ID:20270517T000000Z
                    DTSTART;VALUE=DATE:20270518
                    """
                ),
                {"imported": 0, "updated": 0, "removed": 1, "problems": 0},
            ),
        ],
        "Day off 2027-05-25",
    ),
    Sibling(
        "18a a newer version of the series without the instance",
        [
            Sent(document(moved()), {"imported": 1}),
            Sent(document(chess("SEQUENCE:1")), {"imported": 1, "skipped": 0, "problems": 0}),
            Sent(document(chess("SEQUENCE:1")), {"imported": 0, "updated": 0, "unchanged": 1}),
        ],
        PLAIN_CHESS,
    ),
    Sibling(
        "18b the series comes with the instance, which has changed",
        [
            Sent(document(moved()), {"imported": 1}),
            Sent(
                document(chess("SEQUENCE:1") + "\n" + moved("SEQUENCE:1").replace("T190000", "T193000")),
                {"imported": 1, "updated": 1, "removed": 0},
            ),
        ],
        MOVED_CHESS.replace("T17:00Z/18:00Z", "T17:30Z/18:00Z"),
    ),
    one(
        "19a three versions, the newest in the middle",
        """
        UID:a
        SEQUENCE:1
        DTSTART:20270720T090000Z
        SUMMARY:One

        UID:a
        SEQUENCE:11
        DTSTART:20270720T110000Z
        SUMMARY:Eleven

        UID:a
        SEQUENCE:2
        DTSTART:20270720T100000Z
        SUMMARY:Two
        """,
        "Eleven 2027-07-20T11:00Z",
        imported=1,
        skipped=0,
        problems=0,
    ),
    one(
        "19b two versions of one occurrence, named in two ways",
        chess()
        + moved("SEQUENCE:3")
        + """
        UID:chess
        SEQUENCE:1
        RECURRENCE-ID:20270915T160000Z
        DTSTART:20270918T100000Z
        SUMMARY:Older
        """,
        MOVED_CHESS,
        imported=2,
        skipped=0,
    ),
    one(
        "20a of two equal numbers the later DTSTAMP, which stands first",
        """
        UID:a
        SEQUENCE:2
        DTSTAMP:20270105T080000Z
        DTSTART:20270720T110000Z
        SUMMARY:New

        UID:a
        SEQUENCE:2
        DTSTAMP:20270104T080000Z
        DTSTART:20270720T100000Z
        SUMMARY:Old
        """,
        "New 2027-07-20T11:00Z",
        imported=1,
    ),
    one(
        "20b two versions of a series with other rules",
        chess("DTSTAMP:20270101T080000Z").replace("COUNT=3", "COUNT=9") + "\n" + chess("DTSTAMP:20270102T080000Z"),
        PLAIN_CHESS,
        imported=1,
    ),
    Sibling(
        "21a a cancellation by STATUS alone",
        [
            Sent(document(chess() + "\n" + moved()), {"imported": 2}),
            Sent(document(chess("SEQUENCE:1") + "STATUS:CANCELLED"), {"removed": 1, "imported": 0, "problems": 0}),
        ],
        "",
    ),
    Sibling(
        "21b a cancellation that is older than what is there",
        [
            Sent(document(chess("SEQUENCE:5\nDTSTAMP:20270105T000000Z")), {"imported": 1}),
            Sent(
                document("METHOD:CANCEL\n\n" + chess("SEQUENCE:1\nDTSTAMP:20270101T000000Z")),
                {"removed": 0, "skipped": 1, "problems": 0},
            ),
        ],
        PLAIN_CHESS,
    ),
    Sibling(
        "22a a cancellation of an occurrence of nothing",
        [
            Sent(
                document("METHOD:CANCEL\n\n" + moved()),
                {"imported": 0, "updated": 0, "unchanged": 0, "removed": 0, "skipped": 0, "problems": 0},
            )
        ],
        "",
    ),
    Sibling(
        "22b a cancellation of what another user has",
        [Sent(document(chess() + "STATUS:CANCELLED"), {"imported": 0, "removed": 0, "skipped": 0, "problems": 0})] * 2,
        "",
    ),
    Sibling(
        "23a an occurrence cancelled beside its series",
        [
            Sent(document(chess()), {"imported": 1}),
            Sent(document(chess() + "\n" + moved() + "STATUS:CANCELLED"), {"removed": 1, "imported": 0}),
            Sent(document(chess() + "\n" + moved() + "STATUS:CANCELLED"), {"removed": 0, "updated": 0, "unchanged": 1}),
        ],
        "Chess 2027-09-08T16:00Z/17:00Z\nChess 2027-09-22T16:00Z/17:00Z",
    ),
    Sibling(
        "23b an occurrence cancelled that had been moved",
        [
            Sent(document(chess() + "\n" + moved()), {"imported": 2}),
            Sent(document("METHOD:CANCEL\n\n" + moved("SEQUENCE:1")), {"removed": 1, "updated": 0, "problems": 0}),
            # The older file is no newer word on it.
            Sent(document(chess() + "\n" + moved()), {"imported": 0, "updated": 0, "removed": 0}),
        ],
        "Chess 2027-09-08T16:00Z/17:00Z\nChess 2027-09-22T16:00Z/17:00Z",
    ),
    one(
        "24a a cancellation that a newer version takes back",
        chess("SEQUENCE:1") + "STATUS:CANCELLED\n\n" + chess("SEQUENCE:2"),
        PLAIN_CHESS,
        imported=1,
        removed=0,
        problems=0,
    ),
    one(
        "24b a series cancelled with its exception beside it",
        chess() + "\n" + moved() + "\n" + chess("SEQUENCE:1") + "STATUS:CANCELLED",
        "",
        imported=0,
        removed=0,
        problems=0,
    ),
    one(
        "25a two events without a UID that are alike are one",
        """
        DTSTART:20270920T140000Z
        SUMMARY:Open rehearsal

        DTSTART:20270920T140000Z
        SUMMARY:Open rehearsal
        """,
        "Open rehearsal 2027-09-20T14:00Z",
        imported=1,
        skipped=0,
        problems=0,
    ),
    Sibling(
        "25b without a UID, written again later",
        [
            Sent(document("DTSTAMP:20270101T000000Z\nDTSTART:20270920T140000Z\nSUMMARY:Open"), {"imported": 1}),
            Sent(
                document(
                    "SEQUENCE:3\nLAST-MODIFIED:20270301T000000Z\nDTSTAMP:20270301T000000Z\nDTSTART:20270920T140000Z\nSUMMARY:Open"
                ),
                {"imported": 0, "updated": 0, "unchanged": 1},
            ),
        ],
        "Open 2027-09-20T14:00Z",
    ),
    Sibling(
        "26a folds inside letters, by LF and a tab",
        [
            Sent(
                document("UID:a\nDTSTART:20270111T100000Z\nSUMMARY:Žižkov 🎻", newline="\n")
                .encode()
                .replace("Ž".encode(), b"\xc5\n\t\xbd")
                .replace("🎻".encode(), b"\xf0\n \x9f\n \x8e\n\t\xbb")
            )
        ],
        "Žižkov 🎻 2027-01-11T10:00Z",
    ),
    Sibling(
        "26b folds inside a name and inside a time",
        [
            Sent(
                document("UID:a\nDTSTART:20270112T100000Z\nSUMMARY:Split")
                .replace("SUMMARY", "SUM\r\n MARY")
                .replace("T100000Z", "T10\r\n\t0000Z")
            )
        ],
        "Split 2027-01-12T10:00Z",
    ),
    Sibling(
        "27a bytes of Windows that are not declared",
        [
            Sent(
                document("UID:a\nDTSTART:20270215T100000Z\nSUMMARY:Café Œuf 5 €").encode("cp1252"),
                content_type="text/calendar",
            )
        ],
        "Café Œuf 5 € 2027-02-15T10:00Z",
    ),
    Sibling(
        "27b another declared charset",
        [
            Sent(
                document("UID:a\nDTSTART:20270216T100000Z\nSUMMARY:Łódź").encode("iso-8859-2"),
                content_type='text/calendar; method=PUBLISH; charset="ISO-8859-2"',
            )
        ],
        "Łódź 2027-02-16T10:00Z",
    ),
    Sibling(
        "28a UTF-16 without a mark, declared, with a fold inside a letter of two halves",
        [
            Sent(
                document("UID:a\nDTSTART:20270222T100000Z\nSUMMARY:Tram 🐢")
                .replace("🐢", "\ud83d\r\n \udc22")
                .encode("utf-16-le", "surrogatepass"),
                content_type="text/calendar; charset=utf-16",
            )
        ],
        "Tram 🐢 2027-02-22T10:00Z",
    ),
    Sibling(
        "28b UTF-8 with a mark, declared otherwise",
        [
            Sent(
                document("UID:a\nDTSTART:20270223T100000Z\nSUMMARY:Żółw").encode("utf-8-sig"),
                content_type="text/calendar; charset=us-ascii",
            )
        ],
        "Żółw 2027-02-23T10:00Z",
    ),
    Sibling(
        "29a line ends CR alone",
        [Sent(document("UID:a\nDTSTART:20270225T180000Z\nSUMMARY:Supper", newline="\r").replace("Supp", "Supp\r "))],
        "Supper 2027-02-25T18:00Z",
    ),
    Sibling(
        "29b line ends of all kinds in one document",
        [
            Sent(
                "BEGIN:VCALENDAR\nVERSION:2.0\r\nBEGIN:VEVENT\r\r\nUID:a\rDTSTART:20270226T180000Z\n\n"
                "SUMMARY:Sup\r\r\n\tper\r\nEND:VEVENT\r\r\nEND:VCALENDAR"
            )
        ],
        "Supper 2027-02-26T18:00Z",
    ),
    one(
        "30a a TZID that means nothing, on dates",
        """
        UID:a
        DTSTART;TZID=Nowhere/Town;VALUE=DATE:20270917
        DTEND;TZID=Nowhere/Town;VALUE=DATE:20270919
        SUMMARY:Excursion
        """,
        "Excursion 2027-09-17..2027-09-19",
        imported=1,
        problems=0,
    ),
    one(
        "30b a TZID on the dates of a series",
        """
        UID:a
        DTSTART;VALUE=DATE;TZID=Asia/Tokyo:20270919
        RRULE:FREQ=DAILY;COUNT=3
        EXDATE;VALUE=DATE;TZID=Asia/Tokyo:20270920
        RDATE;VALUE=DATE;TZID=Asia/Tokyo:20270925
        SUMMARY:Retreat
        """,
        "Retreat 2027-09-19\nRetreat 2027-09-21\nRetreat 2027-09-25",
    ),
    one(
        "31a a TZID that means nothing, on UTC times",
        """
        UID:a
        DTSTART;TZID=Nowhere/Town:20270504T090000Z
        DTEND;TZID=Nowhere/Town:20270504T100000Z
        SUMMARY:Launch
        """,
        "Launch 2027-05-04T09:00Z/10:00Z",
        imported=1,
        problems=0,
    ),
    one(
        "31b a TZID on the UTC times of EXDATE and RECURRENCE-ID",
        """
        UID:a
        DTSTART;TZID=Europe/Berlin:20270601T100000
        RRULE:FREQ=DAILY;COUNT=3
        EXDATE;TZID=Europe/Berlin:20270602T080000Z
        SUMMARY:Clinic

        UID:a
        RECURRENCE-ID;TZID=Europe/Berlin:20270603T080000Z
        DTSTART;TZID=Europe/Berlin:20270603T120000
        SUMMARY:Late clinic
        """,
        "Clinic 2027-06-01T08:00Z\nLate clinic 2027-06-03T10:00Z",
    ),
    one(
        "32a a rule that is nothing but separators",
        """
        UID:a
        DTSTART;VALUE=DATE:20270317
        RRULE: ;;
        SUMMARY:Founders day
        """,
        "Founders day 2027-03-17",
        imported=1,
        problems=0,
    ),
    one(
        "32b an empty rule beside further dates, and a rule that ends in a separator",
        """
        UID:a
        DTSTART:20270318T100000Z
        RRULE:
        RDATE:20270320T100000Z
        SUMMARY:Assembly

        UID:b
        DTSTART:20270401T100000Z
        RRULE:FREQ=DAILY;COUNT=2;
        SUMMARY:Count
        """,
        """
        Assembly 2027-03-18T10:00Z
        Assembly 2027-03-20T10:00Z
        Count 2027-04-01T10:00Z
        Count 2027-04-02T10:00Z
        """,
        imported=2,
        problems=0,
    ),
    one(
        "33a midnight repeated in the rule of an all-day series",
        """
        UID:a
        DTSTART;VALUE=DATE:20270315
        RRULE:FREQ=WEEKLY;COUNT=2;BYHOUR=0;BYMINUTE=0;BYSECOND=0
        SUMMARY:Planning
        """,
        "Planning 2027-03-15\nPlanning 2027-03-22",
        problems=0,
    ),
    one(
        "33b a minute that says more than the start",
        """
        UID:a
        DTSTART:20270311T090000Z
        RRULE:FREQ=DAILY;COUNT=4;BYMINUTE=15
        SUMMARY:Pills

        UID:b
        DTSTART;TZID=Asia/Tokyo:20270311T093000
        RRULE:FREQ=DAILY;COUNT=2;BYHOUR=09;BYMINUTE=30
        SUMMARY:Tea
        """,
        "Tea 2027-03-11T00:30Z\nTea 2027-03-12T00:30Z",
        imported=1,
        skipped=1,
        problems=1,
    ),
    one(
        "34a a period of a day over a change of the clocks",
        """
        UID:a
        DTSTART;TZID=Europe/Berlin:20271018T200000
        DTEND;TZID=Europe/Berlin:20271018T210000
        RDATE;TZID=Europe/Berlin;VALUE=PERIOD:20271030T200000/P1D,20271020T200000/PT1H
        SUMMARY:Watch
        """,
        """
        Watch 2027-10-18T18:00Z/19:00Z
        Watch 2027-10-20T18:00Z/19:00Z
        Watch 2027-10-30T18:00Z/2027-10-31T19:00Z
        """,
        imported=1,
        problems=0,
    ),
    Sibling(
        "34b a period whose length changes",
        [
            *[
                Sent(
                    document(
                        f"UID:a\nDTSTAMP:2027010{day}T000000Z\nDTSTART:20271018T180000Z\nDURATION:PT1H\n"
                        f"RDATE;VALUE=PERIOD:20271020T160000Z/PT{hours}H\nSUMMARY:Rink"
                    ),
                    counts,
                )
                for day, hours, counts in (
                    (1, 2, {"imported": 1, "updated": 0}),
                    (1, 2, {"imported": 0, "updated": 0, "unchanged": 1}),
                    (2, 3, {"imported": 0, "updated": 1, "unchanged": 0}),
                )
            ]
        ],
        "Rink 2027-10-18T18:00Z/19:00Z\nRink 2027-10-20T16:00Z/19:00Z",
    ),
    one(
        "35a each day of a series lasts a day by the clock",
        """
        UID:a
        DTSTART;TZID=America/New_York:20271106T200000
        DURATION:P1D
        RRULE:FREQ=WEEKLY;COUNT=2
        SUMMARY:Night shift
        """,
        "Night shift 2027-11-07T00:00Z/2027-11-08T01:00Z\nNight shift 2027-11-14T01:00Z/2027-11-15T01:00Z",
    ),
    one(
        "35b hours are exact, also more than a day of them",
        """
        UID:a
        DTSTART;TZID=Europe/Berlin:20270327T100000
        DURATION:PT36H
        SUMMARY:Hackathon

        UID:b
        DTSTART;TZID=Europe/Berlin:20270327T110000
        DURATION:P1DT12H
        SUMMARY:Jam
        """,
        "Hackathon 2027-03-27T09:00Z/2027-03-28T21:00Z\nJam 2027-03-27T10:00Z/2027-03-28T21:00Z",
    ),
    Sibling(
        "36a of equal numbers the later DTSTAMP takes an exception back",
        [
            Sent(
                document(chess("DTSTAMP:20270101T000000Z") + "\n" + moved("DTSTAMP:20270101T000000Z")), {"imported": 2}
            ),
            Sent(document(chess("DTSTAMP:20270102T000000Z")), {"imported": 0, "updated": 1, "skipped": 0}),
        ],
        PLAIN_CHESS,
    ),
    Sibling(
        "36b a version that is no newer takes nothing back",
        [
            Sent(
                document(chess("DTSTAMP:20270102T000000Z") + "\n" + moved("DTSTAMP:20270102T000000Z")), {"imported": 2}
            ),
            Sent(document(chess("DTSTAMP:20270102T000000Z")), {"updated": 0, "unchanged": 1}),
            Sent(document(chess("DTSTAMP:20270101T000000Z")), {"updated": 0, "unchanged": 1}),
        ],
        MOVED_CHESS,
    ),
]


def shown(user: User, event: Mapping[str, Any]) -> str:
    """An event as a line."""
    start, end = at(event["start_time"]), None if event["end_time"] is None else at(event["end_time"])
    if event["all_day"]:
        assert end is not None
        first, after = date_of(start, event["timezone"]), date_of(end, event["timezone"])
        dates = f"{first}" if after == first + timedelta(days=1) else f"{first}..{after}"
        return f"{event['title']} {dates}"
    return f"{event['title']} {start:%Y-%m-%dT%H:%M}Z" + (f"/{end:%Y-%m-%dT%H:%M}Z" if end else "")


def written(line: str) -> str:
    """A line of a sibling with the date of its end, where it is that of its start."""
    return re.sub(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\dZ)/(\d\d:\d\dZ)$", r"\1\2/\1T\3", line.strip())


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("sibling", SIBLINGS, ids=[sibling.name for sibling in SIBLINGS])
def test_gives_the_occurrences_it_says(sibling: Sibling, zone: str, new_user: NewUser) -> None:
    user = new_user(settings={"timezone": zone})
    for sent in sibling.sent:
        content = sent.document if isinstance(sent.document, bytes) else sent.document.encode()
        outcome = user.post("/calendar/import", content, headers={"content-type": sent.content_type}).data
        outcome["problems"] = len(outcome["problems"])
        assert {name: outcome[name] for name in sent.counts} == sent.counts, outcome
    events = user.get("/calendar", query={"start_date": "2027-01-01", "end_date": "2028-12-31"}).data["events"]
    expected = [written(line) for line in sibling.listed.strip().splitlines()]
    assert sorted(shown(user, event) for event in events) == sorted(expected)
    # The same again changes nothing, and what is exported is the same elsewhere.
    last = sibling.sent[-1]
    content = last.document if isinstance(last.document, bytes) else last.document.encode()
    again = user.post("/calendar/import", content, headers={"content-type": last.content_type}).data
    assert (again["imported"], again["updated"], again["removed"]) == (0, 0, 0)
    elsewhere = new_user(settings={"timezone": "Europe/London"})
    exported = user.get("/calendar/export.ics").text.encode()
    elsewhere.post("/calendar/import", exported, headers={"content-type": UTF8})
    there = elsewhere.get("/calendar", query={"start_date": "2027-01-01", "end_date": "2028-12-31"}).data["events"]
    fields = ("title", "start_time", "end_time", "all_day")
    assert sorted([str(event[name]) for name in fields] for event in there) == sorted(
        [str(event[name]) for name in fields] for event in events
    )


def test_there_are_two_of_each() -> None:
    """09, 10 and 37 to 39 have no document; what is like them is in test_all_day, test_shift and test_cost."""
    numbers = {f"{number:02}" for number in range(1, 37)} - {"09", "10"}
    named = [sibling.name[:3] for sibling in SIBLINGS]
    assert sorted(named) == sorted(number + letter for number in numbers for letter in "ab")
