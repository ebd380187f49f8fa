"""What acts inside a simulated site: controllers, nodes, guests and a storage array, all ordinary API clients.

Holds the life of Deployments, StatefulSets, Jobs, pods, claims, KubeVirt's virtual machines and csi-addons'
replication; an array whose copies live in a folder; guests that write numbered records to it, so that losses are
counted. Latencies and faults are settings. The same program serves the sandbox and, for what has no real controller
there, the testbed. Knows nothing of Siteshift's controller, its protocol or its fleet.
"""
