"""The conformance suite every store must pass, by noun; `yanshu.testing.store_suite` joins it."""
