"""Systems of vendors: what can be asked of them, what they answer, and the requests that are on their way.

Orders and subscriptions hand in values and are told how it ended. It knows parties by their keys and must not know
orders, prices or statements.
"""
