"""The control loop: it watches, decides, acts and tells."""
