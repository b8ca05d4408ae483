"""Real programs, really recorded, and what they say they ran: how well the extraction does."""
