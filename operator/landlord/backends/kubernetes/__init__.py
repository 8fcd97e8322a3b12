"""The backend that runs tenants in namespaces of a Kubernetes cluster."""
