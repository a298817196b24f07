"""A version that answers nobody yet, tried beside the one that serves: on real requests, after the answers.

1. `switch.start` makes the row that says which version shadows, for what percentage of users; it announces itself as
   the model pointer does, so that every web process starts, and stops, on its next request (`serving_state`).
2. `comparing.note` is told of each list that has been made for a user; for the chosen users it waits in a short queue,
   and is dropped where that is full.
3. A thread makes the same list with the shadow's files (`opened`), compares the two (`likeness`) and keeps the result
   for a week (`lists`).
4. `report` says what came of it, and where each list had what the users took afterwards.

Nothing of this is waited for by an answer or changes one; what fails here is told on the shadow's page.
"""
