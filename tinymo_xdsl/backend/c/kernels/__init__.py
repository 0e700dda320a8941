"""Row functions by family: plain values in, C text out."""
