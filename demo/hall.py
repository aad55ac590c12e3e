"""Thornby Village Hall: a few events, run by a committee."""

from __future__ import annotations

from .shapes import (
    FRIDAY,
    MONDAY,
    SATURDAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    DemoCalendar,
    DemoEvent,
    DemoPage,
    DemoPost,
    DemoRule,
    DemoType,
    When,
)

ANY_DAY = (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY)

EVENTS = (
    DemoEvent(
        "Repair café",
        When(0, SUNDAY, "10:00", 180),
        "Bring the toaster, the chair with three legs and the jumper with the hole. Eight menders, one kettle, cake. "
        "No ticket: come when you like, and pay what you think it saved you.",
    ),
    DemoEvent(
        "Ceilidh with the Thornby Irregulars",
        When(1, SATURDAY, "19:00", 210),
        "Every dance is called, so nobody needs to know any. Pie and peas at half past eight; a vegetarian pie if you "
        "tell us at the door. Bring your own drinks and flat shoes.",
        types=(
            DemoType("Adult with supper", "13.50"),
            DemoType("Adult, dancing only", "8.50"),
            DemoType("Child with supper", "7.00", "Under 16."),
            DemoType("Under 5", "0.00", "Free, and there is a corner with cushions."),
        ),
        capacity=110,
        sold=8,
    ),
    DemoEvent(
        "Community lunch",
        When(0, WEDNESDAY, "12:15", 90),
        "Two courses and a cup of tea, cooked by whoever's turn it is. This week: leek and potato soup, then Brenda's "
        "apple crumble, which needs no introduction.",
        price="6.50",
        capacity=48,
    ),
    DemoEvent(
        "Quiz night in aid of the roof",
        When(2, FRIDAY, "19:30", 150),
        "Teams of up to six, eight rounds, and one of them is always about tractors. Everything goes to the roof, "
        "which has been promised slates.",
        price="6.00",
        capacity=72,
        max_per_order=6,
    ),
)

PAGE = DemoPage(
    slug="thornby-village-hall",
    title="Thornby Village Hall",
    excerpt="A sprung floor, a good kitchen and a stage with real curtains, for whoever needs them.",
    body="""The hall was built in 1923 by the people of Thornby, on a field that Miss Ellershaw sold them for five
pounds and a promise that there would be dancing. There still is.

It is run by a committee of nine. The floor is sprung, the kitchen has two ovens, the stage has curtains that open, and
the heating comes on if you ask it nicely.

## What goes on

Lunch on Wednesdays, repair café on the first Sunday, and something on most Saturdays. The toddler group, the bell
ringers and the choir have their own evenings; the notice board in the porch knows more than this page does.

## Getting in

There is a level entrance at the side, and an accessible lavatory. Parking is in the field when it is dry, and along the
lane when it is not.""",
    seller_name="Thornby Village Hall Committee",
    seller_address="Church Lane\nThornby\nWB4 1TH",
    seller_email="bookings@thornby-hall.example",
    seller_phone="01632 960358",
    terms="You hire from the Thornby Village Hall Committee, a registered charity. Leave the hall as you found it, the "
    "chairs stacked and the heating off.",
    refund_policy="A booking can be given back until seven days before it: write to us, and you get your money back. "
    "Tickets are refunded when an event is cancelled.",
    whole_room=True,
    rules=(
        DemoRule("The hall for an hour", ANY_DAY, "09:00", "22:00", 60, "16.00"),
        DemoRule("The hall for an evening", (FRIDAY, SATURDAY), "17:00", "23:00", 360, "75.00"),
    ),
    calendars=(
        DemoCalendar(
            "thornby-committee-room",
            "The committee room",
            "Thornby Village Hall, first floor",
            "A table for twelve, a kettle and a view of the churchyard. The committee looks at each request within two "
            "days.",
            rules=(DemoRule("The committee room for two hours", ANY_DAY, "08:00", "22:00", 120, "12.00"),),
            whole_room=True,
            needs_approval=True,
            notice_hours=24,
            closed_in_days=(12, 14),
        ),
    ),
    calendar_name="In the hall",
    calendar_place="Thornby Village Hall, Church Lane",
    calendar_description="Suppers, dances, lunches and mending.",
    events=EVENTS,
    posts=(
        DemoPost(
            "the-roof-so-far",
            "The roof, so far",
            "£14,360 of £22,000, one scaffold, and a word about buckets.",
            """The thermometer in the porch stands at **£14,360**. That is the whole of the north side, and the
scaffold is booked.

Thank you to everybody who danced, quizzed or bought a slate. If you sit under the third window, the bucket is there
on purpose.""",
            5,
        ),
    ),
)
