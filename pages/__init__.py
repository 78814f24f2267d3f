"""The pages, one thin script each, and under ``ui`` what they share."""
