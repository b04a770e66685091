"""People: who they are, for whom they act, what their roles allow, and the sessions they act in.

Screens and commands call it. It knows parties, and nothing of usage, statements or web requests.
"""
