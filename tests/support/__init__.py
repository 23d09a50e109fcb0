"""What several test folders share: builders of objects and a cluster in a dictionary."""
