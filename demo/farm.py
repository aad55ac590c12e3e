"""Hollin Bank: a farm shop with products, posts and a tasting."""

from __future__ import annotations

from .shapes import (
    FRIDAY,
    SATURDAY,
    SUNDAY,
    WEDNESDAY,
    DemoCalendar,
    DemoEvent,
    DemoPage,
    DemoPost,
    DemoProduct,
    DemoRule,
    DemoType,
    DemoVariant,
    When,
)

EVENTS = (
    DemoEvent(
        "Cider and cheese: a tasting in the apple store",
        When(1, FRIDAY, "18:30", 120),
        "Six ciders from bone dry to very nearly pudding, six cheeses from within ten miles, and Tom to tell you which "
        "of his opinions about both are true. Bread, chutney and plenty of water on the table.",
        types=(
            DemoType("Taster", "18.00", "Six ciders, six cheeses. You must be 18."),
            DemoType("Driver", "9.50", "All of the cheese, and apple juice pressed here."),
        ),
        capacity=32,
        max_per_order=8,
        sold=5,
    ),
    DemoEvent(
        "Supper in the orchard",
        When(3, SATURDAY, "17:30", 180),
        "One long table under the trees, or in the barn if the sky insists: soup, a pie with our own everything in it, "
        "and somebody with an accordion. Bring a coat and a neighbour.",
        types=(
            DemoType("Adult", "15.00"),
            DemoType("Child", "7.50", "Up to 15 years, pie included."),
            DemoType("Under 5", "0.00"),
        ),
        capacity=60,
    ),
    DemoEvent(
        "Open farm morning",
        When(2, SUNDAY, "10:00", 150),
        "Boots on, dogs at home. See the cows milked, meet the pigs, and hold a chick if it is in the mood. No ticket: "
        "just come, and put something in the bucket for the air ambulance.",
    ),
)

PRODUCTS = (
    DemoProduct(
        "veg-box-small",
        "Small veg box",
        "12.50",
        "per box",
        "Seven or eight kinds, whatever is best that morning: enough for two people for a week.\n\nAlways potatoes, "
        "carrots with their tops on, onions and something green; the rest depends on the week, and the list is on the "
        "shop door by Thursday noon.",
    ),
    DemoProduct(
        "veg-box-large",
        "Large veg box",
        "18.75",
        "per box",
        "Ten or eleven kinds, for a family that cooks.\n\nEverything in the small box and more of it, with "
        "whatever surprised us.",
    ),
    DemoProduct(
        "eggs-dozen",
        "Eggs from the orchard hens",
        "4.20",
        "per dozen",
        "Marans and a few Leghorns, so no two are the same colour. Bring the box back and we take 20p off.",
    ),
    DemoProduct(
        "sourdough-loaf",
        "Sourdough loaf",
        "4.80",
        "each",
        "Half wholemeal, a day and a half in the making, baked on Wednesdays and Saturdays before five in the morning. "
        "Gone by eleven as a rule.",
        stock=0,
    ),
    DemoProduct(
        "damson-jam",
        "Damson jam",
        "5.40",
        "per 340 g jar",
        "From the hedge along the top field. Sharp, dark and set properly. There may be one stone in it; that one is "
        "lucky.",
    ),
    DemoProduct(
        "wellow-blue",
        "Wellow Blue",
        "7.60",
        "per 200 g",
        "Our own blue cheese, from the milk of nineteen Ayrshires. Creamy at six weeks, and by twelve it has opinions.",
    ),
    DemoProduct(
        "dry-cider",
        "Hollin Dry cider",
        "6.30",
        "per 75 cl bottle",
        "Kingston Black and Dabinett, two winters in oak, nothing added and 6.4%. For over-18s.",
        vat_rate="20",
    ),
    DemoProduct(
        "raw-honey",
        "Heather honey",
        "8.90",
        "per 340 g jar",
        "From Mrs Okafor's hives, which spend August on the moor. Thick enough to stand a spoon in.",
        stock=3,
    ),
    DemoProduct(
        "pork-sausages",
        "Old Spot sausages",
        "6.70",
        "per pack of six",
        "Pork, salt, white pepper, sage and nothing to hide. Made on Thursdays; they freeze well.",
        stock=24,
    ),
    DemoProduct(
        "farm-smock",
        "Farm smock",
        "38.00",
        "each",
        "Heavy cotton drill, three pockets and a loop for the secateurs. Sewn by Hazel in Wellowby, and it gets better "
        "with every wash.",
        vat_rate="20",
        variants=(
            DemoVariant("38.00", size="Small", colour="Bracken", stock=4),
            DemoVariant("38.00", size="Medium", colour="Bracken", stock=6),
            DemoVariant("38.00", size="Medium", colour="Slate", stock=1),
            DemoVariant("42.00", size="Large", colour="Slate", stock=5),
            DemoVariant("42.00", size="Large", colour="Bracken", stock=0),
        ),
    ),
)

