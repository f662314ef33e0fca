"""Runs: what is asked of agents, how workers hold it, and what becomes of it.

start     a person, a rule or a retry asks for work; it is queued in the same transaction
claim     a worker gets work, with everything it needs to know frozen
finish    a worker says how it ended, or gives it back
control   people stop it, wrap it up, go on with it
change    the one place where a run changes: it follows what the queue did to its job
sweep     what time does
"""
