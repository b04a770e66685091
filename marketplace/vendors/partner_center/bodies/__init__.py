"""JSON of Partner Center read as values and written from them."""
