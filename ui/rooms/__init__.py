"""A class: a lecturer's room that students join, follow, and vote in.

`store` keeps it (in this process, or in Redis for several), `room` holds the rules, `channel` is the web socket that
tells every browser of a change, `seat` is this visitor's place, `window` what opens in the bar, `vote` what a question
of `page.predict` becomes, `tally` how votes are counted and drawn. Without a room none of it runs.
"""
