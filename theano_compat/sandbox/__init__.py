"""Historical home of experiments; what survived lives elsewhere and is found here under its old path."""
