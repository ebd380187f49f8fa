//go:build tools

// Package tools pins kwok, which plays the kubelets of the control planes that the tests start.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
