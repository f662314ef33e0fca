"""The four things to try in the demo, as the terminal prints them; README and GraphiQL have the same titles.

Few imports, because the server prints them at its start.
"""

YOURS = "Yours: "  # begins the title of the card that the demo's people leave to the viewer
CARD = f"{YOURS}drag me to Done, then to To do"

THINGS = (
    ("Watch the board", "Cards move by themselves. The line on a card says what its agent does now."),
    ("Answer a question", "Open Inbox: one is always open. An agent that asked goes on with your answer."),
    (
        "Move a card",
        f"“{CARD}” stands in Backlog. The law refuses Done\n     and says why. In To do an agent takes it.",
    ),
    ("Look into a run", "Open a card and click a run: what its agent thinks, does and costs."),
)

# The questions of the demo's people, asked one after another so that one is always open: text, options.
ASKED = (
    ("Which picture shall the first page show?", ("A board at work", "A signal box at night", "No picture")),
    ("When do we show this to others?", ("This week", "When the page is done")),
    ("Who reviews what agents propose?", ("Whoever has time", "Always two people")),
)
