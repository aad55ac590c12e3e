"""The Lantern Theatre: a month of events, in every state that an event can be in."""

from __future__ import annotations

from .shapes import (
    FRIDAY,
    LAST_WEEK_BUT_ONE,
    SATURDAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    DemoEvent,
    DemoPage,
    DemoPost,
    DemoType,
    When,
)

# Every price is 6.00 or more, never 11.00, and a multiple of 50p: so no basket at all comes to one of the totals that
# SumUp's sandbox declines by convention (11.00, 42.01, 42.76, 42.91). A test holds this.
HOUSE = (
    DemoType("Adult", "14.00"),
    DemoType("Concession", "12.00", "Over 65, students, anyone on a low income. We take your word for it."),
    DemoType("Child", "7.00", "5 to 15 years."),
    DemoType("Under 5", "0.00", "Free, on a lap or a cushion. Please book, so that we can count heads."),
)
STUDIO = (
    DemoType("Adult", "12.50"),
    DemoType("Concession", "10.00", "Over 65, students, anyone on a low income."),
)

EARNEST = """Lady Bracknell arrives by the 3.15, and nothing is safe: not the cucumber sandwiches, not the diaries, and
certainly not a gentleman by the name of Ernest. The Lantern Players return with Wilde's best-behaved troublemaker, in
front of a painted garden that took four Sundays.

Two hours, with an interval. The bar opens at seven."""

EVENTS = (
    DemoEvent(
        "Fishwives and Farewells: songs of the coast",
        When(LAST_WEEK_BUT_ONE, FRIDAY, "19:30", 110),
        "Hannah Rigg and the Quayside Four sang the house down: herring songs, hauling songs, and three that nobody "
        "had heard since 1911.",
        types=HOUSE,
        capacity=90,
        sold=12,
    ),
    DemoEvent(
        "The Importance of Being Earnest",
        When(0, THURSDAY, "19:30", 135),
        EARNEST,
        types=HOUSE,
        capacity=90,
        sold=9,
    ),
    DemoEvent(
        "The Importance of Being Earnest",
        When(0, FRIDAY, "19:30", 135),
        EARNEST,
        types=HOUSE,
        capacity=90,
        sold=6,
    ),
    DemoEvent(
        "The Importance of Being Earnest: matinée",
        When(0, SATURDAY, "14:00", 135),
        EARNEST + "\n\nA relaxed performance: the lights stay low rather than off, and you may come and go.",
        types=HOUSE,
        capacity=90,
    ),
    DemoEvent(
        "Candlelight Bach: the cello suites",
        When(0, SATURDAY, "20:30", 75),
        "Miriam Adeyemi plays the first, third and fifth suites in the Studio, by candlelight, to two dozen people "
        "at a time. There is no interval and no late entry: the door is also the stage.",
        types=STUDIO,
        capacity=24,
        max_per_order=4,
        sold=21,
    ),
    DemoEvent(
        "Open rehearsal: The Wind in the Willows",
        When(1, SUNDAY, "15:00", 90),
        "Come and watch Toad learn to drive. See how a scene is made, ask the cast anything, and help us choose "
        "between two river songs. Free, but seats are few.",
        price="0.00",
        capacity=40,
        max_per_order=4,
    ),
    DemoEvent(
        "Film club: Brief Encounter",
        When(1, TUESDAY, "19:45", 100),
        "David Lean, 1945, from a 35 mm print that crackles in all the right places. Tea from an urn, as the station "
        "would have had it.",
        price="8.50",
        capacity=60,
    ),
    DemoEvent(
        "Stand-up in the Studio: new material night",
        When(0, WEDNESDAY, "20:00", 120),
        "Five comedians, forty minutes of jokes that work and twenty that do not yet. From 16 years on.",
        types=STUDIO,
        capacity=30,
        sold=30,
    ),
    DemoEvent(
        "The Salt Path Quartet",
        When(1, SATURDAY, "19:30", 120),
        "Two fiddles, a harmonium and a voice like weather. Songs from the north-west coast and a few from further "
        "out. Sit at a table, or stand at the back for less and dance.",
        price="16.00",
        types=(
            DemoType("Table seat", None, "Numbered tables of four, first come first seated."),
            DemoType("Standing", "9.00", "At the back, by the bar.", capacity=25),
            DemoType("Under 26", "7.50"),
        ),
        capacity=80,
    ),
    DemoEvent(
        "Stories for Small People",
        When(2, SUNDAY, "10:30", 45),
        "Three stories, a song with actions and a dragon who is frightened of toast. For ages three to seven and "
        "whoever brought them.",
        types=(
            DemoType("Child", "6.00"),
            DemoType("Grown-up", "6.00", "With a child only: the dragon insists."),
            DemoType("Under 3", "0.00", "Free, on a lap."),
        ),
        capacity=45,
    ),
    DemoEvent(
        "An Inspector Calls",
        When(2, FRIDAY, "19:30", 130),
        "J. B. Priestley's ghost story without a ghost, on tour with Northern Edge. One dinner table, one bell, and "
        "everybody at it has something to hide.",
        types=HOUSE,
        capacity=90,
    ),
    DemoEvent(
        "An Inspector Calls",
        When(2, SATURDAY, "19:30", 130),
        "J. B. Priestley's ghost story without a ghost, on tour with Northern Edge. One dinner table, one bell, and "
        "everybody at it has something to hide.",
        types=HOUSE,
        capacity=90,
    ),
    DemoEvent(
        "The Wind in the Willows: opening night",
        When(3, SATURDAY, "18:30", 140),
        "Messing about in boats, on a stage eighteen feet wide. Our big family show, with a cast of thirty, a live "
        "band and a motor car that very nearly works. Booking opens to everybody on the same day.",
        types=HOUSE,
        capacity=90,
        sale_in_days=5,
    ),
)

