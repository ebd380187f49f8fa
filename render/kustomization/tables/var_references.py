"""Where `$(NAME)` is expanded when a kustomization has `vars`.

Facts of Kustomize 5.8.1 (kubernetes-sigs/kustomize, Apache-2.0), written down as a table.
One line for each kind, `group version Kind` with "-" for any, and the paths below it.
"""

from __future__ import annotations

VAR_REFERENCES = """\
- - Service
  spec/ports/port
  spec/ports/targetPort
- - PersistentVolume
  spec/nfs/server
- - Deployment
  spec/template/spec/containers/args
  spec/template/spec/containers/command
  spec/template/spec/containers/env/value
  spec/template/spec/containers/volumeMounts/mountPath
  spec/template/spec/initContainers/args
  spec/template/spec/initContainers/command
  spec/template/spec/initContainers/env/value
  spec/template/spec/initContainers/volumeMounts/mountPath
  spec/template/spec/volumes/nfs/server
  spec/template/metadata/annotations
- - StatefulSet
  spec/template/spec/containers/args
  spec/template/spec/containers/command
  spec/template/spec/containers/env/value
  spec/template/spec/containers/volumeMounts/mountPath
  spec/template/spec/initContainers/args
  spec/template/spec/initContainers/command
  spec/template/spec/initContainers/env/value
  spec/template/spec/initContainers/volumeMounts/mountPath
  spec/volumeClaimTemplates/spec/nfs/server
- - CronJob
  spec/jobTemplate/spec/template/spec/containers/args
  spec/jobTemplate/spec/template/spec/containers/command
  spec/jobTemplate/spec/template/spec/containers/env/value
  spec/jobTemplate/spec/template/spec/containers/volumeMounts/mountPath
  spec/jobTemplate/spec/template/spec/initContainers/args
  spec/jobTemplate/spec/template/spec/initContainers/command
  spec/jobTemplate/spec/template/spec/initContainers/env/value
  spec/jobTemplate/spec/template/spec/initContainers/volumeMounts/mountPath
  spec/jobTemplate/spec/template/volumes/nfs/server
- - DaemonSet
  spec/template/spec/containers/args
  spec/template/spec/containers/command
  spec/template/spec/containers/env/value
  spec/template/spec/containers/volumeMounts/mountPath
  spec/template/spec/initContainers/args
  spec/template/spec/initContainers/command
  spec/template/spec/initContainers/env/value
  spec/template/spec/initContainers/volumeMounts/mountPath
  spec/template/spec/volumes/nfs/server
- - Ingress
  spec/rules/host
  spec/tls/hosts
  spec/tls/secretName
- - Job
  spec/template/spec/containers/args
  spec/template/spec/containers/command
  spec/template/spec/containers/env/value
  spec/template/spec/containers/volumeMounts/mountPath
  spec/template/spec/initContainers/args
  spec/template/spec/initContainers/command
  spec/template/spec/initContainers/env/value
  spec/template/spec/initContainers/volumeMounts/mountPath
  spec/template/spec/volumes/nfs/server
- - Pod
  spec/containers/args
  spec/containers/command
  spec/containers/env/value
  spec/containers/volumeMounts/mountPath
  spec/initContainers/args
  spec/initContainers/command
  spec/initContainers/env/value
  spec/initContainers/volumeMounts/mountPath
  spec/volumes/nfs/server
- - ReplicaSet
  spec/template/spec/containers/args
  spec/template/spec/containers/command
  spec/template/spec/containers/env/value
  spec/template/spec/containers/volumeMounts/mountPath
  spec/template/spec/initContainers/args
  spec/template/spec/initContainers/command
  spec/template/spec/initContainers/env/value
  spec/template/spec/initContainers/volumeMounts/mountPath
  spec/template/spec/volumes/nfs/server
- - -
  metadata/labels
  metadata/annotations
"""