PAGE = DemoPage(
    slug="hollin-bank-farm-shop",
    title="Hollin Bank Farm Shop",
    excerpt="Vegetables, cheese, cider and bread from a farm that you can walk around.",
    body="""Hollin Bank is 140 acres of grass, orchard and good intentions, two miles up the hill from Wellowby. The
shop is in the old apple store. Nearly everything in it was grown, milked, baked or pressed within sight of the context.

## Opening times

| Day | Open |
|---|---|
| Wednesday to Friday | 9 to 5 |
| Saturday | 8 to 4 |
| Sunday | 10 to 1 |

Bread comes out on Wednesdays and Saturdays. Veg boxes are packed on Thursdays, and they wait in the cold store until
Saturday evening.

## Finding us

From Bridge Street take the Moor Road and turn left at the milk stand. The number 6 bus stops at the lane end. Dogs are
welcome in the yard, and so are children, on the same terms.""",
    seller_name="Hollin Bank Farm",
    seller_address="Moor Road\nWellowby\nWB3 9HB",
    seller_email="shop@hollin-bank.example",
    seller_phone="01632 960214",
    terms="You buy from Hollin Bank Farm. Prices are for what is on the label; weights of fresh things vary a little.",
    refund_policy="Fresh food cannot be brought back, but if anything is not as it should be, tell us within two days "
    "and you get your money back.",
    collection_place="The apple store, Hollin Bank Farm, Moor Road, Wellowby WB3 9HB",
    collection_times="Wednesday to Friday 9 to 5, Saturday 8 to 4, Sunday 10 to 1. Your order is ready the next time "
    "that the shop is open.",
    account="MFARM",
    calendars=(
        DemoCalendar(
            "hollin-bank-bread-mornings",
            "Bread mornings",
            "The bakehouse, Hollin Bank Farm",
            "Three hours, two loaves and a jar of Gerald, who is eleven years old and bubbles. Aprons are here.",
            rules=(DemoRule("A place at the bench", (WEDNESDAY, SATURDAY), "09:00", "12:00", 180, "28.00", places=8),),
            notice_hours=48,
        ),
    ),
    calendar_name="On the farm",
    calendar_place="The apple store, Hollin Bank Farm, Moor Road",
    calendar_description="Tastings, open mornings and the odd bonfire.",
    events=EVENTS,
    products=PRODUCTS,
    posts=(
        DemoPost(
            "why-the-carrots-are-crooked",
            "Why the carrots are crooked",
            "A carrot goes straight down until it meets a stone. We have a great many stones.",
            """Hollin Bank means *holly slope*, and what the holly grows on is stones. Every year we pick them off
the bottom field, and every year there are more; Jess says that they breed.

A carrot does not mind. It goes round, or it makes two legs and stands on the thing. It tastes of the same: rather
better, we think, because it took its time. What it does not do is lie flat in a supermarket's tray, and so for eleven
years these went to the pigs.

Now they go into the boxes. Scrub them, do not peel them. The ones with legs are for whoever is under ten.""",
            1,
        ),
        DemoPost(
            "nineteen-cows",
            "Nineteen cows and one cheese",
            "Wellow Blue took us four years, two floods and a visit from the council. It is ready now.",
            """We had the milk, and we had a cellar. How hard could it be?

The first year it would not turn blue. The second year everything else in the cellar did. In the third a very kind
woman from Environmental Health explained to us, over two hours and a pot of tea, what we had been growing.

This year it is right. It is on the counter from six weeks old, and if you like it stronger, ask Tom for one from the
back.""",
            9,
        ),
        DemoPost(
            "bring-the-box-back",
            "Bring the box back",
            "What became of last year's 4,100 egg boxes, and of the 20p.",
            """Last year 2,960 egg boxes came home, some of them for the ninth time. You left the 20p on the
counter more often than not, and it has bought **two new nest houses**.

The hens have been told.""",
            24,
        ),
    ),
)
