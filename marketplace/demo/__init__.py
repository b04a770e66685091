"""A wholesaler to look at: firms, terms, three closed months and one that runs, made through the product's own doors.

Only the command `demo` calls it. It knows everything below the screens and nothing of them.
"""
