"""The order of application: run levels, components, the graph for each mode and its executor.

Knows nothing of what its tasks do: they come in as values with a name, a run level and a component, and the executor
is handed a function that carries one out. The rules are those of OpenShift's Cluster Version Operator (CVO).
"""
