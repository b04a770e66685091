"""What happens: usage, the monthly close, statements, and the screens of the three audiences."""
