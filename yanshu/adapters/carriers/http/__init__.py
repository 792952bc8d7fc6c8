"""Carriers with an HTTP interface, as data: what to call, how to sign, and how to read answers and callbacks.

Everything here is pure: values in, a `Request` out; an answer or a `Callback` in, our words out. The adapter that opens the
connection and the listener that takes callbacks stand on `building.build`, `signing.sign`, `answers.read_answer`, `checks.is_genuine`
and `callbacks.read_receipts` / `read_inbounds`, and bring the network, the clock and the randomness.
"""
