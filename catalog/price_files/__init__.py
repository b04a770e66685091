"""Price lists as vendors publish them: bytes in, rows and rejects out. Knows no database."""

from catalog.price_files.reading import PriceFile, read_price_file

__all__ = ["PriceFile", "read_price_file"]
