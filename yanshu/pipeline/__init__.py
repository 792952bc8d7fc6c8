"""The story of a message, one file a stage: accept, check, route, dispatch, outcome, inbound, schedule, sweep, notify.

Stages of several files begin alike (`notify_…`, `bind_…`, `health_…`). Beside them stand what is asked about a message (`explain`,
`attempts`, `candidates`), what follows a failure (`resend`, `reroute`, `incidents`) and what is learned (`learn`, `known`, `moved`).
"""