PAGE = DemoPage(
    slug="lantern-theatre",
    title="The Lantern Theatre",
    excerpt="Ninety seats, a studio and a bar in the old lamp works on Bridge Street.",
    body="""The Lantern was a lamp works until 1961 and a carpet warehouse until 1988. Then forty people with
paintbrushes moved in, and it has been a theatre ever since.

We put on about two hundred evenings a year: plays by our own company, touring theatre, music by candlelight in the
Studio, film club on Tuesdays. Nobody who works here is paid more than the person who sweeps the stage, and what you
pay for a ticket goes to the people on it.

## Coming to see us

The doors and the bar open half an hour before each show. The Studio is up one flight of stairs, and there is a lift
beside the box office. Four wheelchair spaces and a hearing loop in the main house: please tell the box office, or
just come and tell us at the door.

## If you cannot come after all

Ring us on the day. If we can sell your seat, you get your money back; and usually we can.""",
    seller_name="The Lantern Theatre Trust",
    seller_address="14 Bridge Street\nWellowby\nWB3 4LT",
    seller_email="boxoffice@lantern-theatre.example",
    seller_phone="01632 960471",
    terms="You buy from The Lantern Theatre Trust. A ticket admits one person once. Latecomers are let in at a break.",
    refund_policy="If a show is cancelled you get all of your money back. If you cannot come, ring us on the day: when "
    "we can sell your seat again, you get your money back.",
    calendar_name="At the Lantern",
    calendar_place="The Lantern Theatre, 14 Bridge Street, Wellowby",
    calendar_description="Plays, music and film in the main house and the Studio.",
    events=EVENTS,
    posts=(
        DemoPost(
            "a-garden-in-four-sundays",
            "A garden in four Sundays",
            "How eleven people, two ladders and a great deal of green became Lady Bracknell's lawn.",
            """Ask Pauline what colour grass is, and she will tell you that it is mostly not green.

The garden for *Earnest* is forty feet of canvas, painted flat on the warehouse floor because nothing else was long
enough. On the first Sunday it looked like a swimming pool. On the second, like a swimming pool in the rain. On the
third, somebody added the roses, and on the fourth we hung it up and everybody went quiet.

You can see it from **Thursday**; and if you sit on the left you can also see where Colin stood on it.""",
            2,
        ),
        DemoPost(
            "why-we-take-your-word-for-it",
            "Why we take your word for it",
            "Concession prices at the Lantern need no card and no form. Here is what happened in the first year.",
            """Last year we stopped asking for proof. Over 65, a student, short of money this month: choose
*Concession*, and that is the end of it.

We were told that everybody would choose it. Before, 31 in a hundred did. After a year it is 34. What did change is
the queue, which is shorter, and the people in it, some of whom had not been for years.""",
            16,
        ),
    ),
)
