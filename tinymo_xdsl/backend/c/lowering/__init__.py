"""From the ops of a kernel to the layers that compute it."""
