"""What makes objects that no file holds: ConfigMaps and Secrets from files and literals, and what plugins describe.

Holds: how arguments become an object. Knows nothing of how the object joins the others (`layer`).
"""
