"""Files people take away: values in, bytes out. It computes no amount and asks no database."""
