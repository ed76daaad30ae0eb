"""The shop of ``payproof selftest``: a careful one, and the same with five mistakes that can be switched on.

It knows nothing of payproof and is started as a program of its own: ``python -m payproof.suites.selftest.shop``.
"""
