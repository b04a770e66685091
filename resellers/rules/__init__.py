"""What terms may be, and what they are called: pure decisions over plain values, without tables or clock."""
