"""What can be done with parties and terms. Nothing here commits: the edge does."""
