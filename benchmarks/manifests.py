"""Objects as applications have them, about 1.3 KB each: Deployments, Services, ConfigMaps and VirtualMachines."""

from __future__ import annotations

KINDS = ("Deployment", "Service", "ConfigMap", "VirtualMachine")

MIX = "DSCDSCVDSCDSCVDSCDCV"
"""Twenty objects by the first letter of their kinds: 6 Deployments, 5 Services, 6 ConfigMaps, 3 VirtualMachines."""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    app: {name}
    tier: backend
    app.kubernetes.io/part-of: shop
  annotations:
    example.com/owner: team-{team}
    example.com/description: "Serves orders of customers; asks the database, keeps nothing itself"
spec:
  replicas: {replicas}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
        tier: backend
    spec:
      serviceAccountName: default
      containers:
      - name: server
        image: registry.example.com/shop/server:1.{team}.0
        args: ["--listen=:8080", "--verbose", "--shard={number}"]
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: LOG_LEVEL
          value: info
        - name: SETTINGS
          valueFrom:
            configMapKeyRef:
              name: settings-{settings}
              key: settings.ini
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{memory: 256Mi}}
        readinessProbe:
          httpGet:
            path: /ready
            port: http
          periodSeconds: 5
        volumeMounts:
        - name: scratch
          mountPath: /var/lib/shop
      volumes:
      - name: scratch
        emptyDir: {{}}
"""

_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  labels:
    app: {name}
    tier: backend
    app.kubernetes.io/part-of: shop
  annotations:
    example.com/owner: team-{team}
    example.com/description: "The address of the servers of shard {number} for everything else in the shop"
    example.com/contact: "{{\\"channel\\": \\"#shop-{team}\\", \\"hours\\": \\"09:00-17:00\\", \\"pager\\": false}}"
    example.com/routes: |
      GET  /orders        -> list
      GET  /orders/(id)   -> show
      POST /orders        -> create
      PUT  /orders/(id)   -> change
      GET  /customers     -> list
      GET  /customers/(id)/orders -> list of one customer
      POST /payments      -> take, only with a signed request and a key that is not older than an hour
      GET  /health        -> says "ok" as long as the database answers within a second
      GET  /metrics       -> numbers for everybody who wants to look
spec:
  type: ClusterIP
  selector:
    app: {name}
  sessionAffinity: None
  ports:
  - name: http
    port: 80
    targetPort: 8080
    protocol: TCP
  - name: metrics
    port: 9090
    targetPort: 9090
    protocol: TCP
  ipFamilies:
  - IPv4
  ipFamilyPolicy: SingleStack
  internalTrafficPolicy: Cluster
"""

_CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels:
    app: {name}
    tier: backend
    app.kubernetes.io/part-of: shop
  annotations:
    example.com/owner: team-{team}
data:
  LOG_LEVEL: info
  SHARD: "{number}"
  FEATURES: "search,orders,payments"
  GREETING: 'Good morning: it''s shard {number}'
  START: "2024-01-01"
  DATABASE: postgres://database-{team}.shop.svc.cluster.local:5432/orders
  server.ini: |
    [server]
    listen = 0.0.0.0:8080
    workers = 8
    timeout = 30s

    [database]
    host = database-{team}.shop.svc.cluster.local
    port = 5432
    name = orders_{number}
    pool = 16

    [cache]
    host = cache-{team}.shop.svc.cluster.local
    ttl = 300
  logging.json: |
    {{
      "version": 1,
      "shard": {number},
      "handlers": {{"console": {{"class": "StreamHandler", "level": "INFO", "stream": "stdout"}}}},
      "loggers": {{"shop": {{"handlers": ["console"], "level": "INFO", "propagate": false}}}},
      "formatters": {{"plain": {{"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}}}}
    }}
  welcome.txt: >-
    Welcome to shard {number} of the shop. This text is long enough to be folded
    over more than one line, as such texts are in the files that people write.
"""

_VIRTUAL_MACHINE = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: {name}
  labels:
    app: {name}
    tier: database
    app.kubernetes.io/part-of: shop
spec:
  runStrategy: Always
  template:
    metadata:
      labels:
        app: {name}
        tier: database
    spec:
      domain:
        cpu:
          cores: 4
        memory:
          guest: 8Gi
        devices:
          disks:
          - name: root
            disk:
              bus: virtio
          - name: data
            disk:
              bus: virtio
          - name: init
            disk:
              bus: virtio
          interfaces:
          - name: default
            masquerade: {{}}
      networks:
      - name: default
        pod: {{}}
      evictionStrategy: LiveMigrate
      terminationGracePeriodSeconds: 180
      volumes:
      - name: root
        containerDisk:
          image: registry.example.com/shop/database:1.{team}.0
      - name: data
        persistentVolumeClaim:
          claimName: data-{number}
      - name: init
        cloudInitNoCloud:
          userData: |-
            #cloud-config
            hostname: {name}
            packages: [postgresql]
            write_files:
            - path: /etc/shop/shard
              content: "{number}"
            runcmd:
            - systemctl enable --now postgresql
"""

_TEMPLATES = dict(zip("DSCV", (_DEPLOYMENT, _SERVICE, _CONFIG_MAP, _VIRTUAL_MACHINE), strict=True))


def letter(number: int) -> str:
    """The first letter of the kind of an object."""
    return MIX[number % len(MIX)]


def name_of(number: int) -> str:
    """The name of an object: what it is and its number."""
    return f"{dict(zip('DSCV', ('server', 'address', 'values', 'machine'), strict=True))[letter(number)]}-{number}"


def manifest(number: int, settings: int = 0) -> str:
    """The text of an object; a Deployment reads the ConfigMap `settings-<settings>`."""
    return _TEMPLATES[letter(number)].format(
        name=name_of(number), number=number, team=number % 17, replicas=1 + number % 3, settings=settings
    )
