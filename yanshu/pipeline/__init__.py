"""The story of a message, one file a stage: accept, check, route, dispatch, outcome, inbound, schedule, sweep, notify."""
