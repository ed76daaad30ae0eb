"""Quay: Harbor's neighbour, and in everything else its opposite.

One key and no access tokens, one currency in lower case, a return address that is a template, hosted pages with names of their own, a
refusal that its own page tells, money that may come later, no Retry-After, and two signatures in one header.
"""
