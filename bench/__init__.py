"""What `make bench` measures: each figure a small script, counted where it can be and timed where it cannot."""
