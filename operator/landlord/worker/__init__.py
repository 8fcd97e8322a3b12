"""The worker: the process that runs provisioning workflows for Restate."""
