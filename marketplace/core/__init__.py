"""Values and plumbing without business words: money, periods, rounding, who is asking, the database.

Everything may import it; it imports nothing of ours.
"""
