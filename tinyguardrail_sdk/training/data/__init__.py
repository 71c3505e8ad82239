"""Training data: rows, generators and pools."""
