"""A backend that gives each tenant a namespace of a Kubernetes cluster to itself."""
