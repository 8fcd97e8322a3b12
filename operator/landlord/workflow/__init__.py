"""The provisioning workflow itself, independent of the engine that makes it durable."""
