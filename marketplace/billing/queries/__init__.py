"""What pages show of the close: one query a page, giving frozen rows named after the page."""
