// Package check holds what is deployed to the readers that Kubernetes, kustomize
// and Prometheus have themselves. It is a module of its own, since they bring
// more modules than the product has. "make manifests" runs it.
package check
