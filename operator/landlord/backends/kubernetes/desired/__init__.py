"""The objects that the cluster is asked for. No I/O."""
