"""Harbor: an invented gateway, deliberately unlike the others, which needs no line outside this folder.

API and checkout on two hosts, no base path, Basic credentials, amounts nested and in the smallest unit, the customer approves and
the integration takes the money, problems with codes and places, signed notices whose time is checked, ten seconds for a call.
"""
