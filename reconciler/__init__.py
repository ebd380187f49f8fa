"""Everything that touches Git, clusters, time and people; what is pure lives in `render`."""
