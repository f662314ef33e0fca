"""Runs: requests for work of agents, their execution by workers, and their results.

start       a person, a rule or a retry requests a run; it is enqueued in the same transaction
claim       a worker claims runs
work_order  everything the agent of a run needs, frozen at the first claim
finish      a worker ends an attempt, or gives it back
result      the result of an attempt
control     people stop, conclude, resume and choose runs
change      the only place that changes the status of a run, which follows its job in the queue
dispatch    the effect of card moves on runs
sweep       time limits
"""
