"""What an order may become, who must approve it, what credit it takes: pure decisions."""
