"""The indicators of quality: sixteen figures, each with how many it is made of and of which time.

Three steps, each of which can be done again at any time: `following` and `facts` keep what is known of each study,
`counting` packs each day that was touched into sheets, and `page` reads the sheets of a window and makes the figures.
What is open now (backlog, what waits for a person) is read as it is.
"""
