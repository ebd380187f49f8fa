"""How fast this is, beside the real Kustomize in the same run: `make bench`.

Holds: trees of a given size (`trees`), what is measured and what it should reach (`rows`), clocks and processes
(`measuring`), the table (`__main__`). Nothing of the product imports it, and it reaches the product only as a user
does: through the command line, and for the fleet's row through the library.
"""
